import type { EnvStoreModel } from '../store/model';
import type { IPlace } from '../store/types';

/**
 * Build a specification in a new environment; return the build. One that has the name by now is never built anew.
 * With `accept`, the specification is from elsewhere, and packages may come from these addresses, too.
 */
export async function submitNew(
  model: EnvStoreModel,
  specification: string,
  place: IPlace,
  excludeNewer: string | null = null,
  accept?: readonly string[]
): Promise<number> {
  const foreign = { isNew: true, accept };
  return (await model.api.submit(specification, place.namespace, place.name, undefined, excludeNewer, foreign)).build;
}
