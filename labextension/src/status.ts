import type { TranslationBundle } from '@jupyterlab/translation';
import type { IEnvironment, IProgress } from './types';

/** What the disc before a name says: shape, colour and words. */
export interface IMark {
  shape: string;
  kind: 'ready' | 'warning' | 'building' | 'queued' | 'failed' | 'packed' | 'canceled';
  words: string;
}

/**
 * Say how an environment stands. Two facts, never mixed: whether it can be used, and how the newest build went.
 */
export function mark(item: IEnvironment, trans: TranslationBundle): IMark {
  const newest = item.newest_build_status;
  if (newest === 'BUILDING') {
    return { shape: '◐', kind: 'building', words: trans.__('Building') };
  }
  if (newest === 'QUEUED') {
    return { shape: '◌', kind: 'queued', words: trans.__('Queued') };
  }
  if (item.active && item.current_build?.packed_away) {
    return { shape: '▣', kind: 'packed', words: trans.__('Packed away') };
  }
  if (item.active && newest === 'FAILED') {
    return { shape: '●', kind: 'warning', words: trans.__('Ready; the newest build failed') };
  }
  if (item.active) {
    return { shape: '●', kind: 'ready', words: trans.__('Ready') };
  }
  if (newest === 'CANCELED') {
    return { shape: '⊘', kind: 'canceled', words: trans.__('Canceled') };
  }
  return { shape: '✖', kind: 'failed', words: trans.__('Failed') };
}

/** Return how long ago a moment (UTC, without a zone) was, in one short word. */
export function age(moment: string | null, now: Date, trans: TranslationBundle): string {
  if (!moment) {
    return '';
  }
  const seconds = Math.max(0, (now.getTime() - new Date(`${moment}Z`).getTime()) / 1000);
  if (seconds < 60) {
    return trans.__('now');
  }
  if (seconds < 3600) {
    return trans.__('%1 min', Math.floor(seconds / 60));
  }
  if (seconds < 86_400) {
    return trans.__('%1 h', Math.floor(seconds / 3600));
  }
  if (seconds < 365 * 86_400) {
    return trans.__('%1 d', Math.floor(seconds / 86_400));
  }
  return trans.__('%1 y', Math.floor(seconds / (365 * 86_400)));
}

/** Return bytes for people. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let power = 0;
  let value = bytes;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Say which step of a build runs, and how far it is (0 to 1; null where that is not known). */
export function step(progress: IProgress | undefined, trans: TranslationBundle): { words: string; part: number | null } {
  const running = progress?.steps.filter(item => item.state === 'running').pop();
  if (!running) {
    return { words: progress?.status === 'QUEUED' ? trans.__('Waiting') : trans.__('Starting'), part: null };
  }
  const names: Record<string, string> = {
    solve: trans.__('Finding versions'),
    fetch: trans.__('Downloading'),
    pip: trans.__('Finding PyPI packages'),
    record: trans.__('Writing lockfile'),
    link: trans.__('Linking packages'),
    activate: trans.__('Activating'),
    compile: trans.__('Compiling')
  };
  const part = running.total > 0 ? Math.min(1, running.done / running.total) : null;
  const name = names[running.name] ?? running.name;
  return { words: part === null ? name : trans.__('%1 %2 %', name, Math.round(part * 100)), part };
}
