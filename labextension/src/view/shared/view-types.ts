import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IPlace } from '../../store/types';
import type { IFileDraft } from './file-draft';

/** The tabs of an environment's view. */
export type Tab = 'packages' | 'specification' | 'builds' | 'artifacts' | 'access';

/** What an environment's view is asked to show. */
export interface IShow {
  tab?: Tab;
  /** Id of a build; undefined leaves the one that is shown. */
  build?: number;
  /** Whether that build was made just now: what was shown before is not shown in its place. */
  isNew?: boolean;
  /** What gets the focus; without it, the tab does. */
  focus?: 'add-package' | 'editor' | 'log' | 'tab';
  /** Ids of two builds. */
  compare?: [number, number];
}

/** What a new environment begins with. */
export interface IStart {
  namespace?: string;
  name?: string;
  text?: string;
  fileName?: string;
  /** What was written before the page was loaded anew is kept under it. */
  restored?: string;
  /** The file that the text came from, with what was chosen of it. */
  file?: IFileDraft;
}

/** The views in the main area. */
export interface IViews {
  /** Open the view of an environment, or turn to it. */
  open(place: IPlace, show?: IShow): Promise<void>;
  /** Open the view that makes an environment. */
  create(start?: IStart): Promise<void>;
  /**
   * Ask before an environment is built without the changes that wait in its open view; false if the user wants to look
   * at them first, which shows them.
   */
  mayBuild(place: IPlace): Promise<boolean>;
  /** Show a text, read-only; one of the same key that is open is turned to. */
  text(title: string, text: string, kind: string, key: string): void;
}

/** Return what a new environment begins with as arguments of a command, which are JSON. */
export function asArgs(start: IStart): ReadonlyPartialJSONObject {
  return JSON.parse(JSON.stringify(start));
}
