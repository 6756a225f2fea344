import { EnvStoreError } from '../../store/errors';
import type { IFault } from '../../store/types';
import { linesOf } from './specification-text';

/** Return the lines that an error is about: packages that are in no channel, or packages that conflict. */
export function faultsOf(error: Error | null, text: string): IFault[] {
  if (!error) {
    return [];
  }
  const absent = [...error.message.matchAll(/^no package ([A-Za-z0-9_.-]+).*$/gm)];
  if (absent.length === 0) {
    return conflicting(error.message, text);
  }
  return absent.flatMap(([message, name]) => {
    const line = linesThatList(name!, text)[0];
    const meant = error instanceof EnvStoreError ? error.suggestions[name!] ?? [] : [];
    return line === undefined
      ? []
      : [{ line, field: 'dependencies', message, ...(meant.length ? { fix: { word: name!, meant } } : {}) }];
  });
}

/** Return the lines of the packages at the top of the solver's tree, which is drawn with box characters. */
function conflicting(message: string, text: string): IFault[] {
  const names = [...message.matchAll(/^[├└]─ ([A-Za-z0-9_.-]+)/gm)].map(found => found[1]!);
  const lines = new Map<number, string[]>();
  for (const name of new Set(names)) {
    for (const line of linesThatList(name, text)) {
      lines.set(line, [...(lines.get(line) ?? []), name]);
    }
  }
  const listed = (line: number) => {
    const content = text.split('\n')[line - 1]!;
    return /^\s*-\s/.test(content) ? content.replace(/^\s*-\s*/, '').replace(/\s+#.*$/, '').trim() : (lines.get(line) ?? []).join(', ');
  };
  return [...lines]
    .sort(([one], [other]) => one - other)
    .map(([line]) => {
      const others = [...lines.keys()].filter(other => other !== line).sort((one, other) => one - other);
      const words = others.length
        ? `${listed(line)} conflicts with ${others.map(other => `${listed(other)} (line ${other})`).join(', ')}`
        : `${listed(line)} conflict with each other`;
      return { line, field: 'dependencies', message: words };
    });
}

/** Return the numbers of the lines that list a package. */
function linesThatList(name: string, text: string): number[] {
  const listed = listing(name);
  return text
    .split('\n')
    .flatMap((content, place) => (!/^\s*(#|name:|description:)/.test(content) && listed.test(content) ? [place + 1] : []));
}

/** Return a pattern that finds a package's name in a line, as a whole word. */
function listing(name: string): RegExp {
  return new RegExp(`(^|[\\s\\[,:'"])${literally(name)}(?![A-Za-z0-9_.-])`, 'i');
}

/** Return a text with the misspelled word of a line corrected. */
export function fixed(text: string, fault: IFault, meant: string): string {
  const lines = text.split('\n');
  const place = (fault.line ?? 1) - 1;
  lines[place] = (lines[place] ?? '').replace(listing(fault.fix?.word ?? ''), (_, before: string) => before + meant);
  return lines.join('\n');
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** Return a text with a channel replaced by another one, or removed if the other one is listed already. */
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
