import type { BuildStatus, IEnvironment, IPlace } from './types';

/** Return where an environment is. */
export function placeOf(item: Pick<IEnvironment, 'namespace' | 'name'>): IPlace {
  return { namespace: item.namespace.name, name: item.name };
}

/** Whether a build is queued or runs. */
export function isUnfinished(status: BuildStatus | null | undefined): boolean {
  return status === 'QUEUED' || status === 'BUILDING';
}

/** Return the whole name of an environment. */
export function whole(place: IPlace): string {
  return `${place.namespace}/${place.name}`;
}
