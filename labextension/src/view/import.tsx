import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { MAX_FILE, acceptedFiles } from '../commands/files';
import { LARGE, largeTexts } from '../components/texts';
import type { EnvStoreModel } from '../model';
import { size } from '../status';
import { withPlainLines } from './lines';
import type { IBuild, IChecked, IOffer, IPick, IPlace, ITextChange } from '../types';

const BINARY = /^(%PDF|PK\x03|.PNG|\x1f)|\0/;

/** What was read, as a draft keeps it. */
export interface IKeptFile {
  content: string;
  /** What the content is kept as, where it is large: a draft has it not beside the text. */
  at?: string;
  fileName: string;
  /** What the date is of where it is of no file: a build, in words. */
  of?: string;
  /** Choices whose changes are not made. */
  keep: readonly string[];
  pick: IPick;
  /** What the file gave last, to tell whether it was edited since then. */
  text: string;
  /** Packages uploaded later are left out of a build, as the file says. */
  dated: string | null;
  /** Whether the date of the file does not count. */
  takesNewer: boolean;
}

/** A file that was read, and what was changed in it so that it can be built. */
export interface IImport {
  /** What the file is called; empty without one. */
  fileName: string;
  /** What was read, or what its date is of, in words. */
  source: string;
  /** Whether a large file is not kept in this browser, so that another choice needs it again: not any more, or never. */
  unkept: 'gone' | 'too large' | null;
  /** All changes that were made at first. */
  changes: readonly ITextChange[];
  /** Choices whose changes are not made. */
  kept: readonly string[];
  error: string;
  /** What the file has to choose from, and what is taken of it. */
  offer: IOffer;
  /** Whether it is a lockfile, which has packages of one category at least. */
  isLockfile: boolean;
  /** Why a choice cannot be taken; the one before it is still there. */
  problem: string;
  /** Words where nothing can be taken of the file before something is chosen. */
  open: string | null;
  /** Take something else of the file. */
  choose: (pick: IPick) => Promise<void>;
  /** Read the file again with the choices as they are; edits are dropped. */
  again: () => Promise<void>;
  /** The date of the file, and whether it counts. */
  dated: string | null;
  takesNewer: boolean;
  setTakesNewer: (takes: boolean) => void;
  /** The date that counts for a build and its preview. */
  excludeNewer: string | null;
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
  /** Go on with a file that a draft kept; the text is not touched. */
  restore: (kept: IKeptFile) => Promise<void>;
  /** What the file gave last, to tell whether it was edited since then. */
  text: string;
  /** The file with its choices, for another view that goes on with it; none where there is none, or it was undone. */
  handOver: () => IKeptFile | undefined;
}

const NO_OFFER: IOffer = { environments: [], environment: '', categories: [], taken: [] };
const NOTHING_FOUND = { changes: [], offer: NO_OFFER, isLockfile: false };
const NOTHING_READ = {
  content: '',
  fileName: '',
  keep: [],
  pick: {},
  text: '',
  dated: null,
  takesNewer: false,
  ...NOTHING_FOUND
};

/** A file, and what the server found in it. */
type IRead = IKeptFile & Pick<IImport, 'changes' | 'offer' | 'isLockfile'>;

/** Return what a draft keeps of a file. */
function keptOf({ content, at, fileName, of, keep, pick, text, dated, takesNewer }: IKeptFile): IKeptFile {
  return { content, ...(at ? { at } : {}), fileName, ...(of ? { of } : {}), keep, pick, text, dated, takesNewer };
}

/** Return the date of a build as what a text goes on with; nothing where it has none. */
export function dateOf(build: Pick<IBuild, 'exclude_newer' | 'specification'>, of: string): IKeptFile | undefined {
  const text = build.specification?.text ?? '';
  const { content, fileName, keep, pick, takesNewer } = NOTHING_READ;
  return build.exclude_newer ? { content, fileName, of, keep, pick, text, dated: build.exclude_newer, takesNewer } : undefined;
}

/** Read files, links and texts, repaired where they need it. */
export function useImport(
  model: EnvStoreModel,
  trans: TranslationBundle,
  place: Partial<IPlace>,
  /** Told of each text that a file gives; `again` where only a choice was changed. */
  onTaken: (found: IChecked, fileName: string, again: boolean, kept: IKeptFile) => void,
  /** Told where something else was chosen that leaves the text as it is. */
  onKept?: (kept: IKeptFile) => void
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
  const watch = async ({ at }: IKeptFile) => {
    if (at && !(await largeTexts.isStored(at)) && latest.current.at === at) {
      setUnkept('too large');
    }
  };
  const [isUndone, setUndone] = React.useState(false);
  const turn = React.useRef(0);
  const [error, setError] = React.useState('');
  const [problem, setProblem] = React.useState('');
  const { namespace, name } = place;

  /** Have the server read a text; null where something else was asked for meanwhile, or it cannot be read. */
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
      if (!content.trim() || (found.faults.length && BINARY.test(content))) {
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
  const take = async (given: string, fileName: string) => {
    const content = withPlainLines(given);
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
    open: problem && isBad.current ? trans.__('Choose above what is taken of %1.', file.fileName) : null,
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
      if (given.size > MAX_FILE) {
        setError(trans.__('%1 is larger than 4 MB, so it is no environment file.', given.name));
        return;
      }
      const content = await given.text();
      if (BINARY.test(content)) {
        const kind = content.startsWith('%PDF') ? trans.__('PDF') : trans.__('no text');
        setError(
          trans.__(
            '%1 is not an environment file (%2, %3). Accepted: %4.',
            given.name,
            kind,
            size(given.size),
            acceptedFiles(trans)
          )
        );
        return;
      }
      await take(content, given.name);
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

/** Whether a file has something to choose from. */
export function hasChoice(offer: IOffer): boolean {
  return offer.environments.length > 1 || offer.categories.length > 0;
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
