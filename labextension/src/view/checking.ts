import * as React from 'react';
import { EnvStoreError } from '../refusal';
import type { IProps } from '../components/basics';
import { useSettled } from '../components/hooks';
import type { IChecked, IFault, IPlace, ISolved } from '../types';

const CHECK_PAUSE = 250;
const SOLVE_PAUSE = 600;

/** What is known of a text: its faults at once, what it would install a little later. */
export interface IPreview {
  checked: IChecked | null;
  solved: ISolved | null;
  error: Error | null;
  /** When the solve that goes on began; null without one. */
  since: number | null;
  /** Whether what is shown belongs to the text as it is now. */
  current: boolean;
  /** The platforms that the text lists, each with whether it fits there, or why not; null while that is looked for. */
  platforms: ReadonlyMap<string, true | string | null>;
  stop: () => void;
  again: () => void;
}

/** Check a text as one types, and find out after a pause what it would install. */
export function usePreview(
  props: IProps & {
    text: string;
    place: Partial<IPlace>;
    enabled: boolean;
    /** Another number for another text altogether: what is known of the one before is dropped. */
    generation?: number;
  }
): IPreview {
  const { model, text, enabled, generation } = props;
  const { namespace, name } = props.place;
  const quick = useSettled(text, CHECK_PAUSE);
  const slow = useSettled(text, SOLVE_PAUSE);
  const [checked, setChecked] = React.useState<{ text: string; value: IChecked } | null>(null);
  const [solved, setSolved] = React.useState<{ text: string; value: ISolved | null; error: Error | null } | null>(null);
  const [since, setSince] = React.useState<number | null>(null);
  const [platforms, setPlatforms] = React.useState<ReadonlyMap<string, true | string | null>>(new Map());
  const [turn, setTurn] = React.useState(0);
  const running = React.useRef<AbortController | null>(null);
  React.useEffect(() => setSolved(null), [generation]);

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
    setPlatforms(new Map());
    const lookAtPlatforms = async () => {
      const found = new Map<string, true | string | null>(listed.map(platform => [platform, null]));
      for (const platform of listed) {
        setPlatforms(new Map(found));
        const answer = await model.api.solve(slow, namespace ? { namespace } : {}, stop.signal, platform).then(
          () => true as const,
          // a server that is busy, or a channel that is away, says nothing about the platform
          (error: Error) => (isCertain(error) ? error.message.split('\n')[0] ?? '' : null)
        );
        if (stop.signal.aborted) {
          return;
        }
        found.set(platform, answer);
      }
      setPlatforms(new Map(found));
    };
    model.api.solve(slow, { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) }, stop.signal).then(
      value => {
        if (!stop.signal.aborted) {
          setSince(null);
          setSolved({ text: slow, value, error: null });
          void lookAtPlatforms();
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
  }, [model, slow, clean, namespace, name, enabled, turn]);

  return {
    checked: checked?.value ?? null,
    solved: solved?.value ?? null,
    error: solved?.text === text ? solved.error : null,
    since,
    current: solved?.text === text,
    platforms,
    stop: () => {
      running.current?.abort();
      setSince(null);
    },
    again: () => setTurn(count => count + 1)
  };
}

/** Whether a build of the text would fail for the same reason, as far as the channels are known. */
export function isCertain(error: Error | null): boolean {
  return error instanceof EnvStoreError && error.code === 'unsatisfiable';
}

/** Return the lines that a refusal is about: those that list a package that is in no channel. */
export function faultsOf(error: Error | null, text: string): IFault[] {
  const name = /^no package ([A-Za-z0-9_.-]+)/.exec(error?.message ?? '')?.[1];
  if (!error || !name) {
    return [];
  }
  const listed = listing(name);
  const line = text.split('\n').findIndex(content => !/^\s*(#|name:|description:)/.test(content) && listed.test(content));
  const meant = error instanceof EnvStoreError ? error.suggestions[name] ?? [] : [];
  return line < 0
    ? []
    : [
        {
          line: line + 1,
          field: 'dependencies',
          message: error.message.split('\n')[0] ?? '',
          ...(meant.length ? { fix: { word: name, meant } } : {})
        }
      ];
}

/** Return what finds a package's name in a line, as a word of its own. */
function listing(name: string): RegExp {
  return new RegExp(`(^|[\\s\\[,:'"])${name.replace(/[.]/g, '\\.')}(?![A-Za-z0-9_.-])`, 'i');
}

/** Return a text with the wrong word of a line put right. */
export function fixed(text: string, fault: IFault, meant: string): string {
  const lines = text.split('\n');
  const place = (fault.line ?? 1) - 1;
  lines[place] = (lines[place] ?? '').replace(listing(fault.fix?.word ?? ''), (_, before: string) => before + meant);
  return lines.join('\n');
}
