import * as React from 'react';
import type { IShow } from './view-types';

/** What was asked for and done: whatever is drawn anew does not do it again. */
const done = new WeakSet<IShow>();

/** Give something the focus each time that a view is asked for it, once it is drawn. */
export function useRequestedFocus(asked: IShow | undefined, what: IShow['focus'], focus: () => void): void {
  React.useEffect(() => {
    if (asked && what && asked.focus === what && !done.has(asked)) {
      done.add(asked);
      focus();
    }
  }, [asked]);
}
