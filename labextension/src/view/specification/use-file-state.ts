import * as React from 'react';
import { largeTexts } from '../../storage/large-texts';
import type { IFileDraft } from '../shared/file-draft';
import { type IImport, NOTHING_READ } from './imported-file';

/** A file, and what the server found in it. */
export type IReadFile = IFileDraft & Pick<IImport, 'changes' | 'offer' | 'isLockfile'>;

/** The file of an import, as it is kept while its choices change. */
export interface IFileState {
  /** What is shown: what was taken, with a choice that is on its way. */
  file: IReadFile;
  /** What was taken last; a choice that is on its way is not here yet. */
  latest: React.MutableRefObject<IReadFile>;
  /** Show a choice while it is on its way. */
  show: (file: IReadFile) => void;
  /** Keep what was taken, and show it. */
  setFile: (file: IReadFile) => void;
  /** Whether nothing of the file could be taken yet. */
  isBad: React.MutableRefObject<boolean>;
  unkept: IImport['unkept'];
  setUnkept: (unkept: IImport['unkept']) => void;
  /** Tell where a large file will not be there after a reload. */
  watch: (file: IFileDraft) => Promise<void>;
  isUndone: boolean;
  setUndone: (isUndone: boolean) => void;
}

/** Keep the file of an import. */
export function useFileState(): IFileState {
  const [file, show] = React.useState<IReadFile>(NOTHING_READ);
  const latest = React.useRef(file);
  const isBad = React.useRef(false);
  const [unkept, setUnkept] = React.useState<IImport['unkept']>(null);
  const [isUndone, setUndone] = React.useState(false);
  const setFile = (next: IReadFile) => {
    latest.current = next;
    show(next);
  };
  const watch = async ({ at }: IFileDraft) => {
    if (at && !(await largeTexts.isStored(at)) && latest.current.at === at) {
      setUnkept('too large');
    }
  };
  return { file, latest, show, setFile, isBad, unkept, setUnkept, watch, isUndone, setUndone };
}
