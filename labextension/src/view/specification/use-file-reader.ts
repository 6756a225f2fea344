import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../../store/model';
import type { IChecked, IPick, IPlace } from '../../store/types';
import { isBinary } from './file-sources';
import { hasChoice } from './imported-file';

/** Reads files with the help of the server. */
export interface IFileReader {
  /** Have the server read a text; null where something else was asked for meanwhile, or it cannot be read. */
  read: (content: string, fileName: string, keep?: readonly string[], pick?: IPick) => Promise<IChecked | null>;
  /** The number of the last request. */
  turn: React.MutableRefObject<number>;
  /** Why a text cannot be read. */
  error: string;
  setError: (error: string) => void;
  /** Why a choice cannot be taken. */
  problem: string;
  setProblem: (problem: string) => void;
}

/** Let the server read texts; an answer is ignored if another request was sent after it. */
export function useFileReader(model: EnvStoreModel, trans: TranslationBundle, place: Partial<IPlace>): IFileReader {
  const turn = React.useRef(0);
  const [error, setError] = React.useState('');
  const [problem, setProblem] = React.useState('');
  const { namespace, name } = place;
  const read = async (
    content: string,
    fileName: string,
    keep: readonly string[] = [],
    pick: IPick = {}
  ): Promise<IChecked | null> => {
    setError('');
    setProblem('');
    const asked = ++turn.current;
    try {
      const where = { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
      const found = await model.api.check(content, where, fileName, keep, pick);
      if (asked !== turn.current) {
        return null;
      }
      if (!content.trim() || (found.faults.length && isBinary(content))) {
        setError(found.faults[0]?.message ?? trans.__('%1 is empty.', fileName));
        return null;
      }
      if (hasChoice(found.offer) && isRefused(found, content)) {
        setProblem(found.faults[0]!.message); // what else there is stands beside
      }
      return found;
    } catch (reason) {
      if (asked === turn.current) {
        setError((reason as Error).message);
      }
      return null;
    }
  };
  return { read, turn, error, setError, problem, setProblem };
}

/** Whether nothing of a text could be taken: it came back as it was, with faults. */
export function isRefused(found: IChecked, content: string): boolean {
  return found.faults.length > 0 && found.text === content;
}
