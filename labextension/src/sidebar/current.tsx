import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import * as React from 'react';
import { CommandIDs } from '../commands';
import { type IProps, Link, Mark } from '../components/basics';
import { openMenu } from '../components/menu';
import { mark } from '../status';
import { Section } from './section';

const MOST = 40;

/** The notebook in front and the environment that it runs in. */
export function CurrentNotebook(
  props: IProps & { notebooks: INotebookTracker | null }
): React.ReactElement | null {
  const { model, trans, commands, notebooks } = props;
  const [panel, setPanel] = React.useState<NotebookPanel | null>(notebooks?.currentWidget ?? null);
  const [kernel, setKernel] = React.useState('');
  React.useEffect(() => {
    const slot = () => setPanel(notebooks?.currentWidget ?? null);
    notebooks?.currentChanged.connect(slot);
    return () => {
      notebooks?.currentChanged.disconnect(slot);
    };
  }, [notebooks]);
  React.useEffect(() => {
    const session = panel?.sessionContext;
    const slot = () => setKernel(session?.session?.kernel?.name ?? '');
    slot();
    session?.kernelChanged.connect(slot);
    return () => {
      session?.kernelChanged.disconnect(slot);
    };
  }, [panel]);
  if (!panel || panel.isDisposed || model.environments.length === 0) {
    return null;
  }
  const item = model.environments.find(found => found.kernels.includes(kernel));
  const place = item && { namespace: item.namespace.name, name: item.name };
  const change = (event: React.MouseEvent) => {
    const usable = model.environments.filter(other => other.kernels.length).slice(0, MOST);
    const items = usable.map(({ namespace, name }) => ({
      command: CommandIDs.useInCurrent,
      args: { namespace: namespace.name, name, words: `${namespace.name}/${name}` }
    }));
    openMenu(commands, items, event.currentTarget);
  };
  return (
    <Section title={trans.__('Current Notebook')}>
      <div className="jp-EnvStore-current">
        <div className="jp-EnvStore-sub">{panel.title.label}</div>
        {item && place ? (
          <div className="jp-EnvStore-line">
            <Mark mark={mark(item, trans, model.isConnected)} />
            <Link onClick={() => commands.execute(CommandIDs.open, place)}>{`${place.namespace}/${place.name}`}</Link>
            <span className="jp-EnvStore-age">{trans.__('build %1', item.current_build?.number ?? '')}</span>
          </div>
        ) : (
          <div className="jp-EnvStore-sub">{trans.__('It runs in no environment of the store.')}</div>
        )}
        <div className="jp-EnvStore-actions">
          {place && item.permissions.includes('environment::update') && (
            <Link onClick={() => commands.execute(CommandIDs.addPackage, place)}>{trans.__('Add package…')}</Link>
          )}
          <button type="button" className="jp-EnvStore-link" aria-haspopup="menu" onClick={change}>
            {trans.__('Change ▾')}
          </button>
        </div>
      </div>
    </Section>
  );
}
