import type { IPlace } from './types';

const PREFIX = 'envstore-';

/** The environment that a kernel is of, and the number of its build where it is that build's own. */
export interface IKernelOf {
  place: IPlace;
  number: number | null;
}

/** Return the name that the server spells so: `r.u_4.2e3` is `R_4.3` (`spec/names.py`). */
function unspelled(text: string): string {
  return text
    .replace(/([a-z])\.u/g, (_, letter: string) => letter.toUpperCase())
    .replace(/\.([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** Return whose kernel has an id, though the environment may be gone; null for kernels of others. */
export function kernelOf(id: string): IKernelOf | null {
  const [namespace, name, ...rest] = id.startsWith(PREFIX) ? id.slice(PREFIX.length).split('--') : [];
  if (!namespace || !name) {
    return null;
  }
  const number = /^build-(\d+)$/.exec(rest[1] ?? '')?.[1];
  return {
    place: { namespace: unspelled(namespace), name: unspelled(name) },
    number: number ? Number(number) : null
  };
}
