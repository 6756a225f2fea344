import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';
import { NoteBox } from '../../components/note-box';
import { DateNote } from './date-note';
import { hasChoice, type IImport } from './imported-file';

/** What an imported file offers, and what is taken of it: an environment, categories, its date. */
export function FileChoice(props: {
  imported: IImport;
  /** The text as it is now: once it was edited, another choice would throw the edits away. */
  text: string;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { imported, trans } = props;
  const { offer, fileName, problem, dated, source, unkept } = imported;
  const edited = props.text !== imported.text;
  const isUnkept = unkept === 'gone' || (unkept === 'too large' && hasChoice(offer));
  if (imported.isUndone || (!hasChoice(offer) && !dated && !isUnkept)) {
    return null;
  }
  const { environments, categories } = offer;
  return (
    <NoteBox className="jp-EnvStore-choice" label={trans.__('What is used from %1', source)}>
      {environments.length > 1 && <EnvironmentChoice {...props} isEdited={edited} />}
      {categories.length > 0 && <CategoryChoice {...props} isEdited={edited} />}
      {problem && (
        <div role="alert" className="jp-EnvStore-error">
          {problem}
        </div>
      )}
      {edited && hasChoice(offer) && (
        <div role="status">
          {trans.__('The text was edited.')}{' '}
          <Link id="envstore:read-again" onClick={imported.again}>
            {trans.__('Drop the edits and read %1 again', fileName)}
          </Link>{' '}
          {trans.__('to choose.')}
        </div>
      )}
      {dated && (
        <DateNote
          dated={dated}
          source={source}
          takesNewer={imported.takesNewer}
          setTakesNewer={imported.setTakesNewer}
          trans={trans}
        />
      )}
      {isUnkept && (
        <div role="status">
          {unkept === 'gone'
            ? trans.__('%1 is not kept in this browser any more. To choose something else from it, import it again.', fileName)
            : trans.__('%1 is too large to be kept in this browser. After a reload, import it again to choose something else from it.', fileName)}
        </div>
      )}
    </NoteBox>
  );
}

interface IChoiceProps {
  imported: IImport;
  /** Whether the text was edited, so that another choice would throw the edits away. */
  isEdited: boolean;
  trans: TranslationBundle;
}

/** Which environment of the file is taken. */
function EnvironmentChoice({ imported, isEdited, trans }: IChoiceProps): React.ReactElement {
  const { offer, fileName } = imported;
  const { environments } = offer;
  return (
    <label>
      <span>{trans.__('Environment of %1', fileName)}</span>
      <select
        data-testid="envstore:file-environment"
        value={offer.environment}
        disabled={isEdited}
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
  );
}

/** Which categories of a lockfile, or groups and extras, are taken. */
function CategoryChoice({ imported, isEdited, trans }: IChoiceProps): React.ReactElement {
  const { fileName, isLockfile } = imported;
  const { categories, taken } = imported.offer;
  return (
    <fieldset disabled={isEdited} data-testid="envstore:file-categories">
      <legend>
        {isLockfile
          ? trans.__('Categories of %1', fileName)
          : trans.__('Groups and extras of %1, in addition to its required packages', fileName)}
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
  );
}
