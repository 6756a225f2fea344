import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { IArtifact, IProgress, IStep } from '../store/types';

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
  const name = names[running.name] ?? stepTitle(running, trans);
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
    'artifact-installer': trans.__('Make installer'),
    'artifact-pixi': trans.__('Make pixi workspace'),
    'artifact-pylock': trans.__('Make pylock.toml'),
    'artifact-requirements': trans.__('Make requirements.txt'),
    'artifact-sbom': trans.__('Make bill of materials')
  };
}
/** Titles of artifacts by type, as the server's registry gives them. */
export type ArtifactTitles = Readonly<Record<string, string>>;

/** Return the titles of artifacts by type. */
export function artifactTitles(artifacts: readonly Pick<IArtifact, 'type' | 'title'>[]): ArtifactTitles {
  return Object.fromEntries(artifacts.map(item => [item.type, item.title]));
}

/** The names of steps that make an artifact begin with this; the artifact's type follows. */
const ARTIFACT = 'artifact-';

/** Return the name of a step, for people; `titles` are those of artifacts that other packages make. */
export function stepTitle(step: Pick<IStep, 'name'>, trans: TranslationBundle, titles: ArtifactTitles = {}): string {
  const known = stepTitles(trans)[step.name];
  if (known !== undefined || !step.name.startsWith(ARTIFACT)) {
    return known ?? step.name;
  }
  const type = step.name.slice(ARTIFACT.length);
  return trans.__('Make %1', titles[type] ?? type);
}

/** Return the names of steps by their titles in the log, which is not translated. */
function namesByLogTitle(titles: ArtifactTitles): Map<string, string> {
  const trans = nullTranslator.load('jupyter_envstore');
  const names = [...Object.keys(stepTitles(trans)), ...Object.keys(titles).map(type => ARTIFACT + type)];
  return new Map(names.map(name => [stepTitle({ name }, trans, titles), name]));
}

/**
 * Return the lines of a log by step; lines before the first step have an empty key. If a step began again, its number
 * is part of its key: `artifact-installer#2`. `titles` are those of artifacts that other packages make.
 */
export function linesBySteps(lines: readonly string[], titles: ArtifactTitles = {}): Map<string, string[]> {
  const names = namesByLogTitle(titles);
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
