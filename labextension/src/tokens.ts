import { Token } from '@lumino/coreutils';
import type { KernelBuilds } from './store/kernel-builds';
import type { EnvStoreModel } from './store/model';

/** The environment store, as other extensions see it. */
export const IEnvStore = new Token<IEnvStore>(
  'jupyter-envstore:IEnvStore',
  'What is in the environment store: environments with their states, a signal when something changed, the REST API.'
);

export type IEnvStore = EnvStoreModel;

/** The builds that kernels were started in. */
export const IKernelBuilds = new Token<IKernelBuilds>(
  'jupyter-envstore:IKernelBuilds',
  'The build of an environment that each running kernel was started in.'
);

export type IKernelBuilds = KernelBuilds;
