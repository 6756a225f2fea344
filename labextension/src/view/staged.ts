import type { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';
import { useLoaded } from '../components/hooks';
import type { IContent, IPlace } from '../types';

const STAGED = 'jupyter-envstore:staged:';
const NOTHING: IStaged = { add: [], remove: [] };
const SPEC = /^(pip:|[\w./:-]+::)?[A-Za-z0-9_][\w.-]*(\[[^\]]*\])?\s*([<>=!~ ].*)?$/;

/** Changes that are gathered and not built yet. */
export interface IStaged {
  add: string[];
  remove: string[];
  /** The build that they were begun on. */
  begun?: { id: number; number: number };
}

/** Return changes that are gathered; they are kept in this browser until they are built or discarded. */
export function useStaged(
  state: IStateDB | null,
  place: IPlace
): [IStaged, React.Dispatch<React.SetStateAction<IStaged>>] {
  const key = `${STAGED}${place.namespace}/${place.name}`;
  const [staged, setStaged] = React.useState<IStaged>(NOTHING);
  const stored = useLoaded(state ? () => state.fetch(key) : null, [key]);
  React.useEffect(() => {
    const found = stored.value as unknown as IStaged | undefined;
    if (Array.isArray(found?.add) && Array.isArray(found.remove)) {
      setStaged(old => (old === NOTHING ? found : old));
    }
  }, [stored.value]);
  React.useEffect(() => {
    if (staged !== NOTHING) {
      const empty = !staged.add.length && !staged.remove.length;
      void (empty ? state?.remove(key) : state?.save(key, staged as any));
    }
  }, [staged, state, key]);
  return [staged, setStaged];
}

/** Whether a text can name a package, perhaps with bounds, a channel or `pip:`; the server knows for sure. */
export function isSpec(text: string): boolean {
  return SPEC.test(text);
}

/** Return a staged line in the words of a change: `↑ numpy 1.26.4 → 2.1.0` for a package that is there, `+ seaborn` else. */
export function stagedWords(spec: string, contents: readonly IContent[]): string {
  const manager = spec.startsWith('pip:') ? 'pip' : 'conda';
  const [, name = '', bound = ''] = /^([\w.-]+)(.*)$/.exec(spec.replace(/^pip:/, '').split('::').pop() ?? '') ?? [];
  const known = contents.find(found => found.name.toLowerCase() === name.toLowerCase() && found.manager === manager);
  if (!known) {
    return `+ ${spec}`;
  }
  const exact = /^==?\s*([0-9][\w.!+-]*)$/.exec(bound.trim())?.[1];
  const arrow = exact ? (isNewer(exact, known.version) ? '↑' : '↓') : '±';
  return `${arrow} ${known.name} ${known.version} → ${exact ?? (bound.trim() || '*')}`;
}

function isNewer(a: string, b: string): boolean {
  return a.localeCompare(b, 'en', { numeric: true }) > 0;
}
