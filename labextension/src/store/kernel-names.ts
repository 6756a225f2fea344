import type { IPlace } from './types';

const PREFIX = 'envstore-';

/** The environment of a kernel, and the number of its build if the kernel belongs to one build only. */
export interface IKernelOf {
  place: IPlace;
  number: number | null;
}

/** Decode a name in a kernel's id: `r.u_4.2e3` is `R_4.3` (`spec/names.py` encodes it). */
function unspelled(text: string): string {
  return text
    .replace(/([a-z])\.u/g, (_, letter: string) => letter.toUpperCase())
    .replace(/\.([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

/** Return the environment of a kernel's id, even if it was deleted; null for kernels that are not of the store. */
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
