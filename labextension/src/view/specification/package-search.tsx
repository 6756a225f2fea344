import * as React from 'react';
import type { IProps } from '../../components/props';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import { channelsOf } from './specification-text';
import { type IPackageChoices, usePackageChoices } from './use-package-choices';
import { handleFieldKey, type IPackageFieldProps, usePackageField } from './use-package-field';

/** A field that finds packages while the user types; Enter adds the newest one that fits. */
export function PackageSearch(
  props: IPackageFieldProps & {
    /** The specification that packages are added to: it names the channels. */
    specification: string;
    /** What the view was asked to show: perhaps this field. */
    asked?: IShow;
  }
): React.ReactElement {
  const { completer, trans } = props;
  const list = React.useId();
  const channels = channelsOf(props.specification);
  const typed = usePackageField(props, channels);
  const { field, problem } = typed;
  useRequestedFocus(props.asked, 'add-package', () => field.current?.focus());
  const found = usePackageChoices(typed.text, channels, completer, trans);
  const { choices } = found;
  const active = typed.chosen ?? (found.isUnknown ? -1 : 0);
  const shown = typed.isOpen && choices.length > 0;
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
        value={typed.text}
        onChange={event => typed.type(event.target.value)}
        onBlur={() => window.setTimeout(() => document.activeElement !== field.current && typed.setOpen(false), 150)}
        onKeyDown={event => handleFieldKey(event, typed, found, active, shown)}
      />
      {typed.isLooking && (
        <div role="status" className="jp-EnvStore-sub jp-EnvStore-underField">
          {trans.__('Looking for it…')}
        </div>
      )}
      {problem && (
        <div role="alert" className="jp-EnvStore-error jp-EnvStore-underField">
          {problem}
        </div>
      )}
      <ChoiceList id={list} isShown={shown} choices={choices} active={active} choose={typed.choose} problem={found.problem} trans={trans} />
    </div>
  );
}

/** What the list below the field offers, and why channels cannot be asked. */
function ChoiceList(props: {
  id: string;
  isShown: boolean;
  choices: IPackageChoices['choices'];
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
