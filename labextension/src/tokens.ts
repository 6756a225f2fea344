import { Token } from '@lumino/coreutils';
import type { EnvStoreModel } from './store/model';

/** The environment store, as other extensions see it. */
export const IEnvStore = new Token<IEnvStore>(
  'jupyter-envstore:IEnvStore',
  'What is in the environment store: environments with their states, a signal when something changed, the REST API.'
);

export type IEnvStore = EnvStoreModel;
