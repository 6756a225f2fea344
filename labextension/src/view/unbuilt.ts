import { browserStorage } from '../components/storage';
import type { From } from './begin';
import { fitting } from './drafts';
import type { IKeptFile } from './import';

/** What is written of an environment that is not there yet: kept in this browser until it is built or discarded. */
export interface IUnbuilt {
  name: string;
  /** Whether somebody typed the name. */
  isTyped: boolean;
  namespace: string;
  description: string;
  from: From;
  text: string;
  /** What nobody typed: it can be had again. */
  given: { text: string; description: string };
  /** The file that the text came from, to choose something else of it. */
  file?: IKeptFile;
}

/** Return what is kept for a view; undefined where there is nothing. */
export function unbuilt(key: string): IUnbuilt | undefined {
  const found = browserStorage.fetch(`new:${key}`) as IUnbuilt | undefined;
  return typeof found?.text === 'string' && typeof found.given?.text === 'string' ? found : undefined;
}

/** Keep what is written in a view, or drop it (null). False where the browser has no room for it. */
export function keepUnbuilt(key: string, written: IUnbuilt | null): boolean {
  return browserStorage.save(`new:${key}`, written && { ...written, ...(written.file ? { file: fitting(written.file) } : {}) });
}
