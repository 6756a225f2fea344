import * as React from 'react';
import { browserStorage, environmentKey } from '../../storage/browser-storage';
import type { IContent, IEnvironment } from '../../store/types';
import { nameOf } from '../specification/requirements';

const NOTHING: IStaged = { add: [], remove: [] };

/** Changes that are gathered and not built yet. */
export interface IStaged {
  add: string[];
  remove: string[];
  /** Whether the date of the build does not count: packages uploaded later are taken, too. */
  takesNewer?: boolean;
  /** The build that they were begun on. */
  begun?: { id: number; number: number };
}

/** Whether a build would differ from one of the specification as it is. */
export function isChanged({ add, remove, takesNewer }: IStaged): boolean {
  return add.length > 0 || remove.length > 0 || takesNewer === true;
}

/** Return changes with packages added and removed; an earlier change of the same package is dropped. */
export function withChange(staged: IStaged, add: readonly string[], remove: readonly string[]): IStaged {
  const names = new Set([...add, ...remove].map(nameOf));
  return {
    ...staged,
    add: [...staged.add.filter(spec => !names.has(nameOf(spec))), ...add],
    remove: [...staged.remove.filter(spec => !names.has(nameOf(spec))), ...remove]
  };
}

/** Return changes without one of them. */
export function withoutChange(staged: IStaged, spec: string): IStaged {
  return {
    ...staged,
    add: staged.add.filter(other => other !== spec),
    remove: staged.remove.filter(other => other !== spec)
  };
}

/** Return changes that are gathered; they are kept in this browser until they are built or discarded. */
export function useStaged(
  item: IEnvironment | undefined
): [IStaged, React.Dispatch<React.SetStateAction<IStaged>>] {
  const key = item ? environmentKey('staged', item) : '';
  const [staged, setStaged] = React.useState<IStaged>(NOTHING);
  const owner = React.useRef('');
  React.useEffect(() => {
    // before the next one: what belongs to another environment must not be kept as this one's
    if (owner.current && owner.current === key && staged !== NOTHING) {
      browserStorage.save(key, isChanged(staged) ? staged : null);
    }
  }, [staged, key]);
  React.useEffect(() => {
    owner.current = key;
    const found = key ? (browserStorage.fetch(key) as IStaged | undefined) : undefined;
    setStaged(Array.isArray(found?.add) && Array.isArray(found.remove) ? found : NOTHING);
  }, [key]);
  return [staged, setStaged];
}

/** Return a staged line in the words of a change: `↑ numpy 1.26.4 → 2.1.0` for a package that is there, `+ seaborn` else. */
export function stagedWords(spec: string, contents: readonly IContent[]): string {
  const manager = spec.startsWith('pip:') ? 'pip' : 'conda';
  const [, name = '', bound = ''] = /^([\w.-]+)(.*)$/.exec(spec.replace(/^pip:/, '').split('::').pop() ?? '') ?? [];
  const known = contents.find(found => found.name.toLowerCase() === name.toLowerCase() && found.manager === manager);
  if (!known || known.requested === null) {
    return `+ ${spec}`;
  }
  const exact = /^==?\s*([0-9][\w.!+-]*)$/.exec(bound.trim())?.[1];
  if (exact === known.version) {
    return `= ${known.name} ${exact}`;
  }
  const arrow = exact ? (isNewer(exact, known.version) ? '↑' : '↓') : '±';
  return `${arrow} ${known.name} ${known.version} → ${exact ?? (bound.trim() || '*')}`;
}

function isNewer(a: string, b: string): boolean {
  return a.localeCompare(b, 'en', { numeric: true }) > 0;
}

