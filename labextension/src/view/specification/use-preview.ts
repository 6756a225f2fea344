import * as React from 'react';
import { useDebounced, useReconnected } from '../../components/hooks';
import type { IProps } from '../../components/props';
import type { EnvStoreApi } from '../../store/api';
import { EnvStoreError } from '../../store/errors';
import type { IChecked, IPlace, ISolved } from '../../store/types';

const CHECK_PAUSE = 250;
const SOLVE_PAUSE = 600;

/** The check and the solution of a text. */
export interface IPreview {
  checked: IChecked | null;
  solved: ISolved | null;
  error: Error | null;
  /** The error of the previous text; it is shown in grey until the new result is known. */
  lastError: Error | null;
  /** When the running solve began; null without one. */
  since: number | null;
  /** Whether the result belongs to the current text. */
  current: boolean;
  /** The platforms that the text lists, each with whether it fits there, or why not; null while that is looked for. */
  platforms: ReadonlyMap<string, true | string | null>;
  stop: () => void;
  again: () => void;
  /** Look at the text with the channels' indexes as they were read last. */
  takeKept: () => void;
  /** Whether a build of the text would fail for the same reason, as far as the channels are known now. */
  isImpossible: boolean;
}

interface IPreviewProps extends IProps {
  text: string;
  place: Partial<IPlace>;
  enabled: boolean;
  /** The active build that changes are told against: with another one, they are told anew. */
  against?: number | null;
  /** Another number for another text altogether: what is known of the one before is dropped. */
  generation?: number;
  /** Packages uploaded later are left out. */
  excludeNewer?: string | null;
}

/** What came of a text: its solution, or why there is none. */
interface ISolution {
  text: string;
  value: ISolved | null;
  error: Error | null;
}

/** Check a text while the user types, and solve it after a pause. */
export function usePreview(props: IPreviewProps): IPreview {
  const { text, generation } = props;
  const quick = useDebounced(text, CHECK_PAUSE);
  const slow = useDebounced(text, SOLVE_PAUSE);
  const [solved, setSolved] = React.useState<ISolution | null>(null);
  const [turn, setTurn] = React.useState(0);
  React.useEffect(() => setSolved(null), [generation]);
  const { isKept, setKeptFor } = useKeptIndexes(props, slow);
  const checked = useCheck(props, quick, turn, setSolved);
  const isClean =
    checked?.text === slow && checked.value.faults.length === 0 && !checked.value.refused && !checked.value.is_lockfile;
  const solving = useSolve(props, { text: slow, listed: isClean ? checked.value.platforms : null, turn, isKept }, setSolved);
  const again = React.useCallback(() => {
    setKeptFor(null);
    setTurn(count => count + 1);
  }, []);
  useReconnected(solved?.error instanceof EnvStoreError && solved.error.code === 'network' ? again : null);
  return {
    ...solving,
    checked: checked?.value ?? null,
    solved: solved?.value ?? null,
    error: solved?.text === text ? solved.error : null,
    lastError: solved?.error ?? null,
    current: solved?.text === text,
    again,
    takeKept: () => setKeptFor(text),
    isImpossible: !isKept && solved?.text === text && isCertain(solved.error)
  };
}

/** Keep for which text the channels' indexes are taken as they were read last: for the one that was asked about alone. */
function useKeptIndexes(
  { place, generation }: IPreviewProps,
  text: string
): { isKept: boolean; setKeptFor: (text: string | null) => void } {
  const [keptFor, setKeptFor] = React.useState<string | null>(null);
  React.useEffect(() => setKeptFor(kept => (kept === text ? kept : null)), [text]);
  React.useEffect(() => setKeptFor(null), [place.namespace, place.name, generation]);
  return { isKept: keptFor === text, setKeptFor };
}

/** Check a text; `fail` is told why that is not possible. */
function useCheck(
  { model, place, enabled }: IPreviewProps,
  text: string,
  turn: number,
  fail: (failed: ISolution) => void
): { text: string; value: IChecked } | null {
  const { namespace, name } = place;
  const [checked, setChecked] = React.useState<{ text: string; value: IChecked } | null>(null);
  React.useEffect(() => {
    let wanted = true;
    if (enabled && text.trim()) {
      model.api.check(text, placeOf(place)).then(
        value => wanted && setChecked({ text, value }),
        (error: Error) => wanted && fail({ text, value: null, error })
      );
    }
    return () => {
      wanted = false;
    };
  }, [model, text, namespace, name, enabled, turn]);
  return checked;
}

/** Solve a text that was checked, then find out on which of its platforms it fits; `tell` is told its solution. */
function useSolve(
  { model, place, enabled, generation, against, excludeNewer }: IPreviewProps,
  asked: {
    text: string;
    /** The platforms that the text lists; null where it cannot be solved. */
    listed: readonly string[] | null;
    turn: number;
    isKept: boolean;
  },
  tell: (solved: ISolution) => void
): Pick<IPreview, 'since' | 'platforms' | 'stop'> {
  const { namespace, name } = place;
  const { text, listed, turn, isKept } = asked;
  const [since, setSince] = React.useState<number | null>(null);
  const [platforms, setPlatforms] = React.useState<IPreview['platforms']>(new Map());
  const running = React.useRef<AbortController | null>(null);
  const shown = React.useRef(generation);
  shown.current = generation;
  React.useEffect(() => {
    if (!enabled || !listed) {
      return;
    }
    const stop = (running.current = new AbortController());
    setSince(Date.now());
    const options = { signal: stop.signal, lastIndex: isKept, ...(excludeNewer ? { excludeNewer } : {}) };
    setPlatforms(new Map());
    model.api.solve(text, placeOf(place), options).then(
      value => {
        if (!stop.signal.aborted && shown.current === generation) {
          setSince(null);
          tell({ text, value, error: null });
          void checkPlatforms(model.api, text, { listed, own: value.platform, namespace }, options, setPlatforms);
        }
      },
      (error: Error) => {
        if (!stop.signal.aborted) {
          setSince(null);
          tell({ text, value: null, error });
        }
      }
    );
    return () => stop.abort();
  }, [model, text, listed !== null, namespace, name, enabled, turn, isKept, against, excludeNewer]);
  const stop = () => {
    running.current?.abort();
    setSince(null);
  };
  return { since, platforms, stop };
}

/** Return those names of a place that there are. */
function placeOf({ namespace, name }: Partial<IPlace>): Partial<IPlace> {
  return { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
}

function isCertain(error: Error | null): boolean {
  return error instanceof EnvStoreError && error.code === 'unsatisfiable';
}

/** Find out on which of the listed platforms a text fits, one after the other, and tell each answer. */
async function checkPlatforms(
  api: EnvStoreApi,
  text: string,
  where: { listed: readonly string[]; own: string; namespace: string | undefined },
  options: { signal: AbortSignal; lastIndex: boolean; excludeNewer?: string },
  tell: (platforms: IPreview['platforms']) => void
): Promise<void> {
  const { listed, own, namespace } = where;
  const found = new Map<string, true | string | null>(listed.map(platform => [platform, platform === own || null]));
  for (const platform of listed.filter(one => one !== own)) {
    tell(new Map(found));
    const answer = await api.solve(text, namespace ? { namespace } : {}, { ...options, platform }).then(
      () => true as const,
      // a server that is busy, or a channel that is away, says nothing about the platform
      (error: Error) => (isCertain(error) ? error.message.split('\n')[0] ?? '' : null)
    );
    if (options.signal.aborted) {
      return;
    }
    found.set(platform, answer);
  }
  tell(new Map(found));
}
