import * as React from 'react';
import type { INewDraft, Origin } from './new-environment-draft';

/** The text that a new environment begins with. */
export const BASE = 'dependencies:\n  - python\n  - ipykernel\n';

/** The fields of the form, and how they are changed. */
export interface INewEnvironmentFields {
  name: string;
  setName: React.Dispatch<React.SetStateAction<string>>;
  /** Whether somebody typed the name: then no file gives another one. */
  isTyped: React.MutableRefObject<boolean>;
  /** The namespace that was chosen; empty for the first that the user may write. */
  namespace: string;
  setNamespace: (namespace: string) => void;
  description: string;
  setDescription: (description: string) => void;
  from: Origin;
  setFrom: (from: Origin) => void;
  text: string;
  /** The text at this moment, though the form may not be drawn with it yet. */
  latest: React.MutableRefObject<string>;
  setText: (text: string) => void;
  /** The text and description that were given, not typed by the user. */
  given: { text: string; description: string };
  setGiven: (given: { text: string; description: string }) => void;
}

/** The fields of the form, as they were written before the page was loaded anew. */
export function useFields(kept: INewDraft | undefined): INewEnvironmentFields {
  const [from, setFrom] = React.useState<Origin>(kept?.from ?? 'packages');
  const [name, setName] = React.useState(kept?.name ?? '');
  const [namespace, setNamespace] = React.useState(kept?.namespace ?? '');
  const [description, setDescription] = React.useState(kept?.description ?? '');
  const [text, show] = React.useState(kept?.text ?? BASE);
  const [given, setGiven] = React.useState(kept?.given ?? { text: BASE, description: '' });
  const isTyped = React.useRef(kept?.isTyped ?? false);
  const latest = React.useRef(text); // what is taken a moment before a build must be in it
  const setText = (next: string) => {
    latest.current = next;
    show(next);
  };
  return {
    ...{ name, setName, isTyped, namespace, setNamespace, description, setDescription },
    ...{ from, setFrom, text, latest, setText, given, setGiven }
  };
}
