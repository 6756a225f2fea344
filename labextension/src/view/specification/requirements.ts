import type { IContent } from '../../store/types';

/** Return how a package is named in changes: PyPI's with `pip:` in front. */
export function specOf(found: Pick<IContent, 'name' | 'manager'>): string {
  return found.manager === 'pip' ? `pip:${found.name}` : found.name;
}
/** Return the name in a change, to tell whether two are about the same package. */
export function nameOf(spec: string): string {
  const pip = spec.startsWith('pip:') ? 'pip:' : '';
  const name = /^[A-Za-z0-9_.-]+/.exec(spec.slice(pip.length).split('::').pop() ?? '')?.[0] ?? spec;
  return pip + name.toLowerCase();
}
/**
 * Split a requirement into its name and its version range: `conda-forge::numpy` and `<2`. Null for forms that are
 * better edited in the text: markers, brackets with versions, builds.
 */
export function bounds(found: Pick<IContent, 'name' | 'manager' | 'requested'>): { before: string; bound: string } | null {
  if (found.requested === null) {
    return { before: specOf(found), bound: '' };
  }
  const pip = found.manager === 'pip';
  const form = pip
    ? /^([A-Za-z0-9_.-]+(?:\[[A-Za-z0-9_., -]*\])?)\s*((?:[<>=!~][^;@[\]]*)?)$/
    : /^((?:[^\s:]+::)?[A-Za-z0-9_.-]+)\s*((?:[<>=!~][^[\]]*)?)$/;
  const parts = form.exec(found.requested.trim());
  return parts ? { before: (pip ? 'pip:' : '') + parts[1]!, bound: parts[2]!.trim() } : null;
}
/** Return a change that gives a package other bounds; without any, the newest that fits is taken. */
export function boundedSpec(before: string, bound: string): string {
  const pip = before.startsWith('pip:');
  const exact = /^[0-9]/.test(bound) ? `${pip ? '==' : '='}${bound}` : bound;
  return `${before}${exact && !pip && !exact.startsWith('=') ? ' ' : ''}${exact}`;
}
const SPEC = /^(pip:|[\w./:-]+::)?[A-Za-z0-9_][\w.-]*(\[[^\]]*\])?\s*([<>=!~ ].*)?$/;
/** Whether a text can name a package, perhaps with bounds, a channel or `pip:`; the server knows for sure. */
export function isSpec(text: string): boolean {
  return SPEC.test(text);
}
/** Return the lines that a typed text means: names that follow each other are one package each. */
export function specsIn(text: string): string[] {
  const glued = text.trim().replace(/\s*([<>=!~]=?|,)\s*/g, '$1');
  const words = glued.split(/\s+/);
  const areNames = words.every(word => /^(pip:|[\w./:-]+::)?[A-Za-z_]/.test(word) && isSpec(word));
  return areNames && words.length > 1 ? words : [text.trim()];
}
