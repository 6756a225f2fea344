import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';
import { NoteBox } from '../../components/note-box';
import type { IImport } from './imported-file';

/** What is told of the environment that was taken: it is said where it is chosen. */
const TAKEN = /^(?:environment|project) \S+ of \d+ taken$/;

/** The changes that an import made, each with a link that undoes it. */
export function ImportChanges(props: {
  imported: IImport;
  /** The text as it is now: once it was edited, choices would throw the edits away. */
  text: string;
  trans: TranslationBundle;
  onUndo: (text: string) => void;
}): React.ReactElement | null {
  const { imported, trans } = props;
  const { kept } = imported;
  const changes = imported.changes.filter(({ what }) => imported.offer.environments.length < 2 || !TAKEN.test(what));
  if (changes.length === 0) {
    return null;
  }
  if (imported.isUndone) {
    return props.text === imported.text ? (
      <NoteBox>
        {trans.__('The file is unchanged.')}{' '}
        <Link id="envstore:redo-import" onClick={imported.redo}>
          {trans.__('Make the changes')}
        </Link>
      </NoteBox>
    ) : null;
  }
  const ways: Record<string, string> = {
    defaults: trans.__('keep defaults'),
    builds: trans.__('keep them'),
    foreign: trans.__('keep them'),
    sources: trans.__('keep it'),
    kernel: trans.__('leave out')
  };
  const made = changes.filter(change => !kept.includes(change.choice)).length;
  return (
    <NoteBox className="jp-EnvStore-made">
      {trans._n('%1 change was made', '%1 changes were made', made)}{' '}
      <Link id="envstore:undo-import" onClick={() => props.onUndo(imported.undo())}>
        {trans.__('Undo all')}
      </Link>
      <ul>
        {changes.map(change => {
          const isKept = kept.includes(change.choice);
          return (
            <li key={change.what} className={isKept ? 'jp-mod-removed' : ''}>
              {isKept ? '–' : '✓'} <span>{change.what}</span> <span className="jp-EnvStore-sub">{change.why}</span>{' '}
              {change.choice && props.text === imported.text && (
                <Link
                  label={isKept ? trans.__('Change it after all: %1', change.what) : `${change.what}: ${ways[change.choice]}`}
                  onClick={() => imported.toggle(change.choice)}
                >
                  {isKept ? trans.__('change it after all') : ways[change.choice] ?? trans.__('leave it')}
                </Link>
              )}
            </li>
          );
        })}
      </ul>
    </NoteBox>
  );
}
