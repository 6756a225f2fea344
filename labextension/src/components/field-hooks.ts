import * as React from 'react';
import { PanelContext } from './panel-context';
import type { Take } from './pending-fields';

const TYPED = 'typed:';

/** Have this field asked before anything acts. */
export function usePending(take: Take): void {
  const fields = React.useContext(PanelContext)?.pending;
  const latest = React.useRef(take);
  latest.current = take;
  React.useEffect(() => fields?.add(() => latest.current()), [fields]);
}

/** Return what is called before something acts on what was typed; where it answers false, a field asks. */
export function useCommitPending(): () => Promise<boolean> {
  const fields = React.useContext(PanelContext)?.pending;
  return React.useCallback(async () => fields?.commit() ?? true, [fields]);
}

/** Return what tells whether something stands in a field that {@link useTyped} keeps. */
export function useHasTyped(): () => boolean {
  const memory = React.useContext(PanelContext)?.memory;
  return () => [...(memory ?? [])].some(([key, text]) => key.startsWith(TYPED) && Boolean(text));
}

/** Return the text of a field, kept while its part of the view is not drawn. */
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
