import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionStatus,
  moveCompletionSelection,
  selectedCompletionIndex
} from '@codemirror/autocomplete';
import { type Extension, Prec } from '@codemirror/state';
import { keymap } from '@codemirror/view';
import * as React from 'react';
import type { ICompleter } from './package-completer';

/** Complete as one types; Tab takes the first offer, Enter only one that was chosen with the arrows. */
export function completion(latest: React.RefObject<{ completer?: ICompleter }>): Extension {
  return [
    autocompletion({
      override: [context => complete(context, latest.current?.completer)],
      selectOnOpen: false
    }),
    Prec.highest(
      keymap.of([
        {
          key: 'Tab',
          run: view => {
            if (completionStatus(view.state) !== 'active') {
              return false;
            }
            if (selectedCompletionIndex(view.state) === null) {
              moveCompletionSelection(true)(view);
            }
            return acceptCompletion(view);
          }
        }
      ])
    )
  ];
}

/** Return the key that a line of an environment file stands under, and the channels that the file lists. */
export function surroundings(text: string, line: number): { key: string; inPip: boolean; channels: string[] } {
  const lines = text.split('\n');
  let key = '';
  let inPip = false;
  const channels: string[] = [];
  lines.forEach((content, place) => {
    const top = /^([A-Za-z_]+):\s*(?:\[(.*)\])?/.exec(content);
    if (place < line) {
      if (top) {
        key = top[1]!;
        inPip = false;
      } else if (/^\s*-\s*pip:\s*$/.test(content)) {
        inPip = true;
      }
    }
    if (top?.[1] === 'channels' && top[2]) {
      channels.push(...top[2].split(',').map(unquoted));
    }
  });
  let under = '';
  for (const content of lines) {
    const top = /^([A-Za-z_]+):/.exec(content);
    under = top ? top[1]! : under;
    const item = /^\s*-\s*([^#]+)/.exec(content);
    if (under === 'channels' && item && !top) {
      channels.push(unquoted(item[1]!));
    }
  }
  return { key, inPip, channels: channels.filter(channel => channel && channel !== 'nodefaults') };
}

function unquoted(text: string): string {
  return text.trim().replace(/^['"]|['"]$/g, '');
}

async function complete(context: CompletionContext, completer?: ICompleter): Promise<CompletionResult | null> {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const { key, inPip, channels } = surroundings(context.state.doc.toString(), line.number);
  if (!completer || key !== 'dependencies' || inPip) {
    return null;
  }
  const version = /^\s*-\s*['"]?(?:\S+::)?([A-Za-z0-9_.-]+)\s*(?:==?|[<>]=?|~=)\s*([0-9A-Za-z.]*)$/.exec(before);
  const name = /^\s*-\s*['"]?([A-Za-z0-9_][A-Za-z0-9_.-]+)$/.exec(before);
  const found = version
    ? await completer.versions(version[1]!, channels).catch(() => [])
    : name
      ? await completer.names(name[1]!, channels).catch(() => [])
      : null;
  if (!found || context.aborted) {
    return null;
  }
  const typed = version ? version[2]! : name![1]!;
  const options: Completion[] = found.map((label, place) => ({ label, boost: -Math.min(place, 99) }));
  return { from: context.pos - typed.length, options, validFor: /^[A-Za-z0-9_.-]*$/ };
}
