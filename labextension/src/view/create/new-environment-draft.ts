import { browserStorage } from '../../storage/browser-storage';
import type { IFileDraft } from '../shared/file-draft';
import { withoutLargeContent } from '../specification/imported-file';

/** What a new environment begins with. */
export type Origin = 'packages' | 'file' | 'copy';

/** What is written of an environment that is not there yet: kept in this browser until it is built or discarded. */
export interface INewDraft {
  name: string;
  /** Whether somebody typed the name. */
  isTyped: boolean;
  namespace: string;
  description: string;
  from: Origin;
  text: string;
  /** The text and description that were given, not typed by the user. */
  given: { text: string; description: string };
  /** The file that the text came from, to choose something else of it. */
  file?: IFileDraft;
}

/** Return what is kept for a view; undefined where there is nothing. */
export function loadNewDraft(key: string): INewDraft | undefined {
  const found = browserStorage.fetch(`new:${key}`) as INewDraft | undefined;
  return typeof found?.text === 'string' && typeof found.given?.text === 'string' ? found : undefined;
}

/** Keep what is written in a view, or drop it (null). False where the browser has no room for it. */
export function saveNewDraft(key: string, written: INewDraft | null): boolean {
  return browserStorage.save(`new:${key}`, written && { ...written, ...(written.file ? { file: withoutLargeContent(written.file) } : {}) });
}
