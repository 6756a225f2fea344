import * as React from 'react';
import { PanelContext } from '../../components/panel-context';
import type { EnvStoreModel } from '../../store/model';
import type { IBuild } from '../../store/types';

const SEEN = 'log';

/** What was read of the log that was looked at last. */
interface ISeen {
  build: number;
  lines: string[];
  bytes: number;
  rest: string;
}

/** Read the log of a build line by line as it grows, until all that is busy with the build has ended. */
export function useLogLines(model: EnvStoreModel, build: IBuild, busy: boolean): { lines: string[]; error: Error | null } {
  const [lines, setLines] = React.useState<string[]>([]);
  const [error, setError] = React.useState<Error | null>(null);
  const seen = React.useRef({ bytes: 0, rest: '' });
  const memory = React.useContext(PanelContext)?.memory;
  React.useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const last = memory?.get(SEEN) as ISeen | undefined; // of the tab that was shown before, or of what ran before
    const kept = last?.build === build.id ? last : null;
    let all = kept?.lines ?? [];
    setLines(all);
    setError(null);
    seen.current = { bytes: kept?.bytes ?? 0, rest: kept?.rest ?? '' };
    const encoder = new TextEncoder();
    const take = (text: string) => {
      seen.current.bytes += encoder.encode(text).length;
      const parts = (seen.current.rest + text).split('\n');
      seen.current.rest = parts.pop() ?? '';
      if (parts.length) {
        all = [...all, ...parts];
        setLines(all);
      }
      memory?.set(SEEN, { build: build.id, lines: all, ...seen.current } satisfies ISeen);
    };
    const run = async () => {
      try {
        await model.api.follow(build.id, seen.current.bytes, take, stop.signal);
        setError(null);
      } catch (reason) {
        if (stop.signal.aborted) {
          return;
        }
        setError(reason as Error);
        timer = window.setTimeout(() => void run(), 3000); // from where it was cut off
      }
    };
    void run();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [model, build.id, busy, build.status === 'QUEUED']);
  return { lines, error };
}
