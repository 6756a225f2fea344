import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { MAX_FILE } from '../commands/files';
import { Link } from '../components/basics';
import type { EnvStoreModel } from '../model';
import { size } from '../status';
import { withPlainLines } from './lines';
import type { IChecked, IPlace, ITextChange } from '../types';

const BINARY = /^(%PDF|PK\x03|.PNG|\x1f)|\0/;

/** A file that was read, and what was changed in it so that it can be built. */
export interface IImport {
  /** All changes that were made at first. */
  changes: readonly ITextChange[];
  /** Choices whose changes are not made. */
  kept: readonly string[];
  error: string;
  /** Read a text; what comes of it is handed on. False where it is none that can be read. */
  take: (content: string, fileName: string) => Promise<boolean>;
  readFile: (file: File) => Promise<void>;
  /** Read what a link leads to; false where that was not possible. */
  readLink: (address: string) => Promise<boolean>;
  /** Make the changes of a choice, or leave them. */
  toggle: (choice: string) => Promise<void>;
  /** Return the text as it was, without the changes. */
  undo: () => string;
  /** Whether that was done, and nothing else since. */
  isUndone: boolean;
  /** Make the changes after all. */
  redo: () => Promise<boolean>;
  /** Forget the file: something else is done now. */
  forget: () => void;
  /** What the file gave last, to tell whether it was edited since then. */
  text: string;
}

/** Read files, links and texts, repaired where they need it. */
export function useImport(
  model: EnvStoreModel,
  trans: TranslationBundle,
  place: Partial<IPlace>,
  /** Told of each text that a file gives; `again` where only a choice was changed. */
  onTaken: (found: IChecked, fileName: string, again: boolean) => void
): IImport {
  const [source, setSource] = React.useState({ content: '', fileName: '' });
  const [changes, setChanges] = React.useState<readonly ITextChange[]>([]);
  const [kept, setKept] = React.useState<readonly string[]>([]);
  const [text, setText] = React.useState('');
  const [isUndone, setUndone] = React.useState(false);
  const turn = React.useRef(0);
  const [error, setError] = React.useState('');
  const { namespace, name } = place;

  const read = async (content: string, fileName: string, keep: readonly string[]): Promise<IChecked | null> => {
    setError('');
    try {
      const where = { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
      const found = await model.api.check(content, where, fileName, keep);
      if (!content.trim() || (found.faults.length && BINARY.test(content))) {
        setError(found.faults[0]?.message ?? trans.__('%1 is empty.', fileName));
        return null;
      }
      return found;
    } catch (reason) {
      setError((reason as Error).message);
      return null;
    }
  };
  const take = async (given: string, fileName: string) => {
    const content = withPlainLines(given);
    const found = await read(content, fileName, []);
    if (found) {
      setSource({ content, fileName });
      setChanges(found.changes);
      setKept([]);
      setUndone(false);
      setText(found.text);
      onTaken(found, fileName, false);
    }
    return found !== null;
  };
  return {
    changes,
    kept,
    error,
    take,
    readFile: async file => {
      if (file.size > MAX_FILE) {
        setError(trans.__('%1 is larger than 4 MB, so it is no environment file.', file.name));
        return;
      }
      const content = await file.text();
      if (BINARY.test(content)) {
        const kind = content.startsWith('%PDF') ? trans.__('PDF') : trans.__('no text');
        const accepted = 'environment.yml, conda-lock.yml, requirements.txt, pixi.toml, explicit list';
        setError(
          trans.__('%1 is not an environment file (%2, %3). Accepted: %4.', file.name, kind, size(file.size), accepted)
        );
        return;
      }
      await take(content, file.name);
    },
    readLink: async address => {
      setError('');
      try {
        const answer = await fetch(new URL(address), { credentials: 'omit' });
        if (!answer.ok) {
          throw new Error(`${answer.status} ${answer.statusText}`);
        }
        return await take(await answer.text(), new URL(address).pathname.split('/').pop() || 'environment.yml');
      } catch (reason) {
        const why = reason instanceof TypeError ? '' : ` (${(reason as Error).message})`; // a browser tells no reason
        setError(trans.__('The link cannot be read from this page%1. Download the file and import it.', why));
        return false;
      }
    },
    toggle: async choice => {
      const keep = kept.includes(choice) ? kept.filter(other => other !== choice) : [...kept, choice];
      setKept(keep);
      const asked = ++turn.current;
      const found = await read(source.content, source.fileName, keep);
      if (found && asked === turn.current) {
        setText(found.text);
        onTaken(found, source.fileName, true);
      }
    },
    undo: () => {
      setUndone(true);
      setText(source.content);
      return source.content;
    },
    isUndone,
    redo: () => take(source.content, source.fileName),
    forget: () => {
      setChanges([]);
      setUndone(false);
      setError('');
    },
    text
  };
}

/** What was changed in a file, each with the way to have it otherwise. */
export function Imported(props: {
  imported: IImport;
  /** The text as it is now: once it was edited, choices would throw the edits away. */
  text: string;
  trans: TranslationBundle;
  onUndo: (text: string) => void;
}): React.ReactElement | null {
  const { imported, trans } = props;
  const { changes, kept } = imported;
  if (changes.length === 0) {
    return null;
  }
  if (imported.isUndone) {
    return props.text === imported.text ? (
      <div className="jp-EnvStore-notes" role="status">
        {trans.__('The file stands as it was.')}{' '}
        <Link id="envstore:redo-import" onClick={imported.redo}>
          {trans.__('Make the changes after all')}
        </Link>
      </div>
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
    <div className="jp-EnvStore-notes" role="status">
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
    </div>
  );
}
