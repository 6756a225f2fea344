import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { IProgress, IStep } from '../store/types';

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
            : trans.__('Continuing');
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
/** The titles of steps in the log, which is not translated. */
const LOG_TITLES = stepTitles(nullTranslator.load('jupyter_envstore'));
/**
 * Return the lines of a log by step; lines before the first step have an empty key. If a step began again, its number
 * is part of its key: `artifact-installer#2`.
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
/** Return the key of a step's lines in the log, for the `turn`th time that the step began. */
export function stepKey(name: string, turn: number): string {
  return turn > 1 ? `${name}#${turn}` : name;
}
