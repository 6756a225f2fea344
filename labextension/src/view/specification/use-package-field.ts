import * as React from 'react';
import { usePending, useTyped } from '../../components/field-hooks';
import type { IProps } from '../../components/props';
import type { ICompleter } from './package-completer';
import { isSpec, specsIn } from './requirements';
import { meaningOf, noSpec } from './typed-packages';
import type { IPackageChoices } from './use-package-choices';

/** What a field for packages needs. */
export interface IPackageFieldProps extends Pick<IProps, 'trans'> {
  completer: ICompleter;
  /** Take packages; what cannot be taken (false) stays in the field. */
  onAdd: (specs: string[]) => unknown;
  /** Called before the field asks something, so that it can be made visible. */
  onAsk?: () => void;
}

/** What is typed in a field for packages, and how it is taken. */
export interface IPackageField {
  field: React.RefObject<HTMLInputElement>;
  text: string;
  setText: (text: string) => void;
  /** Change the text as a user does: the list of choices opens. */
  type: (text: string) => void;
  /** Whether the list of choices is open. */
  isOpen: boolean;
  setOpen: (isOpen: boolean) => void;
  /** The place of the choice that arrow keys went to; null before they were used. */
  chosen: number | null;
  setChosen: (chosen: number | null) => void;
  /** Take one of the choices. */
  choose: (spec: string) => void;
  /**
   * Take what was typed, without a choice in the list; false where that was refused. With `isOffered`, the list offers
   * it from PyPI, and nothing else.
   */
  take: (isOffered: boolean) => Promise<boolean>;
  /** Whether channels are asked what was meant. */
  isLooking: boolean;
  /** Why it cannot be taken; empty where it can. */
  problem: string;
}

/** Keep what is typed in a field for packages; it is taken before an action that needs it, too. */
export function usePackageField(props: IPackageFieldProps, channels: string[]): IPackageField {
  const { completer, trans, onAdd, onAsk } = props;
  const [text, setText] = useTyped('package');
  const [isLooking, setLooking] = React.useState(false);
  const [chosen, setChosen] = React.useState<number | null>(null);
  const [isOpen, setOpen] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const latest = React.useRef(text);
  latest.current = text;
  const reset = (open: boolean) => {
    setOpen(open);
    setChosen(null);
    setProblem('');
  };
  const add = async (specs: string[], typed: string): Promise<boolean> => {
    reset(false);
    if ((await onAdd(specs)) === false) {
      return false;
    }
    if (latest.current === typed) {
      setText(''); // what was typed on meanwhile stays
    }
    return true;
  };
  const take = async (isOffered: boolean): Promise<boolean> => {
    const typed = latest.current;
    if (!typed.trim()) {
      return true;
    }
    setLooking(true);
    const { specs, problem: words } = await meaningOf(typed, channels, completer, trans, isOffered);
    setLooking(false);
    if (!specs) {
      setProblem(words);
      setOpen(true);
      onAsk?.();
      window.setTimeout(() => field.current?.focus(), 0); // once it is seen
      return false;
    }
    return add(specs, typed);
  };
  usePending(() => take(false));
  return {
    ...{ field, text, setText, isOpen, setOpen, chosen, setChosen, take, isLooking, problem },
    type: next => {
      setText(next);
      reset(true);
    },
    choose: spec => (isSpec(spec) ? void add(specsIn(spec), text) : setProblem(noSpec(spec, trans)))
  };
}

/** Do what a key is for in the field; other keys are left to the page. `active` is the place of what is highlighted. */
export function handleFieldKey(
  event: React.KeyboardEvent,
  typed: IPackageField,
  found: IPackageChoices,
  active: number,
  isShown: boolean
): void {
  const { choices, offers } = found;
  const offer = offers[active];
  const keys: Record<string, (() => void) | false | undefined> = {
    ArrowDown: () => {
      typed.setOpen(true);
      typed.setChosen(Math.min(active + 1, choices.length - 1));
    },
    ArrowUp: () => typed.setChosen(Math.max(active - 1, 0)),
    Enter: typed.text.trim() !== '' && (() => takeActive(typed, found, active)),
    Tab: isShown && offer !== undefined && (() => typed.setText(offer)),
    Escape: isShown && (() => typed.setOpen(false))
  };
  const act = keys[event.key];
  if (act) {
    act();
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Take the choice that is highlighted, or what was typed where it is meant as it stands. */
function takeActive(typed: IPackageField, { choices, offers, isKnown, isUnknown }: IPackageChoices, active: number): void {
  const { text, chosen } = typed;
  const exact = choices.find(choice => choice.spec === text.trim().toLowerCase());
  if (active >= 0 && isKnown && offers.length && !(chosen === null && exact)) {
    typed.choose(choices[active]!.spec);
  } else if (chosen !== null && chosen >= 0) {
    typed.choose(choices[chosen]?.spec ?? text.trim());
  } else {
    void typed.take(isUnknown && choices.length === 1);
  }
}
