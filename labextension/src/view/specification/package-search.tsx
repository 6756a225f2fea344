import * as React from 'react';
import { usePending, useTyped } from '../../components/field-hooks';
import { useDebounced, useLoaded } from '../../components/hooks';
import type { IProps } from '../../components/props';
import type { IFoundPackage } from '../../store/types';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import type { ICompleter } from './package-completer';
import { isSpec, specsIn } from './requirements';
import { channelsOf } from './specification-text';
import { meaningOf, noSpec } from './typed-packages';

const WAIT = 150;
const OFFERED = 8;

/** A field that finds packages while the user types; Enter adds the newest one that fits. */
export function PackageSearch(
  props: Pick<IProps, 'trans'> & {
    completer: ICompleter;
    /** The specification that packages are added to: it names the channels. */
    specification: string;
    /** What the view was asked to show: perhaps this field. */
    asked?: IShow;
    /** Take packages; what cannot be taken (false) stays in the field. */
    onAdd: (specs: string[]) => unknown;
    /** Called before the field asks something, so that it can be made visible. */
    onAsk?: () => void;
  }
): React.ReactElement {
  const { completer, trans, onAdd, onAsk } = props;
  const [text, setText] = useTyped('package');
  const [isLooking, setLooking] = React.useState(false);
  const [chosen, setChosen] = React.useState<number | null>(null);
  const [open, setOpen] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const list = React.useId();
  const channels = channelsOf(props.specification);
  useRequestedFocus(props.asked, 'add-package', () => field.current?.focus());
  const { choices, offers, isKnown, isUnknown, problem: away } = useChoices(text, channels, completer, trans);
  const latest = React.useRef(text);
  latest.current = text;
  const ask = (words: string) => {
    setProblem(words);
    setOpen(true);
    onAsk?.();
    window.setTimeout(() => field.current?.focus(), 0); // once it is seen
  };
  const add = async (specs: string[], typed: string): Promise<boolean> => {
    setOpen(false);
    setChosen(null);
    setProblem('');
    if ((await onAdd(specs)) === false) {
      return false;
    }
    if (latest.current === typed) {
      setText(''); // what was typed on meanwhile stays
    }
    return true;
  };
  const choose = (spec: string) =>
    isSpec(spec) ? void add(specsIn(spec), text) : setProblem(noSpec(spec, trans));
  /** Take what was typed, without a choice in the list. */
  const take = async (): Promise<boolean> => {
    const typed = latest.current;
    if (!typed.trim()) {
      return true;
    }
    setLooking(true);
    const { specs, problem: words } = await meaningOf(typed, channels, completer, trans);
    setLooking(false);
    if (!specs) {
      ask(words);
      return false;
    }
    return add(specs, typed);
  };
  usePending(take);
  const active = chosen ?? (isUnknown ? -1 : 0);
  const shown = open && choices.length > 0;
  return (
    <div className="jp-EnvStore-combobox">
      <input
        ref={field}
        className="jp-mod-styled"
        role="combobox"
        data-testid="envstore:add-package-field"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? `${list}-${active}` : undefined}
        aria-label={trans.__('Add package')}
        placeholder={trans.__('Add package…')}
        value={text}
        onChange={event => {
          setText(event.target.value);
          setOpen(true);
          setChosen(null);
          setProblem('');
        }}
        onBlur={() => window.setTimeout(() => setOpen(false), 150)}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            setOpen(true);
            setChosen(Math.min(active + 1, choices.length - 1));
          } else if (event.key === 'ArrowUp') {
            setChosen(Math.max(active - 1, 0));
          } else if (event.key === 'Enter' && text.trim()) {
            const exact = choices.find(choice => choice.spec === text.trim().toLowerCase());
            if (active >= 0 && isKnown && offers.length && !(chosen === null && exact)) {
              choose(choices[active]!.spec); // what is highlighted
            } else if (chosen !== null && chosen >= 0) {
              choose(choices[chosen]?.spec ?? text.trim());
            } else {
              void take();
            }
          } else if (event.key === 'Tab' && shown && offers[active]) {
            setText(offers[active]!);
          } else if (event.key === 'Escape' && shown) {
            setOpen(false);
          } else {
            return;
          }
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      {isLooking && (
        <div role="status" className="jp-EnvStore-sub jp-EnvStore-underField">
          {trans.__('Looking for it…')}
        </div>
      )}
      {problem && (
        <div role="alert" className="jp-EnvStore-error jp-EnvStore-underField">
          {problem}
        </div>
      )}
      <ChoiceList id={list} isShown={shown} choices={choices} active={active} choose={choose} problem={away} trans={trans} />
    </div>
  );
}

