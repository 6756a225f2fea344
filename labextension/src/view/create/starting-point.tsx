import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link } from '../../components/buttons';
import { Chip } from '../../components/chip';
import type { IProps } from '../../components/props';
import { acceptedFiles } from '../../lab/file-chooser';
import type { IChecked, IEnvironment } from '../../store/types';
import { ReadFileButton } from '../specification/file-input';
import type { IImport } from '../specification/imported-file';
import type { ICompleter } from '../specification/package-completer';
import { PackageSearch } from '../specification/package-search';
import { nameOf } from '../specification/requirements';
import { LinkField } from './link-field';
import type { Origin } from './new-environment-draft';

interface IChoiceProps extends IProps {
  from: Origin;
  choose: (from: Origin) => void;
}

interface IPackagesProps {
  completer: ICompleter;
  text: string;
  checked: IChecked | null;
  /** Change the packages of the text; false where that was refused. */
  edit: (add: string[], remove: string[]) => Promise<boolean>;
}

/**
 * The start of a new environment: packages, a file or link, or another environment. The fields of the other choices are
 * hidden, and keep their text.
 */
export function StartingPoint(
  props: IChoiceProps &
    IPackagesProps & {
      imported: IImport;
      copyOf: (item: IEnvironment) => void;
    }
): React.ReactElement {
  const { model, trans, from, choose, imported } = props;
  return (
    <>
      <OriginChoice {...props} />
      <ChosenPackages {...props} />
      <div className="jp-EnvStore-drop" hidden={from !== 'file'}>
        <p>
          {trans.__('Drop a file here (%1), or', acceptedFiles(trans))}{' '}
          <ReadFileButton id="envstore:choose-file" imported={imported}>
            {trans.__('Choose…')}
          </ReadFileButton>
        </p>
        <LinkField trans={trans} onLink={imported.readLink} onAsk={() => choose('file')} />
      </div>
      {from === 'copy' && <CopySource model={model} trans={trans} copyOf={props.copyOf} />}
    </>
  );
}

/** Radio buttons for where a new environment starts, and a link that takes the kernel of the notebook in front. */
function OriginChoice(props: IChoiceProps): React.ReactElement {
  const { trans, commands, from, choose } = props;
  const radios = React.useId();
  const origins = [
    ['packages', trans.__('Packages')],
    ['file', trans.__('File or link')],
    ['copy', trans.__('Copy of an environment')]
  ] as const;
  return (
    <fieldset className="jp-EnvStore-radios">
      <legend>{trans.__('Start from')}</legend>
      {origins.map(([key, words]) => (
        <label key={key}>
          <input type="radio" name={radios} checked={from === key} onChange={() => choose(key)} />
          {words}
        </label>
      ))}
      {commands.isEnabled(CommandIDs.fromKernel) && (
        <Link onClick={() => commands.execute(CommandIDs.fromKernel)}>{trans.__("This notebook's kernel")}</Link>
      )}
    </fieldset>
  );
}

/** The packages of the text, and a field that adds more. */
function ChosenPackages(props: IChoiceProps & IPackagesProps): React.ReactElement {
  const { trans, from, choose, checked, edit } = props;
  return (
    <div className="jp-EnvStore-chips" hidden={from !== 'packages'}>
      {checked &&
        [...checked.conda, ...checked.pip.map(line => `pip:${line}`)].map(spec => (
          <Chip key={spec} label={trans.__('Remove %1', spec)} onRemove={() => void edit([], [nameOf(spec)])}>
            {spec}
          </Chip>
        ))}
      <PackageSearch
        completer={props.completer}
        trans={trans}
        specification={props.text}
        onAdd={specs => edit(specs, [])}
        onAsk={() => choose('packages')}
      />
    </div>
  );
}

/** Choose the environment that is copied. */
function CopySource(props: Pick<IProps, 'model' | 'trans'> & { copyOf: (item: IEnvironment) => void }): React.ReactElement {
  const { model, trans } = props;
  return (
    <label className="jp-EnvStore-fields">
      {trans.__('Environment')}
      <select
        defaultValue=""
        onChange={event => {
          const item = model.environments.find(found => String(found.id) === event.target.value);
          if (item) {
            props.copyOf(item);
          }
        }}
      >
        <option value="" disabled>
          {trans.__('Choose…')}
        </option>
        {model.environments.map(item => (
          <option key={item.id} value={String(item.id)}>{`${item.namespace.name}/${item.name}`}</option>
        ))}
      </select>
    </label>
  );
}
