import type { TranslationBundle } from '@jupyterlab/translation';
import { whole } from '../store/accessors';
import type { EnvStoreModel } from '../store/model';
import type { IPlace } from '../store/types';

/** Build a specification in a new environment; return the build. One that has the name by now is never built anew. */
export async function submitNew(
  model: EnvStoreModel,
  specification: string,
  place: IPlace,
  trans: TranslationBundle,
  excludeNewer: string | null = null
): Promise<number> {
  const known = await model.api.environments();
  if (known.some(item => item.namespace.name === place.namespace && item.name === place.name)) {
    throw new Error(trans.__('%1 was made meanwhile. Go back for another name', whole(place)));
  }
  return (await model.api.submit(specification, place.namespace, place.name, undefined, excludeNewer)).build;
}
