import type { TranslationBundle } from '@jupyterlab/translation';
import { isUnfinished } from '../store/accessors';
import type { EnvStoreApi } from '../store/api';
import type { IProgress } from '../store/types';

/** Pause between two looks at a build, in milliseconds, at first and at most: a build may take an hour. */
const PAUSE = 400;
const LONGEST_PAUSE = 2000;

/** Called with the progress of a build at each look. */
type OnProgress = (progress: IProgress) => void;

/** Bring a build back that was packed away; return its number once it can be used. */
export async function restored(api: EnvStoreApi, build: number, trans: TranslationBundle, onProgress: OnProgress): Promise<number> {
  await api.restore(build);
  return looked(async () => {
    const found = await api.build(build);
    if (!found.packed_away) {
      return found.number;
    }
    const progress = await api.progress(build);
    onProgress(progress);
    const { steps } = progress;
    if (!progress.busy && steps.some(step => step.state === 'failed')) {
      throw new Error(trans.__('see the log of build %1', found.number));
    }
    return undefined;
  }, trans);
}

/** Wait until a new build can be used. */
export async function built(api: EnvStoreApi, build: number, trans: TranslationBundle, onProgress: OnProgress): Promise<void> {
  await looked(async () => {
    const progress = await api.progress(build);
    onProgress(progress);
    if (isUnfinished(progress.status)) {
      return undefined;
    }
    if (progress.status !== 'COMPLETED') {
      throw new Error(progress.reason || trans.__('the build ended as %1', progress.status));
    }
    return true;
  }, trans);
}

/** Look again and again until there is something; `look` ends this by an error. */
export async function looked<T>(look: () => Promise<T | undefined>, trans: TranslationBundle, turns = Infinity): Promise<T> {
  for (let turn = 0; turn < turns; turn++) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    await new Promise(resolve => window.setTimeout(resolve, Math.min(PAUSE * 1.02 ** turn, LONGEST_PAUSE)));
  }
  throw new Error(trans.__('it takes a long time. The log shows the progress'));
}
