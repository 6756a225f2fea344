import { useDebounced, useLoaded } from '../../components/hooks';
import type { IProps } from '../../components/props';
import type { IFoundPackage } from '../../store/types';
import type { ICompleter } from './package-completer';

const WAIT = 150;
const OFFERED = 8;

/** Packages that may be meant by what is typed. */
export interface IPackageChoices {
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
export function usePackageChoices(text: string, channels: string[], completer: ICompleter, trans: IProps['trans']): IPackageChoices {
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
