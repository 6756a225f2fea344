import type { TranslationBundle } from '@jupyterlab/translation';
import type { BuildStatus, IBuild, IEnvironment } from '../store/types';
import { clause } from './error-text';

/** The status mark before a name: shape, colour and words. */
export interface IMark {
  shape: string;
  /** A small sign after the mark: the state of the newest build. */
  extra?: string;
  kind: 'ready' | 'warning' | 'building' | 'queued' | 'failed' | 'packed' | 'canceled' | 'unknown';
  words: string;
}

/**
 * Return the status mark of an environment. It shows two separate facts: whether the environment can be used, and the
 * state of the newest build.
 */
export function mark(item: IEnvironment, trans: TranslationBundle, connected = true): IMark {
  const newest = item.newest_build_status;
  if (!connected && (newest === 'BUILDING' || newest === 'QUEUED')) {
    return { shape: '?', kind: 'unknown', words: trans.__('Unknown, the connection is lost') };
  }
  const usable = item.active && !item.current_build?.packed_away;
  if (usable && connected && (newest === 'BUILDING' || newest === 'QUEUED')) {
    return { shape: '●', kind: 'ready', extra: '◐', words: trans.__('Ready; another build is in progress') };
  }
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
    return { shape: '●', kind: 'warning', extra: '!', words: trans.__('Ready; the newest build failed') };
  }
  if (item.active) {
    return { shape: '●', kind: 'ready', words: trans.__('Ready') };
  }
  if (newest === 'CANCELED') {
    return { shape: '⊘', kind: 'canceled', words: trans.__('Canceled') };
  }
  return { shape: '✖', kind: 'failed', words: trans.__('Failed') };
}

/** Return when a build ended or, until then, when it was requested. Ages and dates of builds are based on it. */
export function builtOn(build: Pick<IBuild, 'ended_on' | 'scheduled_on'> | null | undefined): string | null {
  return build?.ended_on ?? build?.scheduled_on ?? null;
}

/** Return the status mark of a build. */
export function buildMark(build: IBuild, trans: TranslationBundle): IMark {
  const words: Record<BuildStatus, IMark> = {
    QUEUED: { shape: '◌', kind: 'queued', words: trans.__('Queued') },
    BUILDING: { shape: '◐', kind: 'building', words: trans.__('Building') },
    COMPLETED: { shape: '●', kind: 'ready', words: trans.__('Ready') },
    FAILED: { shape: '✖', kind: 'failed', words: trans.__('Failed') },
    CANCELED: { shape: '⊘', kind: 'canceled', words: trans.__('Canceled') }
  };
  return build.packed_away ? { shape: '▣', kind: 'packed', words: trans.__('Packed away') } : words[build.status];
}

/** Return how long a build took, in seconds; null while it runs. */
export function tookSeconds(build: IBuild): number | null {
  return build.started_on && build.ended_on
    ? (Date.parse(`${build.ended_on}Z`) - Date.parse(`${build.started_on}Z`)) / 1000
    : null;
}

/** Return what a build is, in one line: number, status, whether it is active. */
export function buildWords(build: IBuild, trans: TranslationBundle): string {
  const parts = [trans.__('Build %1', build.number), buildMark(build, trans).words];
  if (build.active) {
    parts.push(trans.__('active'));
  } else if (build.status === 'FAILED' && build.status_info) {
    parts.push(clause(build.status_info));
  }
  return parts.join(' · ');
}

