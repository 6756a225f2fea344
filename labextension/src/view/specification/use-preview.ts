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

/** Check a text while the user types, and solve it after a pause. */
export function usePreview(
  props: IProps & {
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
): IPreview {
  const { model, text, enabled, generation, against, excludeNewer } = props;
  const { namespace, name } = props.place;
  const quick = useDebounced(text, CHECK_PAUSE);
  const slow = useDebounced(text, SOLVE_PAUSE);
  const [checked, setChecked] = React.useState<{ text: string; value: IChecked } | null>(null);
  const [solved, setSolved] = React.useState<{ text: string; value: ISolved | null; error: Error | null } | null>(null);
  const [since, setSince] = React.useState<number | null>(null);
  const [platforms, setPlatforms] = React.useState<ReadonlyMap<string, true | string | null>>(new Map());
  const [turn, setTurn] = React.useState(0);
  const [keptFor, setKeptFor] = React.useState<string | null>(null);
  const isKept = keptFor === slow;
  const running = React.useRef<AbortController | null>(null);
  React.useEffect(() => setSolved(null), [generation]);
  const shown = React.useRef(generation);
  shown.current = generation;
  React.useEffect(() => setKeptFor(kept => (kept === slow ? kept : null)), [slow]);
  React.useEffect(() => setKeptFor(null), [namespace, name, generation]);

  React.useEffect(() => {
    let wanted = true;
    if (enabled && quick.trim()) {
      model.api.check(quick, { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }).then(
        value => wanted && setChecked({ text: quick, value }),
        (error: Error) => wanted && setSolved({ text: quick, value: null, error })
      );
    }
    return () => {
      wanted = false;
    };
  }, [model, quick, namespace, name, enabled, turn]);

  const clean =
    checked?.text === slow && checked.value.faults.length === 0 && !checked.value.refused && !checked.value.is_lockfile;
  React.useEffect(() => {
    if (!enabled || !clean) {
      return;
    }
    const stop = (running.current = new AbortController());
    setSince(Date.now());
    const listed = checked.value.platforms;
    const options = { signal: stop.signal, lastIndex: isKept, ...(excludeNewer ? { excludeNewer } : {}) };
    setPlatforms(new Map());
    model.api.solve(slow, { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }, options).then(
      value => {
        if (!stop.signal.aborted && shown.current === generation) {
          setSince(null);
          setSolved({ text: slow, value, error: null });
          void checkPlatforms(model.api, slow, { listed, own: value.platform, namespace }, options, setPlatforms);
        }
      },
      (error: Error) => {
        if (!stop.signal.aborted) {
          setSince(null);
          setSolved({ text: slow, value: null, error });
        }
      }
    );
    return () => stop.abort();
  }, [model, slow, clean, namespace, name, enabled, turn, isKept, against, excludeNewer]);

  const again = React.useCallback(() => {
    setKeptFor(null);
    setTurn(count => count + 1);
  }, []);
  useReconnected(solved?.error instanceof EnvStoreError && solved.error.code === 'network' ? again : null);

  return {
    checked: checked?.value ?? null,
    solved: solved?.value ?? null,
    error: solved?.text === text ? solved.error : null,
    lastError: solved?.error ?? null,
    since,
    current: solved?.text === text,
    platforms,
    stop: () => {
      running.current?.abort();
      setSince(null);
    },
    again,
    takeKept: () => setKeptFor(text),
    isImpossible: !isKept && solved?.text === text && isCertain(solved.error)
  };
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
