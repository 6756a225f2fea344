import { isEnvironmentName } from '../../store/environment-names';

const EMPTY = /^\s*(#.*)?$/;
/** Return the first and the last line of a top-level key, as places; null where the text has it not. */
export function linesOf(lines: readonly string[], key: string): [number, number] | null {
  const first = lines.findIndex(line => line.startsWith(`${key}:`));
  if (first < 0) {
    return null;
  }
  let last = first;
  const end = /:\s*\[/.test(lines[first]!) ? ']' : /:\s*\{/.test(lines[first]!) ? '}' : '';
  for (let place = first; place < lines.length; place++) {
    const line = lines[place]!;
    const belongs = place === first || /^\s+\S/.test(line) || /^-/.test(line) || (end && line.startsWith(end));
    if (!belongs && !EMPTY.test(line)) {
      break;
    }
    if (!EMPTY.test(line)) {
      last = place;
    }
    if (end && line.replace(/#.*$/, '').includes(end)) {
      break;
    }
  }
  return [first, last];
}
/** Return the platforms that a specification lists at its top level. */
export function listedPlatforms(text: string): string[] {
  const lines = text.split('\n');
  const found = linesOf(lines, 'platforms');
  return found
    ? lines
        .slice(found[0], found[1] + 1)
        .map(line => line.replace(/#.*$/, '').replace(/^platforms:/, ''))
        .flatMap(line => line.match(/[a-z0-9]+-[a-z0-9]+/g) ?? [])
    : [];
}
/** Return a specification that lists these platforms, in one line; without any, it is the server's alone. */
export function withPlatforms(text: string, platforms: readonly string[]): string {
  return withKey(text, 'platforms', platforms.length ? [`platforms: [${platforms.join(', ')}]`] : []);
}
/** Return a text with other lines for a top-level key; where it has none, they come before the packages. */
function withKey(text: string, key: string, listed: readonly string[]): string {
  const lines = text.split('\n');
  const found = linesOf(lines, key);
  const before = found ? found[0] : lines.findIndex(line => line.startsWith('dependencies:'));
  if (before < 0) {
    return `${text}${text && !text.endsWith('\n') ? '\n' : ''}${listed.map(line => `${line}\n`).join('')}`;
  }
  lines.splice(before, found ? found[1] - found[0] + 1 : 0, ...listed);
  return lines.join('\n');
}
/** What stands before it, the key, the quotation mark, the version. */
const CUDA = /(^\s+|[{,]\s*)((?:cuda|'cuda'|"cuda"):\s*)(['"]?)([\d.]+)\3/;
const CUDA_AND_COMMA = new RegExp(`${CUDA.source}\\s*,?\\s*`);
const REQUIREMENTS = 'system-requirements';
/** Return the place of the line that says which CUDA is taken for granted; -1 for none. */
function cudaLine(lines: readonly string[], found: readonly [number, number] | null): number {
  const isOf = (line: string, place: number) => found && place >= found[0] && place <= found[1] && CUDA.test(line);
  return lines.findIndex((line, place) => isOf(line, place));
}
/** Return the version of CUDA that a specification takes for granted; empty for none. */
export function cudaOf(text: string): string {
  const lines = text.split('\n');
  return CUDA.exec(lines[cudaLine(lines, linesOf(lines, REQUIREMENTS))] ?? '')?.[4] ?? '';
}
/**
 * Return a specification that assumes a version of CUDA; with an empty version, none. Other lines, and comments, do not
 * change.
 */
export function withCuda(text: string, version: string): string {
  const lines = text.split('\n');
  const found = linesOf(lines, REQUIREMENTS);
  const place = cudaLine(lines, found);
  const line = lines[place] ?? '';
  if (!found) {
    return version ? withKey(text, REQUIREMENTS, [`${REQUIREMENTS}:`, `  cuda: '${version}'`]) : text;
  }
  if (place >= 0 && version) {
    lines[place] = line.replace(CUDA, `$1$2'${version}'`);
    return lines.join('\n');
  }
  const isFlow = /:\s*\{/.test(lines[found[0]]!);
  const others = lines.slice(found[0] + 1, found[1] + 1).filter(other => !EMPTY.test(other));
  if (version) {
    if (isFlow) {
      lines[found[0]] = lines[found[0]]!.replace(/:\s*\{\s*(\}?)/, (_, end: string) => `: {cuda: '${version}'${end || ', '}`);
    } else {
      const indent = /^\s*/.exec(others[0] ?? '  ')![0];
      lines.splice(found[0] + 1, 0, `${indent}cuda: '${version}'`);
    }
    return lines.join('\n');
  }
  if (place < 0) {
    return text;
  }
  const inside = /\{([^}]*)\}/.exec(lines.slice(found[0], found[1] + 1).join('\n'))?.[1] ?? '';
  const count = isFlow ? inside.split(',').filter(part => part.trim()).length : others.length;
  if (count === 1) {
    return withKey(text, REQUIREMENTS, []);
  }
  const rest = line.replace(CUDA_AND_COMMA, '$1');
  if (isFlow && rest.trim()) {
    lines[place] = rest.replace(/,\s*\}/, '}');
  } else {
    lines.splice(place, 1);
  }
  return lines.join('\n');
}
/** Return the channels that a specification lists. */
export function channelsOf(text: string): string[] {
  const block = /^channels:\s*(?:\[(.*)\]|((?:\n\s*-\s*.*)+))/m.exec(text);
  const items = block?.[1]?.split(',') ?? block?.[2]?.split('\n').map(line => line.replace(/^\s*-\s*/, '')) ?? [];
  return items.map(item => item.replace(/\s+#.*$/, '').trim().replace(/^['"]|['"]$/g, '')).filter(item => item);
}

/** Return the name that a specification gives itself, where it is one that can be used. */
export function nameIn(text: string): string | undefined {
  const found = /^name:\s*(?:"([^"]*)"|'([^']*)'|([^#\n]*))/m.exec(text);
  const name = (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
  return isEnvironmentName(name) ? name : undefined;
}
