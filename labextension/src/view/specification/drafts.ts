import * as React from 'react';
import { browserStorage, environmentKey } from '../../storage/browser-storage';
import type { IBuild, IEnvironment } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import { withoutLargeContent } from './imported-file';

/** A text that was changed and not built yet. */
export interface IDraft {
  text: string;
  /** Number of the build that the draft began with. */
  number: number;
  /** Whether that build was the active one. */
  wasActive: boolean;
  /** Id of the newest build when the draft began, or when the user last said that newer ones do not matter. */
  base: number;
  /** The file that the text came from, to choose something else of it. */
  file?: IFileDraft;
}

/** The drafts of an environment, kept in this browser: one for each build that was changed. */
export interface IDrafts {
  /** The one of the build that is shown. */
  draft: IDraft | null;
  /** If the draft is shown with a newer active build: number of the build that the draft began with. */
  followedFrom: number | null;
  /** Whether the browser has room for them. */
  isStored: boolean;
  /** Those of other builds, by their ids. */
  others: readonly [number, IDraft][];
  /** Keep a text as the draft, or drop it (null); with the file that it came from, or none any more (null). */
  keep: (text: string | null, file?: IFileDraft | null) => void;
  /** Return a function that restores the draft as it is now. */
  snapshot: () => () => void;
  /** Keep the draft although another build was made or activated since then. */
  keepMine: () => void;
  /** Show another build's draft with the build that is shown. */
  open: (id: number) => void;
}

function stored(key: string): Record<number, IDraft> {
  const found = browserStorage.fetch(key) as Record<number, IDraft> | undefined;
  return Object.fromEntries(
    Object.entries(found ?? {}).filter(([, draft]) => typeof draft?.text === 'string' && draft.number)
  );
}

/** Keep a text as the draft of an environment's newest build, for a view that is opened then. */
export function leaveDraft(item: IEnvironment, text: string, file?: IFileDraft): void {
  const build = item.current_build ?? item.newest_build;
  if (build) {
    const key = environmentKey('draft', item);
    const base = item.newest_build_id ?? build.id;
    const draft: IDraft = { text, number: build.number, wasActive: true, base, ...(file ? { file: withoutLargeContent(file) } : {}) };
    browserStorage.save(key, { ...stored(key), [build.id]: draft });
  }
}

/**
 * Keep the drafts of an environment. A draft is shown with its build. If it began with the active build, it is also
 * shown with the next active build, so that nobody loses their text because somebody else built.
 */
export function useDrafts(item: IEnvironment, build: IBuild): IDrafts {
  const key = environmentKey('draft', item);
  const [drafts, setDrafts] = React.useState<Readonly<Record<number, IDraft>>>(() => stored(key));
  const [isStored, setStored] = React.useState(true);
  const [opened, setOpened] = React.useState<{ id: number; beside: number } | null>(null);
  React.useEffect(() => setDrafts(stored(key)), [key]);
  const shownKey = React.useRef<string | null>(key);
  shownKey.current = key;
  React.useEffect(
    () => () => {
      shownKey.current = null;
    },
    []
  );

  const entries = Object.entries(drafts).map(([id, draft]): [number, IDraft] => [Number(id), draft]);
  const followed = build.active ? entries.filter(([, draft]) => draft.wasActive).pop() : undefined;
  const shown = opened?.beside === build.id && opened.id in drafts ? opened.id : build.id in drafts ? build.id : followed?.[0];
  const draft = shown === undefined ? null : drafts[shown]!;
  const save = (next: Record<number, IDraft>) => {
    if (shownKey.current === key) {
      setDrafts(next);
    }
    setStored(browserStorage.save(key, Object.keys(next).length ? next : null));
  };
  const base = item.newest_build_id ?? build.id;
  return {
    draft,
    isStored,
    followedFrom: draft && shown !== build.id && opened?.id !== shown ? draft.number : null,
    others: entries.filter(([id]) => id !== shown),
    keep: (text, given) => {
      const { [shown ?? build.id]: old, ...rest } = drafts;
      const begun = old ?? { number: build.number, wasActive: build.active || !item.active, base };
      const { file: kept, ...others } = begun as Partial<IDraft> & typeof begun;
      const file = given === undefined ? kept : given && withoutLargeContent(given);
      save(text === null ? rest : { ...rest, [shown ?? build.id]: { ...others, text, ...(file ? { file } : {}) } });
    },
    snapshot: () => {
      const id = shown ?? build.id;
      return () => {
        const next = stored(key);
        delete next[id];
        save(draft ? { ...next, [id]: draft } : next);
      };
    },
    keepMine: () => {
      if (draft && shown !== undefined) {
        const mine = build.active ? { id: build.id, number: build.number } : { id: shown, number: draft.number };
        const rest = entries.filter(([id]) => id !== shown);
        save(Object.fromEntries([...rest, [mine.id, { ...draft, number: mine.number, base }]]));
      }
    },
    open: id => setOpened({ id, beside: build.id })
  };
}

