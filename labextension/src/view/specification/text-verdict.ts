import * as React from 'react';
import type { IFault } from '../../store/types';
import type { IImport } from './imported-file';
import { faultsOf } from './specification-fixes';
import type { IPreview } from './use-preview';

/** Whether a text can be built. */
export interface ITextVerdict {
  /** What is wrong with the text itself. */
  faults: readonly IFault[];
  /** What the editor marks: faults, and lines that the channels cannot satisfy. */
  marked: IFault[];
  /** What has to be chosen before the text is one that can be checked; null for nothing. */
  open: string | null;
  /** Whether a build of it would be refused, or would fail. */
  isBlocked: boolean;
}

/** Judge a text by its check and its preview. */
export function useTextVerdict(text: string, preview: IPreview, imported: IImport): ITextVerdict {
  const faults = preview.checked?.faults ?? [];
  const open = text === imported.text ? imported.open : null;
  const marked = React.useMemo(() => (open ? [] : [...faults, ...faultsOf(preview.error, text)]), [open, faults, preview.error, text]);
  const isBlocked = faults.length > 0 || Boolean(preview.checked?.refused) || preview.isImpossible;
  return { faults, marked, open, isBlocked };
}
