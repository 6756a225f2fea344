import type { TranslationBundle } from '@jupyterlab/translation';
import { LARGE, largeTexts } from '../../storage/large-texts';
import type { EnvStoreModel } from '../../store/model';
import type { IChecked, IOffer, IPick, IPlace } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import { textOfFile, textOfLink } from './file-sources';
import { type IImport, keptOf, NOTHING_FOUND, NOTHING_READ } from './imported-file';
import { withUnixLineEnds } from './line-ends';
import { type IFileReader, isRefused, useFileReader } from './use-file-reader';
import { type IFileState, useFileState } from './use-file-state';

/** Told of each text that a file gives; `again` where only a choice was changed. */
type OnTaken = (found: IChecked, fileName: string, again: boolean, kept: IFileDraft) => void;

/** The file of an import, what reads it, and whoever is told of the texts that it gives. */
interface IImporting {
  state: IFileState;
  reader: IFileReader;
  onTaken: OnTaken;
}

/** Read files, links and texts, repaired where they need it. */
export function useImport(
  model: EnvStoreModel,
  trans: TranslationBundle,
  place: Partial<IPlace>,
  onTaken: OnTaken,
  /** Told where something else was chosen that leaves the text as it is. */
  onKept?: (kept: IFileDraft) => void
): IImport {
  const state = useFileState();
  const reader = useFileReader(model, trans, place);
  const { file, latest, setFile, isUndone } = state;
  const { error, problem } = reader;
  const importing = { state, reader, onTaken };
  const reread = (keep: readonly string[], pick: IPick) => rereadFile(importing, keep, pick);
  const { changes, offer, isLockfile, text, takesNewer, fileName } = file;
  return {
    ...{ fileName, changes, offer, isLockfile, text, takesNewer, isUndone, error, problem },
    ...sourcesOf(importing, trans),
    source: fileName || (file.of ?? ''),
    unkept: state.unkept,
    kept: file.keep,
    open: problem && state.isBad.current ? trans.__('Choose above what to use from %1.', fileName) : null,
    dated: isUndone ? null : file.dated,
    excludeNewer: isUndone || takesNewer ? null : file.dated,
    setTakesNewer: takes => {
      setFile({ ...latest.current, takesNewer: takes });
      onKept?.(keptOf(latest.current));
    },
    choose: pick => reread(file.keep, { ...file.pick, ...pick }),
    again: () => reread(file.keep, file.pick),
    toggle: choice =>
      reread(file.keep.includes(choice) ? file.keep.filter(other => other !== choice) : [...file.keep, choice], file.pick),
    undo: () => {
      state.setUndone(true);
      setFile({ ...file, text: file.content });
      return file.content;
    },
    redo: async () => {
      await reread(file.keep, file.pick);
      return true;
    },
    forget: () => forgetFile(importing),
    restore: kept => restoreFile(importing, kept),
    handOver: () => {
      const { fileName, dated } = latest.current;
      return (fileName || dated) && !isUndone ? keptOf(latest.current) : undefined;
    }
  };
}

/** Return what takes a text: that of a file, of what a link leads to, or one that is given. */
function sourcesOf(importing: IImporting, trans: TranslationBundle): Pick<IImport, 'take' | 'readFile' | 'readLink'> {
  const { setError } = importing.reader;
  const take = (content: string, fileName: string) => takeFile(importing, content, fileName);
  return {
    take,
    readFile: async given => {
      try {
        await take(await textOfFile(given, trans), given.name);
      } catch (reason) {
        setError((reason as Error).message);
      }
    },
    readLink: async address => {
      setError('');
      try {
        const { content, fileName } = await textOfLink(address, trans);
        return await take(content, fileName);
      } catch (reason) {
        setError((reason as Error).message);
        return false;
      }
    }
  };
}

/** Take a text as a new file; false where it cannot be read. */
async function takeFile({ state, reader, onTaken }: IImporting, given: string, fileName: string): Promise<boolean> {
  const content = withUnixLineEnds(given);
  const found = await reader.read(content, fileName);
  if (!found) {
    return false;
  }
  const at = content.length > LARGE ? { at: largeTexts.add(content) } : {};
  const read = { content, ...at, fileName, keep: [], pick: {}, text: found.text, dated: found.exclude_newer, takesNewer: false };
  state.isBad.current = isRefused(found, content);
  state.setFile({ ...read, changes: found.changes, offer: found.offer, isLockfile: found.is_lockfile });
  state.setUndone(false);
  state.setUnkept(null);
  onTaken(found, fileName, false, read);
  void state.watch(read);
  return true;
}

/** Read the same file with other choices. */
async function rereadFile({ state, reader, onTaken }: IImporting, keep: readonly string[], pick: IPick): Promise<void> {
  const { file, latest, show, isBad } = state;
  const before = latest.current;
  const { content, fileName } = before;
  const isOther = pick !== before.pick;
  show({ ...file, keep, pick, offer: { ...file.offer, ...shownOf(pick) } }); // a click is seen at once
  const asked = reader.turn.current + 1;
  const found = await reader.read(content, fileName, keep, pick);
  if (asked !== reader.turn.current) {
    return;
  }
  if (!found || (isOther && !isBad.current && isRefused(found, content))) {
    show(latest.current); // what was taken before stays
    return;
  }
  isBad.current = isRefused(found, content);
  const next = keptOf({ ...latest.current, keep, pick, text: found.text, dated: found.exclude_newer });
  // a change that was left out by choice is not told again: it stays in the list, to be made after all
  const left = before.changes.filter(change => change.choice && keep.includes(change.choice));
  const told = found.changes.filter(change => !left.some(other => other.what === change.what));
  const changes = isOther ? [...told, ...left] : before.changes;
  state.setFile({ ...next, changes, offer: found.offer, isLockfile: found.is_lockfile });
  state.setUndone(false);
  onTaken(found, fileName, true, next);
}

/** Forget the file. */
function forgetFile({ state, reader }: IImporting): void {
  reader.turn.current++;
  state.setFile(NOTHING_READ);
  state.setUndone(false);
  state.setUnkept(null);
  reader.setError('');
  reader.setProblem('');
}

/** Continue with the file of a draft: what it offers is read again, and the text does not change. */
async function restoreFile({ state, reader }: IImporting, kept: IFileDraft): Promise<void> {
  const { latest, setFile, setUnkept, isBad } = state;
  const asked = ++reader.turn.current;
  isBad.current = false;
  setFile({ ...kept, ...NOTHING_FOUND });
  state.setUndone(false);
  setUnkept(null);
  const content = kept.content || (kept.at ? await largeTexts.fetch(kept.at) : '') || '';
  if (asked !== reader.turn.current) {
    return; // something else was taken meanwhile
  }
  if (!content) {
    setUnkept(kept.fileName ? 'gone' : null);
    return;
  }
  setFile({ ...latest.current, content });
  void state.watch(kept);
  const found = await reader.read(content, kept.fileName, [], kept.pick);
  if (found) {
    isBad.current = isRefused(found, content);
    setFile({ ...latest.current, changes: found.changes, offer: found.offer, isLockfile: found.is_lockfile });
  }
}

/** Return what an offer shows while a choice is on its way. */
function shownOf(pick: IPick): Partial<IOffer> {
  return {
    ...(pick.environment ? { environment: pick.environment } : {}),
    ...(pick.categories ? { taken: pick.categories } : {})
  };
}

