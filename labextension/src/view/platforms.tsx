import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { openActions } from '../components/menu';

const PLATFORMS = ['linux-64', 'linux-aarch64', 'osx-arm64', 'osx-64', 'win-64'];
const EMPTY = /^\s*(#.*)?$/;

/** Return the first and the last line of a top-level key, as places; null where the text has it not. */
export function linesOf(lines: readonly string[], key: string): [number, number] | null {
  const first = lines.findIndex(line => line.startsWith(`${key}:`));
  if (first < 0) {
    return null;
  }
  let last = first;
  const isFlow = /:\s*\[/.test(lines[first]!);
  for (let place = first; place < lines.length; place++) {
    const line = lines[place]!;
    const belongs = place === first || /^\s+\S/.test(line) || /^-/.test(line);
    if (!belongs && !EMPTY.test(line)) {
      break;
    }
    if (!EMPTY.test(line)) {
      last = place;
    }
    if (isFlow && line.replace(/#.*$/, '').includes(']')) {
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
  const lines = text.split('\n');
  const listed = platforms.length ? [`platforms: [${platforms.join(', ')}]`] : [];
  const found = linesOf(lines, 'platforms');
  const before = found ? found[0] : lines.findIndex(line => line.startsWith('dependencies:'));
  if (before < 0) {
    return `${text}${text && !text.endsWith('\n') ? '\n' : ''}${listed.map(line => `${line}\n`).join('')}`;
  }
  lines.splice(before, found ? found[1] - found[0] + 1 : 0, ...listed);
  return lines.join('\n');
}

/** A button that says which platforms a specification is locked for, and changes them. */
export function PlatformPicker(props: {
  text: string;
  trans: TranslationBundle;
  onText: (text: string) => void;
}): React.ReactElement {
  const { text, trans, onText } = props;
  const listed = listedPlatforms(text);
  const known = [...new Set([...PLATFORMS, ...listed])];
  const open = (button: Element) =>
    openActions(
      [
        {
          label: trans.__('✓ The server’s own'),
          run: () => undefined,
          refused: trans.__('It is always locked for the platform that it is built on')
        },
        ...known.map(platform => ({
        label: listed.includes(platform) ? `✓ ${platform}` : platform,
        run: () =>
          onText(
            withPlatforms(
              text,
              known.filter(other => listed.includes(other) !== (other === platform))
            )
          )
        }))
      ],
      button
    );
  return (
    <button
      type="button"
      className="jp-EnvStore-link"
      aria-haspopup="menu"
      data-testid="envstore:platforms"
      title={trans.__('The lockfile holds these platforms')}
      onClick={event => open(event.currentTarget)}
    >
      {listed.length ? trans.__('Platforms: the server’s own, %1 ▾', listed.join(', ')) : trans.__('Platforms: the server’s own ▾')}
    </button>
  );
}
