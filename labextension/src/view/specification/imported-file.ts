import type { IBuild, IOffer, IPick, ITextChange } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
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
  /** Names of the changes that are not made. */
  kept: readonly string[];
  error: string;
  /** What the file has to choose from, and what is taken of it. */
  offer: IOffer;
  /** Whether it is a lockfile, which has packages of one category at least. */
  isLockfile: boolean;
  /** Why a choice cannot be taken; the one before it is still there. */
  problem: string;
  /** A message if something must be chosen before the file can be used. */
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
  /** Forget the file. */
  forget: () => void;
  /** Continue with the file of a draft; the text does not change. */
  restore: (kept: IFileDraft) => Promise<void>;
  /** The text that the last import gave, to tell whether it was edited since then. */
  text: string;
  /** The file with its choices, for another view that goes on with it; none where there is none, or it was undone. */
  handOver: () => IFileDraft | undefined;
}
const NO_OFFER: IOffer = { environments: [], environment: '', categories: [], taken: [] };
export const NOTHING_FOUND = { changes: [], offer: NO_OFFER, isLockfile: false };
export const NOTHING_READ = {
  content: '',
  fileName: '',
  keep: [],
  pick: {},
  text: '',
  dated: null,
  takesNewer: false,
  ...NOTHING_FOUND
};
/** Return what a draft keeps of a file. */
export function keptOf({ content, at, fileName, of, keep, pick, text, dated, takesNewer }: IFileDraft): IFileDraft {
  return { content, ...(at ? { at } : {}), fileName, ...(of ? { of } : {}), keep, pick, text, dated, takesNewer };
}
/** Return the date of a build in the form of a file's draft; undefined if it has none. */
export function dateOf(build: Pick<IBuild, 'exclude_newer' | 'specification'>, of: string): IFileDraft | undefined {
  const text = build.specification?.text ?? '';
  const { content, fileName, keep, pick, takesNewer } = NOTHING_READ;
  return build.exclude_newer ? { content, fileName, of, keep, pick, text, dated: build.exclude_newer, takesNewer } : undefined;
}
/** Whether a file has something to choose from. */
export function hasChoice(offer: IOffer): boolean {
  return offer.environments.length > 1 || offer.categories.length > 0;
}
/** Return a file as a draft keeps it: without its content if that is large. */
export function withoutLargeContent(file: IFileDraft): IFileDraft {
  return file.at ? { ...file, content: '' } : file;
}
