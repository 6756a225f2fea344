import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { EnvStoreModel } from '../store/model';

/** What every part of the panel and the views is given. */
export interface IProps {
  model: EnvStoreModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
}
