import type { ICell } from '@jupyterlab/nbformat';

/** What a cell lacks: a module that it imports, or packages that it tries to install. */
export type INeed =
  | { language: 'python' | 'r'; module: string }
  /** As they are added: match specs, or `pip:` and requirements. */
  | { packages: readonly string[] };

const PYTHON = /^No module named '([^'\s]+)'/;
const R = /there is no package called [‘'"“]([\w.]+)[’'"”]/;
const INSTALL = /^\s*[%!]\s*(?:python3?\s+-m\s+)?(pip3?|uv\s+pip|conda|mamba|micromamba)\s+install\s+(.+)$/m;
/** Options of pip and conda behind which a value stands. */
const WITH_VALUE = /^(-c|-n|-p|-i|-f|-r|-t|--channel|--name|--prefix|--index-url|--extra-index-url|--find-links|--requirement|--target)$/;

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

/** Return the packages of a command that installs some; of one that names files or folders, nothing. */
function requested(words: string, isPip: boolean): string[] {
  const found: string[] = [];
  const all = (words.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map(word => word.replace(/^(["'])(.*)\1$/, '$2'));
  for (let place = 0; place < all.length && !/^[;&|#]/.test(all[place]!); place++) {
    const word = all[place]!;
    if (WITH_VALUE.test(word)) {
      place++;
    } else if (/[/\\]|^\.|\.(whl|gz|zip)$|[{$]/.test(word)) {
      return [];
    } else if (!word.startsWith('-')) {
      found.push(isPip ? `pip:${word}` : word);
    }
  }
  return found;
}
