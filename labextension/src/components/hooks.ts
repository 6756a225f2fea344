import * as React from 'react';
import type { EnvStoreModel } from '../store/model';
import { PanelContext } from './panel-context';

/**
 * Keep the focus in a part of the page: if the focused element is removed, the first element that matches the selector
 * gets the focus. If the user focused another part meanwhile, nothing is done.
 */
export function useKeptFocus(selector: string): React.RefCallback<HTMLElement> {
  const undo = React.useRef<() => void>(() => undefined);
  return React.useCallback(
    (node: HTMLElement | null) => {
      undo.current();
      undo.current = () => undefined;
      if (!node) {
        return;
      }
      let last: Element | null = null;
      const onIn = (event: FocusEvent) => {
        last = event.target as Element;
      };
      const onOut = (event: FocusEvent) => {
        const left = event.target as Element; // it is told before an element is taken away, too
        window.setTimeout(() => {
          if (last === left && left.isConnected && !left.matches(':disabled') && document.hasFocus()) {
            last = null; // it went elsewhere by itself
          }
        });
      };
      const watcher = new MutationObserver(() => {
        if (last && !last.isConnected && (document.activeElement === document.body || !document.activeElement)) {
          last = null;
          node.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
        }
      });
      node.addEventListener('focusin', onIn);
      node.addEventListener('focusout', onOut);
      watcher.observe(node, { childList: true, subtree: true });
      undo.current = () => {
        watcher.disconnect();
        node.removeEventListener('focusin', onIn);
        node.removeEventListener('focusout', onOut);
      };
    },
    [selector]
  );
}

/** Render again whenever the model has changed. */
export function useModel(model: EnvStoreModel): void {
  const [, tick] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => tick();
    model.changed.connect(slot);
    return () => {
      model.changed.disconnect(slot);
    };
  }, [model]);
}

/** Data that is loaded: its value, or the error. */
export interface ILoaded<T> {
  value: T | undefined;
  error: Error | undefined;
  reload: () => void;
}

/**
 * Load data, and load it again when `keys` change; the previous data is shown until then. The answer of an earlier
 * request is ignored. Data with a `name` is shown again by the next component that asks for the same name.
 */
export function useLoaded<T>(load: (() => Promise<T>) | null, keys: React.DependencyList, name?: string): ILoaded<T> {
  const memory = React.useContext(PanelContext)?.memory;
  const [state, setState] = React.useState<{ value?: T; error?: Error }>(() =>
    load && name && memory?.has(name) ? { value: memory.get(name) as T } : {}
  );
  const [turn, setTurn] = React.useState(0);
  React.useEffect(() => {
    let wanted = true;
    load?.().then(
      value => {
        if (wanted) {
          setState({ value });
          if (name) {
            memory?.set(name, value);
          }
        }
      },
      (error: Error) => wanted && setState(old => ({ ...old, error }))
    );
    return () => {
      wanted = false;
    };
  }, [...keys, turn]);
  const reload = React.useCallback(() => setTurn(count => count + 1), []);
  useReconnected(state.error ? reload : null);
  return { value: state.value, error: state.error, reload };
}

/** Call `again`, if given, when the server is connected again. */
export function useReconnected(again: (() => void) | null): void {
  const model = React.useContext(PanelContext)?.model;
  React.useEffect(() => {
    let wasAway = model ? !model.isConnected : false;
    const slot = (): void => {
      if (model!.isConnected && wasAway) {
        again?.();
      }
      wasAway = !model!.isConnected;
    };
    if (again) {
      model?.changed.connect(slot);
    }
    return () => {
      model?.changed.disconnect(slot);
    };
  }, [model, again]);
}

/** Call `reload` when a build (or all) may have changed. */
export function useStale(model: EnvStoreModel, build: number | null, reload: () => void): void {
  React.useEffect(() => {
    const slot = (_: unknown, change: { builds: ReadonlySet<number> | null }) => {
      if (build === null || change.builds === null || change.builds.has(build)) {
        reload();
      }
    };
    model.stale.connect(slot);
    return () => {
      model.stale.disconnect(slot);
    };
  }, [model, build, reload]);
}

/** Return a value after it has not changed for some milliseconds. */
export function useDebounced<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = React.useState(value);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), milliseconds);
    return () => window.clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Return the current time, updated every `milliseconds`. */
export function useNow(milliseconds: number | null): Date {
  const [now, setNow] = React.useState(() => new Date());
  React.useEffect(() => {
    if (milliseconds === null) {
      return;
    }
    const timer = window.setInterval(() => setNow(new Date()), milliseconds);
    return () => window.clearInterval(timer);
  }, [milliseconds]);
  return now;
}
