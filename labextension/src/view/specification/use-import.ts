import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { LARGE, largeTexts } from '../../storage/large-texts';
import type { EnvStoreModel } from '../../store/model';
import type { IChecked, IOffer, IPick, IPlace } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import { isBinary, textOfFile, textOfLink } from './file-sources';
import { hasChoice, type IImport, keptOf, NOTHING_FOUND, NOTHING_READ } from './imported-file';
import { withUnixLineEnds } from './line-ends';

/** A file, and what the server found in it. */
type IRead = IFileDraft & Pick<IImport, 'changes' | 'offer' | 'isLockfile'>;

/** Read files, links and texts, repaired where they need it. */
export function useImport(
  model: EnvStoreModel,
  trans: TranslationBundle,
  place: Partial<IPlace>,
  /** Told of each text that a file gives; `again` where only a choice was changed. */
  onTaken: (found: IChecked, fileName: string, again: boolean, kept: IFileDraft) => void,
  /** Told where something else was chosen that leaves the text as it is. */
  onKept?: (kept: IFileDraft) => void
): IImport {
  const [file, show] = React.useState<IRead>(NOTHING_READ);
  /** What was taken last; a choice that is on its way is shown, and not here yet. */
  const latest = React.useRef(file);
  /** Whether nothing of the file could be taken yet. */
  const isBad = React.useRef(false);
  const setFile = (next: IRead) => {
    latest.current = next;
    show(next);
  };
  const [unkept, setUnkept] = React.useState<IImport['unkept']>(null);
  /** Tell where a large file will not be there after a reload. */
  const watch = async ({ at }: IFileDraft) => {
    if (at && !(await largeTexts.isStored(at)) && latest.current.at === at) {
      setUnkept('too large');
    }
  };
  const [isUndone, setUndone] = React.useState(false);
  const { read, turn, error, setError, problem, setProblem } = useReader(model, trans, place);

  const take = async (given: string, fileName: string) => {
    const content = withUnixLineEnds(given);
    const found = await read(content, fileName);
    if (found) {
      const at = content.length > LARGE ? { at: largeTexts.add(content) } : {};
      const read = { content, ...at, fileName, keep: [], pick: {}, text: found.text, dated: found.exclude_newer, takesNewer: false };
      isBad.current = isRefused(found, content);
      setFile({ ...read, changes: found.changes, offer: found.offer, isLockfile: found.is_lockfile });
      setUndone(false);
      setUnkept(null);
      onTaken(found, fileName, false, read);
      void watch(read);
    }
    return found !== null;
  };
  /** Read the same file with other choices. */
  const reread = async (keep: readonly string[], pick: IPick) => {
    const before = latest.current;
    const { content, fileName } = before;
    const isOther = pick !== before.pick;
    show({ ...file, keep, pick, offer: { ...file.offer, ...shownOf(pick) } }); // a click is seen at once
    const asked = turn.current + 1;
    const found = await read(content, fileName, keep, pick);
    if (asked !== turn.current) {
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
    const shown = isOther ? [...told, ...left] : before.changes;
    setFile({ ...next, changes: shown, offer: found.offer, isLockfile: found.is_lockfile });
    setUndone(false);
    onTaken(found, fileName, true, next);
  };
  return {
    fileName: file.fileName,
    source: file.fileName || (file.of ?? ''),
    unkept,
    changes: file.changes,
    kept: file.keep,
    error,
    offer: file.offer,
    isLockfile: file.isLockfile,
    problem,
    open: problem && isBad.current ? trans.__('Choose above what to use from %1.', file.fileName) : null,
    choose: pick => reread(file.keep, { ...file.pick, ...pick }),
    again: () => reread(file.keep, file.pick),
    dated: isUndone ? null : file.dated,
    takesNewer: file.takesNewer,
    setTakesNewer: takesNewer => {
      setFile({ ...latest.current, takesNewer });
      onKept?.(keptOf(latest.current));
    },
    excludeNewer: isUndone || file.takesNewer ? null : file.dated,
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
    },
    toggle: choice =>
      reread(file.keep.includes(choice) ? file.keep.filter(other => other !== choice) : [...file.keep, choice], file.pick),
    undo: () => {
      setUndone(true);
      setFile({ ...file, text: file.content });
      return file.content;
    },
    isUndone,
    redo: async () => {
      await reread(file.keep, file.pick);
      return true;
    },
    forget: () => {
      turn.current++;
      setFile(NOTHING_READ);
      setUndone(false);
      setUnkept(null);
      setError('');
      setProblem('');
    },
    restore: async kept => {
      const asked = ++turn.current;
      isBad.current = false;
      setFile({ ...kept, ...NOTHING_FOUND });
      setUndone(false);
      setUnkept(null);
      const content = kept.content || (kept.at ? await largeTexts.fetch(kept.at) : '') || '';
      if (asked !== turn.current) {
        return; // something else was taken meanwhile
      }
      if (!content) {
        setUnkept(kept.fileName ? 'gone' : null);
        return;
      }
      setFile({ ...latest.current, content });
      void watch(kept);
      const found = await read(content, kept.fileName, [], kept.pick);
      if (found) {
        isBad.current = isRefused(found, content);
        setFile({ ...latest.current, changes: found.changes, offer: found.offer, isLockfile: found.is_lockfile });
      }
    },
    text: file.text,
    handOver: () => {
      const { fileName, dated } = latest.current;
      return (fileName || dated) && !isUndone ? keptOf(latest.current) : undefined;
    }
  };
}

/** Reads files with the help of the server. */
interface IReader {
  /** Have the server read a text; null where something else was asked for meanwhile, or it cannot be read. */
  read: (content: string, fileName: string, keep?: readonly string[], pick?: IPick) => Promise<IChecked | null>;
  /** The number of the last request. */
  turn: React.MutableRefObject<number>;
  /** Why a text cannot be read. */
  error: string;
  setError: (error: string) => void;
  /** Why a choice cannot be taken. */
  problem: string;
  setProblem: (problem: string) => void;
}

/** Let the server read texts; an answer is ignored if another request was sent after it. */
function useReader(model: EnvStoreModel, trans: TranslationBundle, place: Partial<IPlace>): IReader {
  const turn = React.useRef(0);
  const [error, setError] = React.useState('');
  const [problem, setProblem] = React.useState('');
  const { namespace, name } = place;
  const read = async (
    content: string,
    fileName: string,
    keep: readonly string[] = [],
    pick: IPick = {}
  ): Promise<IChecked | null> => {
    setError('');
    setProblem('');
    const asked = ++turn.current;
    try {
      const where = { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
      const found = await model.api.check(content, where, fileName, keep, pick);
      if (asked !== turn.current) {
        return null;
      }
      if (!content.trim() || (found.faults.length && isBinary(content))) {
        setError(found.faults[0]?.message ?? trans.__('%1 is empty.', fileName));
        return null;
      }
      if (hasChoice(found.offer) && isRefused(found, content)) {
        setProblem(found.faults[0]!.message); // what else there is stands beside
      }
      return found;
    } catch (reason) {
      if (asked === turn.current) {
        setError((reason as Error).message);
      }
      return null;
    }
  };
  return { read, turn, error, setError, problem, setProblem };
}

/** Whether nothing of a text could be taken: it came back as it was, with faults. */
function isRefused(found: IChecked, content: string): boolean {
  return found.faults.length > 0 && found.text === content;
}

/** Return what an offer shows while a choice is on its way. */
function shownOf(pick: IPick): Partial<IOffer> {
  return {
    ...(pick.environment ? { environment: pick.environment } : {}),
    ...(pick.categories ? { taken: pick.categories } : {})
  };
}

