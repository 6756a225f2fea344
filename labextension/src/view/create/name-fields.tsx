import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link } from '../../components/buttons';
import type { IProps } from '../../components/props';
import type { IEnvironment } from '../../store/types';

/** What a new environment is called, where it belongs and what it is for. */
export const NameFields = React.forwardRef<
  HTMLInputElement,
  IProps & {
    name: string;
    setName: (name: string) => void;
    isBad: boolean;
    /** The environment that has this name already. */
    taken: IEnvironment | undefined;
    namespace: string;
    setNamespace: (namespace: string) => void;
    description: string;
    setDescription: (description: string) => void;
    /** Go on with the text as a new build of that environment. */
    buildOfTaken: (taken: IEnvironment) => void;
  }
>(function NameFields(props, ref): React.ReactElement {
  const { model, trans, commands, name, isBad, taken, namespace } = props;
  const note = React.useId();
  return (
    <>
      <div className="jp-EnvStore-fields">
        <label className="jp-mod-grow">
          {trans.__('Name')}
          <input
            ref={ref}
            className="jp-mod-styled"
            data-testid="envstore:new-name"
            value={name}
            required
            aria-invalid={isBad || Boolean(taken)}
            aria-describedby={note}
            onChange={event => props.setName(event.target.value)}
          />
        </label>
        <label>
          {trans.__('In')}
          <select
            aria-label={trans.__('In')}
            title={namespace}
            value={namespace}
            onChange={event => props.setNamespace(event.target.value)}
          >
            {model.writable.map(found => (
              <option key={found} value={found}>
                {found === model.permissions?.primary_namespace ? trans.__('%1 (you)', found) : found}
              </option>
            ))}
          </select>
        </label>
        <label className="jp-mod-grow">
          {trans.__('Description')}
          <input
            className="jp-mod-styled"
            placeholder={trans.__('optional')}
            value={props.description}
            onChange={event => props.setDescription(event.target.value)}
          />
        </label>
      </div>
      <div id={note} className="jp-EnvStore-nameNote" aria-live="polite">
        {isBad && (
          <span className="jp-EnvStore-error">
            {trans.__('Use at most 64 letters, digits and _ . + -, and begin with a letter or digit.')}
          </span>
        )}
        {taken && (
          <span className="jp-EnvStore-error">
            {trans.__('%1 already has %2:', namespace, taken.name)}{' '}
            <Link onClick={() => commands.execute(CommandIDs.open, { namespace, name: taken.name })}>
              {trans.__('open it')}
            </Link>
            {' · '}
            <Link id="envstore:build-of-taken" onClick={() => props.buildOfTaken(taken)}>
              {trans.__('make a new build of it')}
            </Link>
          </span>
        )}
        {name.trim() && !isBad && !taken && <span className="jp-EnvStore-good">{trans.__('✓ free')}</span>}
      </div>
    </>
  );
});
