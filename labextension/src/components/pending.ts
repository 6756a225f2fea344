import * as React from 'react';
import { PanelContext } from './context';

const TYPED = 'typed:';

/** Take what is typed in a field, as Enter there would; false where it cannot be: the field says what to do. */
type Take = () => boolean | Promise<boolean>;

/**
 * The fields of a view whose text counts only once it was taken: with Enter, or a button beside it. Whatever acts on what
 * was taken asks them first, so that nothing typed is left out without a word.
 */
export class PendingFields {
  /** Ask a field from now on; the answer ends that. */
  add(take: Take): () => void {
    this._fields.add(take);
    return () => void this._fields.delete(take);
  }

  /** Have each field take what is typed in it; false where one must ask. */
  async settle(): Promise<boolean> {
    for (const take of [...this._fields]) {
      if (!(await take())) {
        return false;
      }
    }
    return true;
  }

  private readonly _fields = new Set<Take>();
}

/** Have this field asked before anything acts. */
export function usePending(take: Take): void {
  const fields = React.useContext(PanelContext)?.pending;
  const latest = React.useRef(take);
  latest.current = take;
  React.useEffect(() => fields?.add(() => latest.current()), [fields]);
}

/** Return what is called before something acts on what was typed; where it answers false, a field asks. */
export function useSettle(): () => Promise<boolean> {
  const fields = React.useContext(PanelContext)?.pending;
  return React.useCallback(async () => fields?.settle() ?? true, [fields]);
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
