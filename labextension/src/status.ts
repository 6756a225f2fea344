import { type TranslationBundle, nullTranslator } from '@jupyterlab/translation';
import type { BuildStatus, IBuild, IEnvironment, IProgress, IStep } from './types';

/** What the disc before a name says: shape, colour and words. */
export interface IMark {
  shape: string;
  /** What stands small behind it: how the newest build goes. */
  extra?: string;
  kind: 'ready' | 'warning' | 'building' | 'queued' | 'failed' | 'packed' | 'canceled' | 'unknown';
  words: string;
}

/**
 * Say how an environment stands. Two facts, never mixed: whether it can be used, and how the newest build went.
 */
export function mark(item: IEnvironment, trans: TranslationBundle, connected = true): IMark {
  const newest = item.newest_build_status;
  if (!connected && (newest === 'BUILDING' || newest === 'QUEUED')) {
    return { shape: '?', kind: 'unknown', words: trans.__('Unknown, the connection is lost') };
  }
  const usable = item.active && !item.current_build?.packed_away;
  if (usable && connected && (newest === 'BUILDING' || newest === 'QUEUED')) {
    return { shape: '●', kind: 'ready', extra: '◐', words: trans.__('Ready; another build is on its way') };
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

/** Return the place of a build that waits: `1st in line`. */
export function inLine(place: number, trans: TranslationBundle): string {
  const words = { one: trans.__('%1st in line', place), two: trans.__('%1nd in line', place), few: trans.__('%1rd in line', place) };
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(place);
  return rule in words ? words[rule as keyof typeof words] : trans.__('%1th in line', place);
}

/** Return when a build ended; while it has not, when it was asked for. Ages and dates of builds are told of this. */
export function builtOn(build: Pick<IBuild, 'ended_on' | 'scheduled_on'> | null | undefined): string | null {
  return build?.ended_on ?? build?.scheduled_on ?? null;
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

/** Return how long ago a moment was, for a sentence. */
export function ago(moment: string | null, now: Date, trans: TranslationBundle): string {
  const words = age(moment, now, trans);
  return words === trans.__('now') ? words : trans.__('%1 ago', words);
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
    const ended = progress?.steps.filter(item => item.state === 'done').pop();
    const words =
      progress?.status === 'QUEUED'
        ? trans.__('Waiting')
        : !ended
          ? trans.__('Starting')
          : ended.name === 'activate' || ended.name === 'link'
            ? trans.__('Finishing')
            : trans.__('Going on');
    return { words, part: null };
  }
  const names: Record<string, string> = {
    solve: trans.__('Finding versions'),
    fetch: trans.__('Downloading'),
    pip: trans.__('Finding PyPI packages'),
    record: trans.__('Writing lockfile'),
    link: trans.__('Linking packages'),
    activate: trans.__('Activating'),
    compile: trans.__('Compiling'),
    check: trans.__('Checking')
  };
  const part = running.total > 0 ? Math.min(1, running.done / running.total) : null;
  const name = names[running.name] ?? running.name;
  return { words: part === null ? name : trans.__('%1 %2 %', name, Math.round(part * 100)), part };
}

/** What the disc before a build says. */
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

/** Return a moment (UTC, without a zone) as people here write it, with the zone. */
export function moment(text: string | null): string {
  return text
    ? new Date(`${text}Z`).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
    : '';
}

/** Return seconds for people. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) {
    return '';
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')} min`;
}

/** Return how long a build took, in seconds; null while it runs. */
export function tookSeconds(build: IBuild): number | null {
  return build.started_on && build.ended_on
    ? (Date.parse(`${build.ended_on}Z`) - Date.parse(`${build.started_on}Z`)) / 1000
    : null;
}

/** Return what the steps of a build are called, by their names. */
function stepTitles(trans: TranslationBundle): Record<string, string> {
  return {
    solve: trans.__('Find versions'),
    fetch: trans.__('Download packages'),
    pip: trans.__('Find PyPI packages'),
    scripts: trans.__('Run scripts of packages'),
    record: trans.__('Write build record'),
    link: trans.__('Link packages'),
    activate: trans.__('Activate'),
    compile: trans.__('Compile'),
    check: trans.__('Check'),
    keep: trans.__('Keep packages'),
    'artifact-yaml': trans.__('Make pinned YAML'),
    'artifact-lockfile': trans.__('Make lockfile'),
    'artifact-explicit': trans.__('Make explicit list'),
    'artifact-archive': trans.__('Make archive'),
    'artifact-docker': trans.__('Make Docker image'),
    'artifact-installer': trans.__('Make installer')
  };
}

/** Return the name of a step, for people. */
export function stepTitle(step: IStep, trans: TranslationBundle): string {
  return stepTitles(trans)[step.name] ?? step.name;
}

/** How the log, which is not translated, titles a step: its lines begin with this. */
const LOG_TITLES = stepTitles(nullTranslator.load('jupyter_envstore'));

/**
 * Return the lines of a log that belong to each step, by name; those before the first step by the empty name. A step
 * that began again, as one that was stopped does, has its number behind its name: `artifact-installer#2`.
 */
export function linesBySteps(lines: readonly string[]): Map<string, string[]> {
  const names = new Map(Object.entries(LOG_TITLES).map(([name, title]) => [title, name]));
  const begun = new Map<string, number>();
  const found = new Map<string, string[]>();
  let current = '';
  for (const line of lines) {
    const text = line.replace(/^\d\d:\d\d:\d\d /, '');
    const ended = /^(.*): done in [\d.]+ s$/.exec(text)?.[1];
    const name = names.get(ended ?? text);
    if (name !== undefined) {
      if (ended === undefined) {
        begun.set(name, (begun.get(name) ?? 0) + 1);
      }
      current = stepKey(name, begun.get(name) ?? 1);
    }
    const list = found.get(current);
    if (list) {
      list.push(line);
    } else {
      found.set(current, [line]);
    }
  }
  return found;
}

/** Return what the lines of a step are found by, when it began for the `turn`th time. */
export function stepKey(name: string, turn: number): string {
  return turn > 1 ? `${name}#${turn}` : name;
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

/** Return the first clause of a reason, for a row. */
export function clause(reason: string): string {
  const line = reason.split('\n')[0]!.trim().replace(/:$/, '');
  return line.length > 90 ? `${line.slice(0, 88)}…` : line;
}

/** Return a message in parts: the tree in which a solver says why packages cannot be together, and what stands around it. */
export function withTree(message: string): { before: string; tree: string; after: string } {
  const lines = message.split('\n');
  const isBranch = (line: string) => /^[│ ]*[├└]/.test(line);
  const begin = lines.findIndex(isBranch);
  if (begin < 0) {
    return { before: message, tree: '', after: '' };
  }
  const end = lines.length - [...lines].reverse().findIndex(isBranch);
  const parts = [lines.slice(0, begin), lines.slice(begin, end), lines.slice(end)].map(part => part.join('\n'));
  return { before: parts[0]!, tree: parts[1]!, after: parts[2]! };
}
