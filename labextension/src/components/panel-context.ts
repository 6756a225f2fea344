import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../store/model';
import type { PendingFields } from './pending-fields';

/** What all parts of a view are given without being handed it. */
export const PanelContext = React.createContext<{
  model: EnvStoreModel;
  trans: TranslationBundle;
  /** What was loaded last, by its name: shown again until it is loaded anew, or while the server is away. */
  memory: Map<string, unknown>;
  /** The fields whose text is not taken as one types. */
  pending: PendingFields;
} | null>(null);
