import * as React from 'react';
import type { IShow } from './view-types';

/** Requests that were handled, so that a component that is rendered again does not handle them again. */
const done = new WeakSet<IShow>();

/** Give a component the focus each time that a view is asked for it. */
export function useRequestedFocus(asked: IShow | undefined, what: IShow['focus'], focus: () => void): void {
  React.useEffect(() => {
    if (asked && what && asked.focus === what && !done.has(asked)) {
      done.add(asked);
      focus();
    }
  }, [asked]);
}
