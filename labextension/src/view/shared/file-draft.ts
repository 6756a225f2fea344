import type { IPick } from '../../store/types';

/** What was read, as a draft keeps it. */
export interface IFileDraft {
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
