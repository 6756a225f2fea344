import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { EnvStoreModel } from '../store/model';

/** The properties of all components of the panel and the views. */
export interface IProps {
  model: EnvStoreModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
}
