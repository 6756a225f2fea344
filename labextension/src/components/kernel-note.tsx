import * as React from 'react';
import { CommandIDs } from '../command-ids';
import type { IEnvironment } from '../store/types';
import { Link } from './buttons';
import type { IProps } from './props';

/** How the server's note begins if an environment could have a kernel, but has none (`kernels/kernel_specs.py`). */
const NO_KERNEL = /^no package in it brings a kernel/;

/** Why an environment has no kernel and, for users who may change it, buttons that add one. */
export function KernelNote(props: IProps & { item: IEnvironment }): React.ReactElement | null {
  const { item, trans, commands } = props;
  const [isBusy, setBusy] = React.useState(false);
  if (!item.active || !item.kernel_note) {
    return null;
  }
  const args = { namespace: item.namespace.name, name: item.name };
  const may = NO_KERNEL.test(item.kernel_note) && item.permissions.includes('environment::update');
  const run = async (always: boolean) => {
    setBusy(true);
    await commands.execute(CommandIDs.addKernel, { ...args, always });
    setBusy(false);
  };
  if (!may) {
    return <div className="jp-EnvStore-sub">{item.kernel_note}</div>;
  }
  return (
    <div className="jp-EnvStore-sub jp-EnvStore-kernelNote">
      <span>{trans.__('None of its packages provides a kernel.')}</span>{' '}
      {isBusy ? (
        <span role="status">{trans.__('Asking for a build…')}</span>
      ) : (
        <>
          <Link id={CommandIDs.addKernel} onClick={() => run(false)}>
            {trans.__('Add a kernel and build')}
          </Link>
          {item.permissions.includes('setting::update') && (
            <>
              {' · '}
              <Link id="envstore:always-add-kernel" onClick={() => run(true)}>
                {trans.__('Add ipykernel to each of its builds')}
              </Link>
            </>
          )}
        </>
      )}
    </div>
  );
}
