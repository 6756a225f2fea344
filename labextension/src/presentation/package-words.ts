import type { TranslationBundle } from '@jupyterlab/translation';
import type { IPackageChange } from '../store/types';

/** How many changed packages are named. */
const MOST_CHANGES = 3;

/** Say which packages changed. */
export function difference(changes: readonly IPackageChange[], trans: TranslationBundle): string {
  const words = changes.map(({ name, change, from, to }) => {
    const [old, fresh] = [version(from), version(to)];
    if (change === 'added') {
      return trans.__('%1 %2 added', name, fresh);
    }
    return change === 'removed' ? trans.__('%1 removed', name) : `${name} ${old === fresh ? `${from} → ${to}` : `${old} → ${fresh}`}`;
  });
  return words.length ? listed(words, trans) : trans.__('The packages are the same.');
}

/** Name the first of some items, and how many more there are. */
export function listed(items: readonly string[], trans: TranslationBundle): string {
  const more = items.length - MOST_CHANGES;
  return items.slice(0, MOST_CHANGES).join(', ') + (more > 0 ? ' ' + trans.__('and %1 more', more) : '');
}

/** Return the version of a package without its build. */
function version(text: string | null | undefined): string {
  return (text ?? '').split(' ')[0]!;
}
