import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { IconButton, Link, TextButton } from '../../components/buttons';
import type { IProps } from '../../components/props';
import { acceptedFiles, chooseFile } from '../../lab/file-chooser';
import type { IChecked, IEnvironment } from '../../store/types';
import type { IImport } from '../specification/imported-file';
import type { ICompleter } from '../specification/package-completer';
import { PackageSearch } from '../specification/package-search';
import { nameOf } from '../specification/requirements';
import { LinkField } from './link-field';

/** What a new environment begins with. */
export type Origin = 'packages' | 'file' | 'copy';

/**
 * The start of a new environment: packages, a file or link, or another environment. The fields of the other choices are
 * hidden, and keep their text.
 */
export function StartingPoint(
  props: IProps & {
    completer: ICompleter;
    from: Origin;
    choose: (from: Origin) => void;
    text: string;
    checked: IChecked | null;
    imported: IImport;
    /** Change the packages of the text; false where that was refused. */
    edit: (add: string[], remove: string[]) => Promise<boolean>;
    copyOf: (item: IEnvironment) => void;
  }
): React.ReactElement {
  const { model, trans, commands, from, choose, checked, imported, edit } = props;
  const radios = React.useId();
  return (
    <>
      <fieldset className="jp-EnvStore-radios">
        <legend>{trans.__('Start from')}</legend>
        {(
          [
            ['packages', trans.__('Packages')],
            ['file', trans.__('File or link')],
            ['copy', trans.__('Copy of an environment')]
          ] as const
        ).map(([key, words]) => (
          <label key={key}>
            <input type="radio" name={radios} checked={from === key} onChange={() => choose(key)} />
            {words}
          </label>
        ))}
        {commands.isEnabled(CommandIDs.fromKernel) && (
          <Link onClick={() => commands.execute(CommandIDs.fromKernel)}>{trans.__("This notebook's kernel")}</Link>
        )}
      </fieldset>
      <div className="jp-EnvStore-chips" hidden={from !== 'packages'}>
        {checked &&
          [...checked.conda, ...checked.pip.map(line => `pip:${line}`)].map(spec => (
            <span key={spec} className="jp-EnvStore-chip">
              {spec}
              <IconButton
                icon={closeIcon}
                label={trans.__('Remove %1', spec)}
                onClick={() => void edit([], [nameOf(spec)])}
              />
            </span>
          ))}
        <PackageSearch
          completer={props.completer}
          trans={trans}
          specification={props.text}
          onAdd={specs => edit(specs, [])}
          onAsk={() => choose('packages')}
        />
      </div>
      <div className="jp-EnvStore-drop" hidden={from !== 'file'}>
        <p>
          {trans.__('Drop a file here (%1), or', acceptedFiles(trans))}{' '}
          <TextButton
            id="envstore:choose-file"
            onClick={async () => {
              const file = await chooseFile();
              if (file) {
                await imported.readFile(file);
              }
            }}
          >
            {trans.__('Choose…')}
          </TextButton>
        </p>
        <LinkField trans={trans} onLink={imported.readLink} onAsk={() => choose('file')} />
      </div>
      {from === 'copy' && (
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
      )}
    </>
  );
}
