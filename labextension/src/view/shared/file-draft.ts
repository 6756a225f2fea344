import type { IPick } from '../../store/types';

/** A file that was imported, as a draft keeps it. */
export interface IFileDraft {
  content: string;
  /** The key of the content in the storage of large texts; for small files, the content is in the draft. */
  at?: string;
  fileName: string;
  /** What the date belongs to if there is no file: a build, in words. */
  of?: string;
  /** Names of the changes that are not made. */
  keep: readonly string[];
  pick: IPick;
  /** The text that the last import gave, to tell whether it was edited since then. */
  text: string;
  /** Packages uploaded later are left out of a build, as the file says. */
  dated: string | null;
  /** Whether the date of the file is ignored. */
  takesNewer: boolean;
}
