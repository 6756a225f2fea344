import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../store/model';
import type { PendingFields } from './pending-fields';

/** The context of all components of a view. */
export const PanelContext = React.createContext<{
  model: EnvStoreModel;
  trans: TranslationBundle;
  /** Data that was loaded, by name; shown until it is loaded again, or while the server is not connected. */
  memory: Map<string, unknown>;
  /** The fields whose text is used only after it was committed. */
  pending: PendingFields;
} | null>(null);
