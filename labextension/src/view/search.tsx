import * as React from 'react';
import { useLoaded, useSettled } from '../components/hooks';
import type { IFoundPackage } from '../types';
import type { ITabProps } from './environment';
import { isSpec, specsIn } from './staged';

const WAIT = 150;
const OFFERED = 8;

/** A field that finds packages as one types; Enter stages the newest that fits. */
export function PackageSearch(
  props: Pick<ITabProps, 'completer' | 'trans' | 'build'> & {
    wantsFocus?: boolean;
    channels?: string[];
    onAdd: (specs: string[]) => void;
  }
): React.ReactElement {
  const { completer, trans, onAdd } = props;
  const [text, setText] = React.useState('');
  const [chosen, setChosen] = React.useState<number | null>(null);
  const [open, setOpen] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const list = React.useId();
  const wanted = useSettled(text.trim(), WAIT);
  const channels = props.channels ?? channelsOf(props.build.specification?.text ?? '');
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
  React.useEffect(() => {
    if (props.wantsFocus) {
      field.current?.focus();
    }
  }, [props.wantsFocus]);
  const away = found.error && wanted === text.trim() ? found.error.message.split('\n')[0]! : '';
  const isKnown = wanted === text.trim() && found.value?.wanted === wanted;
  const offers = isKnown ? found.value!.specs.slice(0, OFFERED) : [];
  // a name that no channel has may be a typing mistake: it is taken from PyPI by who says so
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
  const choose = (spec: string) => {
    if (!isSpec(spec)) {
      setProblem(trans.__('“%1” names no package. For example: numpy, numpy>=2, conda-forge::numpy, pip:rich', spec));
      return;
    }
    onAdd(specsIn(spec));
    setText('');
    setOpen(false);
    setChosen(null);
  };
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
          } else if (event.key === 'Enter' && active < 0) {
            setProblem(
              meant.length
                ? trans.__('No channel has “%1”. Press ↓ and Enter for “%2”.', text.trim(), meant[0])
                : trans.__('No channel has “%1”. Press ↓ and Enter to add it from PyPI.', text.trim())
            );
            setOpen(true);
          } else if (event.key === 'Enter' && text.trim()) {
            const exact = choices.find(choice => choice.spec === text.trim().toLowerCase());
            const first = choices[active];
            // before the channels have answered, Enter means what was typed; then, what is highlighted
            choose(active === 0 && (exact || !isKnown) ? exact?.spec ?? text.trim() : first?.spec ?? text.trim());
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
      {problem && (
        <div role="alert" className="jp-EnvStore-error jp-EnvStore-underField">
          {problem}
        </div>
      )}
      <ul id={list} role="listbox" aria-label={trans.__('Packages')} hidden={!shown}>
        {shown &&
          choices.map((choice, place) => (
            <li
              key={choice.spec}
              id={`${list}-${place}`}
              role="option"
              aria-selected={place === active}
              onMouseDown={event => event.preventDefault()}
              onClick={() => choose(choice.spec)}
            >
              {choice.words}
              {choice.facts && <span className="jp-EnvStore-sub"> {choice.facts}</span>}
            </li>
          ))}
        {shown && away && (
          <li role="presentation" className="jp-EnvStore-sub">
            {trans.__('Names cannot be looked up now: %1', away)}
          </li>
        )}
      </ul>
    </div>
  );
}

/** Return the channels that a specification lists. */
export function channelsOf(text: string): string[] {
  const block = /^channels:\s*(?:\[(.*)\]|((?:\n\s*-\s*.*)+))/m.exec(text);
  const items = block?.[1]?.split(',') ?? block?.[2]?.split('\n').map(line => line.replace(/^\s*-\s*/, '')) ?? [];
  return items.map(item => item.replace(/\s+#.*$/, '').trim().replace(/^['"]|['"]$/g, '')).filter(item => item);
}
