import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link } from '../../components/buttons';
import type { IProps } from '../../components/props';
import type { IEnvironment } from '../../store/types';
import { leaveDraft } from '../specification/drafts';
import { BASE } from './new-environment-fields';
import type { INameVerdict } from './new-environment-name';
import type { INewEnvironment } from './use-new-environment';

/** What a new environment is called, where it belongs and what it is for. */
export const NameFields = React.forwardRef<
  HTMLInputElement,
  IProps & {
    draft: INewEnvironment;
    verdict: INameVerdict;
  }
>(function NameFields(props, ref): React.ReactElement {
  const { model, trans, draft, verdict } = props;
  const { target: namespace } = draft;
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
            value={draft.name}
            required
            aria-invalid={verdict.isBad || Boolean(verdict.taken)}
            aria-describedby={note}
            onChange={event => {
              draft.isTyped.current = event.target.value !== '';
              draft.setName(event.target.value);
            }}
          />
        </label>
        <label>
          {trans.__('In')}
          <select
            aria-label={trans.__('In')}
            title={namespace}
            value={namespace}
            onChange={event => draft.setNamespace(event.target.value)}
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
            value={draft.description}
            onChange={event => draft.setDescription(event.target.value)}
          />
        </label>
      </div>
      <NameNote {...props} id={note} />
    </>
  );
});

/** What is to be said of the name; where it is taken, the ways on. */
function NameNote(
  props: IProps & { id: string; draft: INewEnvironment; verdict: INameVerdict }
): React.ReactElement {
  const { trans, commands, draft, verdict } = props;
  const { target: namespace, text, imported } = draft;
  const { isEmpty, isBad, taken } = verdict;
  const buildOfTaken = (item: IEnvironment) => {
    if (text.trim() && text !== BASE) {
      leaveDraft(item, text, imported.handOver());
    }
    void commands.execute(CommandIDs.open, { namespace, name: item.name, tab: 'specification' });
  };
  return (
    <div id={props.id} className="jp-EnvStore-nameNote" aria-live="polite">
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
          <Link id="envstore:build-of-taken" onClick={() => buildOfTaken(taken)}>
            {trans.__('make a new build of it')}
          </Link>
        </span>
      )}
      {!isEmpty && !isBad && !taken && <span className="jp-EnvStore-good">{trans.__('✓ free')}</span>}
    </div>
  );
}
