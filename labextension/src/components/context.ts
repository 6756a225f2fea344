import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../model';

/** What all parts of a view are given without being handed it. */
export const PanelContext = React.createContext<{ model: EnvStoreModel; trans: TranslationBundle } | null>(null);
