import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { age, moment } from '../presentation/formats';
import { builtOn } from '../presentation/status';
import type { IBuild } from '../store/types';

const TICK = 20_000;

/** The current time, for all ages on the page, so that they are consistent. */
class Clock {
  readonly read = (): Date => this._now;

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this._listeners.size === 0) {
      this._now = new Date();
      this._timer = window.setInterval(() => this._tick(), TICK);
    }
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
      if (this._listeners.size === 0) {
        window.clearInterval(this._timer);
      }
    };
  };

  private _tick(): void {
    this._now = new Date();
    for (const listener of [...this._listeners]) {
      listener();
    }
  }

  private _now = new Date();
  private _timer = 0;
  private readonly _listeners = new Set<() => void>();
}

const clock = new Clock();

/** Return the current time for ages; the component is rendered again when it changes. */
export function useClock(): Date {
  return React.useSyncExternalStore(clock.subscribe, clock.read);
}

/** How long ago a build ended, or was requested; the tooltip is the exact time. */
export function Age(props: { build: IBuild | null | undefined; trans: TranslationBundle }): React.ReactElement {
  const now = useClock();
  const at = builtOn(props.build);
  return (
    <time className="jp-EnvStore-age" dateTime={at ? `${at}Z` : undefined} title={moment(at)}>
      {age(at, now, props.trans)}
    </time>
  );
}
