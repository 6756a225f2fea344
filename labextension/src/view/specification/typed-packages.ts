import type { TranslationBundle } from '@jupyterlab/translation';
import type { ICompleter } from './package-completer';
import { isSpec, specsIn } from './requirements';

const NAMED = 3;
/** A name, perhaps with bounds that mean the same to conda and to pip. */
const CHECKED = /^([A-Za-z0-9_][A-Za-z0-9_.-]+)(?:(?:[<>!~]=?|==)[^=\s]*)?$/;

/** The meaning of a typed text: lines for a specification, or a question to the user. */
export type Meaning = { specs: string[]; problem?: undefined } | { specs?: undefined; problem: string };

/**
 * Return what a typed text means, without a choice from the list. A name that a channel has is that package. For any
 * other name the user is asked: it may be the beginning of one, or a misspelling; and nobody asks PyPI before a build.
 * A name that is similar to no other is taken from PyPI if the list offers just that (`isOffered`). If channels cannot be
 * reached, the text is used as it is.
 */
export async function meaningOf(
  text: string,
  channels: string[],
  completer: Pick<ICompleter, 'names' | 'close'>,
  trans: TranslationBundle,
  isOffered = false
): Promise<Meaning> {
  const specs: string[] = [];
  for (const spec of specsIn(text)) {
    if (!isSpec(spec)) {
      return { problem: noSpec(spec, trans) };
    }
    const name = CHECKED.exec(spec)?.[1]?.toLowerCase();
    const likes = name ? await likesOf(name, channels, completer) : null;
    if (!likes || likes.isThere) {
      specs.push(spec.toLowerCase() === name ? name : spec);
    } else if (likes.names.length === 0 && isOffered) {
      specs.push(`pip:${spec}`);
    } else if (likes.names.length === 0) {
      return {
        problem: trans.__(
          'No channel has “%1”, or a similar name. PyPI is not asked before the build: write pip:%2 to install it from there, or clear the field.',
          name,
          spec
        )
      };
    } else {
      return {
        problem: trans.__(
          'No channel has “%1”. Choose %2, write pip:%1 to install it from PyPI, or clear the field.',
          name,
          likes.names.map(other => `“${other}”`).join(', ')
        )
      };
    }
  }
  return { specs };
}

/** Say that a text names no package. */
export function noSpec(text: string, trans: TranslationBundle): string {
  return trans.__('“%1” is not a package. For example: numpy, numpy>=2, conda-forge::numpy, pip:rich', text);
}

/** Return whether channels have a name, and the names that may have been meant; null where they cannot be asked. */
async function likesOf(
  name: string,
  channels: string[],
  completer: Pick<ICompleter, 'names' | 'close'>
): Promise<{ isThere: boolean; names: string[] } | null> {
  try {
    const begun = await completer.names(name, channels);
    if (begun.includes(name)) {
      return { isThere: true, names: [] };
    }
    const names = [...new Set([...(await completer.close(name, channels)), ...begun])];
    return { isThere: false, names: names.slice(0, NAMED) };
  } catch {
    return null;
  }
}