/** What the list below the field offers, and why channels cannot be asked. */
function ChoiceList(props: {
  id: string;
  isShown: boolean;
  choices: IChoices['choices'];
  /** The one that Enter takes; -1 for none. */
  active: number;
  choose: (spec: string) => void;
  problem: string;
  trans: IProps['trans'];
}): React.ReactElement {
  const { id, isShown, choices, active, choose, problem, trans } = props;
  return (
    <ul id={id} role="listbox" aria-label={trans.__('Packages')} hidden={!isShown}>
      {isShown &&
        choices.map((choice, place) => (
          <li
            key={choice.spec}
            id={`${id}-${place}`}
            role="option"
            aria-selected={place === active}
            onMouseDown={event => event.preventDefault()}
            onClick={() => choose(choice.spec)}
          >
            {choice.words}
            {choice.facts && <span className="jp-EnvStore-sub"> {choice.facts}</span>}
          </li>
        ))}
      {isShown && problem && (
        <li role="presentation" className="jp-EnvStore-sub">
          {trans.__('Names cannot be looked up now: %1', problem)}
        </li>
      )}
    </ul>
  );
}

/** Packages that may be meant by what is typed. */
interface IChoices {
  /** What the list offers: names or versions that channels have, names that are like it, and PyPI. */
  choices: readonly { spec: string; words: string; facts: string }[];
  /** Those of them that channels have. */
  offers: readonly string[];
  /** Whether channels were asked for what is typed now. */
  isKnown: boolean;
  /** Whether no channel has the name: it may be a typing mistake, and is taken from PyPI by who says so. */
  isUnknown: boolean;
  /** Why channels cannot be asked; empty where they can. */
  problem: string;
}

/** Ask channels for names or versions that begin with what is typed. */
function useChoices(text: string, channels: string[], completer: ICompleter, trans: IProps['trans']): IChoices {
  const wanted = useDebounced(text.trim(), WAIT);
  const version = /^([A-Za-z0-9_.-]+)\s*(==?)\s*([0-9A-Za-z.]*)$/.exec(wanted);
  const plain = /^[A-Za-z0-9_][A-Za-z0-9_.-]+$/.test(wanted);
  const look: () => Promise<string[]> = version
      ? async () =>
          (await completer.versions(version[1]!, channels))
            .filter(other => other.startsWith(version[3]!))
            .map(other => `${version[1]}=${other}`)
      : plain
        ? () => completer.names(wanted, channels)
        : async () => [];
  const found = useLoaded(async () => ({ wanted, specs: await look() }), [wanted]);
  const away = found.error && wanted === text.trim() ? found.error.message.split('\n')[0]! : '';
  const isKnown = wanted === text.trim() && found.value?.wanted === wanted;
  const offers = isKnown ? found.value!.specs.slice(0, OFFERED) : [];
  const isUnknown = plain && isKnown && offers.length === 0;
  const close = useLoaded(isUnknown ? () => completer.close(wanted, channels) : null, [wanted, isUnknown]);
  const meant = isUnknown ? close.value ?? [] : [];
  const newest = useLoaded(
    !version && offers.length ? () => completer.newest(offers, channels) : async () => new Map<string, IFoundPackage>(),
    [offers.join(' ')]
  );
  const facts = (name: string) => {
    const known = newest.value?.get(name);
    const channel = known?.channel_id.replace(/\/+$/, '').split('/').pop();
    return known ? `${known.version}  ${channel}${known.subdir === 'noarch' ? ' · noarch' : ''}` : '';
  };
  const choices = text.trim()
    ? [
        ...offers.map(spec => ({ spec, words: spec, facts: facts(spec) })),
        ...meant.map(spec => ({ spec, words: trans.__('Did you mean “%1”?', spec), facts: facts(spec) })),
        ...(plain && !away ? [{ spec: `pip:${text.trim()}`, words: trans.__('Add “%1” from PyPI', text.trim()), facts: '' }] : []),
        ...((!plain && !version) || away ? [{ spec: text.trim(), words: trans.__('Add “%1”', text.trim()), facts: '' }] : [])
      ]
    : [];
  return { choices, offers, isKnown, isUnknown, problem: away };
}
