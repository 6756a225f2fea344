import { isEnvironmentName } from '../../store/environment-names';
import type { EnvStoreModel } from '../../store/model';
import type { IEnvironment } from '../../store/types';

/** Return a name, with a number behind it where there is an environment of this name. */
export function freeName(model: EnvStoreModel, namespace: string, wanted: string): string {
  for (let number = 2, next = wanted; ; number++) {
    if (!model.find({ namespace, name: next })) {
      return next;
    }
    next = `${wanted.slice(0, 60)}-${number}`;
  }
}

/** Return a name for an environment that comes of a file. */
export function stemOf(fileName: string): string {
  return fileName
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9_.+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}

/** Whether a name can be used. */
export interface INameVerdict {
  /** Whether there is none. */
  isEmpty: boolean;
  /** Whether it has letters that a name may not have. */
  isBad: boolean;
  /** The environment that has this name already. */
  taken: IEnvironment | undefined;
}

/** Judge a name by its letters, and by whether it is free. */
export function nameVerdict(model: EnvStoreModel, namespace: string, name: string): INameVerdict {
  const wanted = name.toLowerCase();
  return {
    isEmpty: name === '',
    isBad: name !== '' && !isEnvironmentName(name),
    taken: name
      ? model.environments.find(item => item.namespace.name === namespace && item.name.toLowerCase() === wanted)
      : undefined
  };
}
