import * as React from 'react';
import { PanelContext } from './panel-context';
import type { Take } from './pending-fields';

const TYPED = 'typed:';

/** Commit the text of this field before an action uses it. */
export function usePending(take: Take): void {
  const fields = React.useContext(PanelContext)?.pending;
  const latest = React.useRef(take);
  latest.current = take;
  React.useEffect(() => fields?.add(() => latest.current()), [fields]);
}

/** Return a function that commits all fields before an action; if it returns false, a field asks the user something. */
export function useCommitPending(): () => Promise<boolean> {
  const fields = React.useContext(PanelContext)?.pending;
  return React.useCallback(async () => fields?.commit() ?? true, [fields]);
}

/** Return a function that tells whether a field of {@link useTyped} has text. */
export function useHasTyped(): () => boolean {
  const memory = React.useContext(PanelContext)?.memory;
  return () => [...(memory ?? [])].some(([key, text]) => key.startsWith(TYPED) && Boolean(text));
}

/** Return a function that tells the text of a field of {@link useTyped}, wherever in the view the field is. */
export function useTypedText(name: string): () => string {
  const memory = React.useContext(PanelContext)?.memory;
  return () => (memory?.get(TYPED + name) as string | undefined) ?? '';
}

/** Return the text of a field; it is kept while that part of the view is not rendered. */
export function useTyped(name: string): [string, (text: string) => void] {
  const memory = React.useContext(PanelContext)?.memory;
  const key = TYPED + name;
  const [text, setText] = React.useState(() => (memory?.get(key) as string | undefined) ?? '');
  const type = React.useCallback(
    (next: string) => {
      memory?.set(key, next);
      setText(next);
    },
    [memory, key]
  );
  return [text, type];
}
