import { EnvStoreError } from '../refusal';
import type { IFault } from '../types';
import { linesOf } from './platforms';

/** Return the lines that a refusal is about: those that list a package that is in no channel. */
export function faultsOf(error: Error | null, text: string): IFault[] {
  const name = /^no package ([A-Za-z0-9_.-]+)/.exec(error?.message ?? '')?.[1];
  if (!error || !name) {
    return [];
  }
  const listed = listing(name);
  const line = text.split('\n').findIndex(content => !/^\s*(#|name:|description:)/.test(content) && listed.test(content));
  const meant = error instanceof EnvStoreError ? error.suggestions[name] ?? [] : [];
  return line < 0
    ? []
    : [
        {
          line: line + 1,
          field: 'dependencies',
          message: error.message.split('\n')[0] ?? '',
          ...(meant.length ? { fix: { word: name, meant } } : {})
        }
      ];
}

/** Return what finds a package's name in a line, as a word of its own. */
function listing(name: string): RegExp {
  return new RegExp(`(^|[\\s\\[,:'"])${literally(name)}(?![A-Za-z0-9_.-])`, 'i');
}

/** Return a text with the wrong word of a line put right. */
export function fixed(text: string, fault: IFault, meant: string): string {
  const lines = text.split('\n');
  const place = (fault.line ?? 1) - 1;
  lines[place] = (lines[place] ?? '').replace(listing(fault.fix?.word ?? ''), (_, before: string) => before + meant);
  return lines.join('\n');
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** Return a text whose channels have one in place of another; the other one goes where the first is listed already. */
export function withChannel(text: string, refused: string, meant: string): string {
  const lines = text.split('\n');
  const found = linesOf(lines, 'channels');
  const word = (name: string) => new RegExp(`(^|[\\s\\[,'"])${literally(name)}(?=$|[\\s\\],'"])`);
  if (found) {
    const [first, last] = found;
    const listed = lines.slice(first, last + 1).some(line => word(meant).test(line.replace(/#.*$/, '')));
    for (let place = last; place >= first; place--) {
      const line = lines[place]!;
      if (!word(refused).test(line.replace(/(^|\s)#.*$/, ''))) {
        continue;
      }
      if (!listed) {
        lines[place] = line.replace(word(refused), (_, before: string) => before + meant);
      } else if (/^\s*-/.test(line)) {
        lines.splice(place, 1);
      } else {
        const item = `['"]?${literally(refused)}['"]?`;
        lines[place] = line
          .replace(new RegExp(`([\\[,]\\s*)${item}\\s*,\\s*`), '$1')
          .replace(new RegExp(`\\s*,\\s*${item}\\s*(?=\\])`), '');
      }
    }
  }
  const prefix = new RegExp(`(^|[\\s\\[,'"])${literally(refused)}(?=(?:/[\\w-]+)?::)`, 'g');
  return lines.map(line => line.replace(prefix, (_, before: string) => before + meant)).join('\n');
}
