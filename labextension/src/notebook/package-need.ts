import type { ICell } from '@jupyterlab/nbformat';

/** What a cell lacks: a module that it imports, or packages that it tries to install. */
export type INeed =
  | { language: 'python' | 'r'; module: string }
  /** As they are added: match specs, or `pip:` and requirements. */
  | { packages: readonly string[] };

const PYTHON = /^No module named '([^'\s]+)'/;
const R = /there is no package called [‘'"“]([\w.]+)[’'"”]/;
const INSTALL = /^\s*[%!]\s*(?:python3?\s+-m\s+)?(pip3?|uv\s+pip|conda|mamba|micromamba)\s+install\s+(.+)$/m;
/** Options of pip and conda that say nothing about what is installed; after any other one, nothing is offered. */
const HARMLESS = /^(-[Uqvy]+|--(upgrade|quiet|verbose|yes|user|no-cache-dir|no-input|disable-pip-version-check|no-deps|force-reinstall|update-deps))$/;
/**
 * Options behind which a value stands that says nothing about what is installed. Those that name an index or a channel are
 * none of these: from another one, the name may be of another package.
 */
const WITH_VALUE = /^(--trusted-host|--progress-bar|--timeout)$/;
const PACKAGE = /^[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?([=<>!~][\w.*+!=<>~,|-]*)?$/;

/** Return what a cell lacks, as its source and its last error tell; null where it lacks nothing. */
export function needOf(cell: ICell): INeed | null {
  const source = Array.isArray(cell.source) ? cell.source.join('') : String(cell.source);
  const installed = INSTALL.exec(source);
  if (installed) {
    const packages = requested(installed[2]!, /pip/.test(installed[1]!));
    return packages.length ? { packages } : null;
  }
  for (const output of Array.isArray(cell.outputs) ? (cell.outputs as any[]) : []) {
    const value = String(output.evalue ?? '');
    const python = output.output_type === 'error' && output.ename === 'ModuleNotFoundError' && PYTHON.exec(value);
    const r = output.output_type === 'error' && R.exec(value);
    if (python) {
      return { language: 'python', module: python[1]! };
    }
    if (r) {
      return { language: 'r', module: r[1]! };
    }
  }
  return null;
}

/** Return the packages of a command that installs some; of one that has anything else in it, nothing. */
function requested(words: string, isPip: boolean): string[] {
  const found: string[] = [];
  const all = words.match(/"[^"]*"|'[^']*'|[;&|<>]+(?=\s|$)|[^\s;&|]+|[;&|]/g) ?? [];
  for (let place = 0; place < all.length && !/^([;&|]|#|[<>]+$)/.test(all[place]!); place++) {
    const word = all[place]!.replace(/^(["'])(.*)\1$/, '$2');
    const [option = ''] = word.split('=');
    if (WITH_VALUE.test(option)) {
      place += word.includes('=') ? 0 : 1;
    } else if (word.startsWith('-')) {
      if (!HARMLESS.test(word)) {
        return [];
      }
    } else if (!PACKAGE.test(word) || /\.(txt|ya?ml|toml|whl|gz|zip|bz2|conda)$/.test(word)) {
      return [];
    } else {
      found.push(isPip ? `pip:${word}` : word);
    }
  }
  return found;
}
