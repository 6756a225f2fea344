import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../components/basics';
import { hasChoice, type IImport } from './import';

/** What an imported file offers, and what is taken of it: an environment, categories, its date. */
export function FileChoice(props: {
  imported: IImport;
  /** The text as it is now: once it was edited, another choice would throw the edits away. */
  text: string;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { imported, trans } = props;
  const { offer, fileName, problem, dated, isLockfile } = imported;
  const edited = props.text !== imported.text;
  if (imported.isUndone || (!hasChoice(offer) && !dated)) {
    return null;
  }
  const { environments, categories, taken } = offer;
  return (
    <div className="jp-EnvStore-choice" role="group" aria-label={trans.__('What is taken of %1', fileName)}>
      {environments.length > 1 && (
        <label>
          <span>{trans.__('Environment of %1', fileName)}</span>
          <select
            data-testid="envstore:file-environment"
            value={offer.environment}
            disabled={edited}
            title={offer.environment}
            onChange={event => void imported.choose({ environment: event.target.value })}
          >
            {!offer.environment && <option value="">{trans.__('Choose…')}</option>}
            {environments.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          <span className="jp-EnvStore-sub">{trans.__('one of %1', environments.length)}</span>
        </label>
      )}
      {categories.length > 0 && (
        <fieldset disabled={edited} data-testid="envstore:file-categories">
          <legend>
            {isLockfile
              ? trans.__('Categories of %1', fileName)
              : trans.__('Groups and extras of %1, beside what it always asks for', fileName)}
          </legend>
          <div>
            {categories.map(name => {
              const last = isLockfile && taken.length === 1 && taken[0] === name;
              return (
                <label key={name} title={last ? trans.__('A lockfile needs one category') : name}>
                  <input
                    type="checkbox"
                    checked={taken.includes(name)}
                    aria-disabled={last}
                    onChange={() =>
                      last ||
                      void imported.choose({
                        categories: categories.filter(other => (other === name) !== taken.includes(other))
                      })
                    }
                  />
                  <span>{name}</span>
                </label>
              );
            })}
          </div>
        </fieldset>
      )}
      {problem && (
        <div role="alert" className="jp-EnvStore-error">
          {problem}
        </div>
      )}
      {edited && hasChoice(offer) && (
        <div role="status">
          {trans.__('The text was edited since.')}{' '}
          <Link id="envstore:read-again" onClick={imported.again}>
            {trans.__('Drop the edits and read %1 again', fileName)}
          </Link>{' '}
          {trans.__('to choose.')}
        </div>
      )}
      {dated && (
        <div role="status">
          {imported.takesNewer
            ? trans.__('The date %1 of %2 (exclude-newer) does not count.', dated, fileName)
            : trans.__('Packages uploaded after %1 are left out, as %2 says (exclude-newer).', dated, fileName)}{' '}
          <Link id="envstore:take-newer" onClick={() => imported.setTakesNewer(!imported.takesNewer)}>
            {imported.takesNewer ? trans.__('Leave newer ones out') : trans.__('Take newer ones too')}
          </Link>
        </div>
      )}
    </div>
  );
}
