import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { looked } from '../presentation/build-ends';
import type { EnvStoreModel } from '../store/model';
import type { IPlace } from '../store/types';
import type { NotebookBonds } from './notebook-bonds';

/** How many times it is looked whether a new environment has a kernel. */
const KERNEL_TURNS = 60;

/** Return the kernels of an environment, once the server knows them. */
export async function kernelsOf(model: EnvStoreModel, place: IPlace, trans: TranslationBundle): Promise<readonly string[]> {
  return looked(
    async () => {
      const item = await model.api.environment(place);
      if (item.kernel_note && item.active) {
        throw new Error(item.kernel_note);
      }
      return item.kernels.length ? item.kernels : undefined;
    },
    trans,
    KERNEL_TURNS
  );
}

/**
 * Start one of some kernels in a notebook, the first that speaks its language; the notebook remembers its build.
 *
 * With `build`, it is waited for until JupyterLab knows the kernel of this build: that of the one before has the same name.
 * A kernel that the user chose since the one with the id `before` ran is left alone.
 */
export async function startKernel(
  panel: NotebookPanel,
  bonds: NotebookBonds,
  kernels: readonly string[],
  trans: TranslationBundle,
  before: string | undefined,
  build?: number
): Promise<void> {
  const { sessionContext } = panel;
  const { specsManager } = sessionContext;
  const language = (panel.model?.defaultKernelLanguage || sessionContext.kernelPreference.language) ?? '';
  const name = await looked(
    async () => {
      await specsManager.refreshSpecs();
      const specs = specsManager.specs?.kernelspecs ?? {};
      const found = kernels.find(id => specs[id]?.language === language) ?? kernels[0];
      const told: any = found && specs[found]?.metadata?.envstore;
      return build === undefined || !found || told?.build_id === build ? (found ?? '') : undefined;
    },
    trans,
    KERNEL_TURNS
  );
  if (!name) {
    throw new Error(trans.__('it has no kernel'));
  }
  const running = sessionContext.session?.kernel;
  if (running && running.id !== before) {
    throw new Error(trans.__('The environment is ready, but another kernel was chosen meanwhile. It goes on; choose the new one by its name'));
  }
  await sessionContext.changeKernel({ name });
  await bonds.remember(panel);
}
