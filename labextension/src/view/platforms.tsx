import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { openActions } from '../components/menu';

const PLATFORMS = ['linux-64', 'linux-aarch64', 'osx-arm64', 'osx-64', 'win-64'];

/** Return the platforms that a specification lists at its top level. */
export function listedPlatforms(text: string): string[] {
  const block = /^platforms:[ \t]*(?:\[([^\]]*)\][^\n]*|((?:[^\n]*\n[ \t]*-[^\n]*)+))/m.exec(text);
  const items = block?.[1]?.split(',') ?? block?.[2]?.split('\n').map(line => line.replace(/^\s*-\s*/, '')) ?? [];
  return items.map(item => item.replace(/#.*$/, '').trim().replace(/^['"]|['"]$/g, '')).filter(item => item);
}

/** Return a specification that lists these platforms, in one line; without any, it is the server's alone. */
export function withPlatforms(text: string, platforms: readonly string[]): string {
  const line = platforms.length ? `platforms: [${platforms.join(', ')}]\n` : '';
  const there = /^platforms:[ \t]*(?:\[[^\]]*\][^\n]*\n?|[^\n]*\n(?:[ \t]*-[^\n]*\n?)*)/m;
  if (there.test(text)) {
    return text.replace(there, line);
  }
  const before = /^dependencies:/m.exec(text);
  return before ? text.slice(0, before.index) + line + text.slice(before.index) : text + line;
}

/** A button that says which platforms a specification is locked for, and changes them. */
export function PlatformPicker(props: {
  text: string;
  trans: TranslationBundle;
  onText: (text: string) => void;
}): React.ReactElement {
  const { text, trans, onText } = props;
  const listed = listedPlatforms(text);
  const open = (button: Element) =>
    openActions(
      PLATFORMS.map(platform => ({
        label: listed.includes(platform) ? `✓ ${platform}` : platform,
        run: () =>
          onText(
            withPlatforms(
              text,
              PLATFORMS.filter(other => listed.includes(other) !== (other === platform))
            )
          )
      })),
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
      {listed.length ? trans.__('Platforms: %1 ▾', listed.join(', ')) : trans.__('Platforms: the server’s own ▾')}
    </button>
  );
}
