import { caretDownIcon, caretRightIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton } from '../../components/buttons';
import { type Action, openActions } from '../../components/menus';
import { copy } from '../../lab/clipboard';
import { size } from '../../presentation/formats';
import type { IContent } from '../../store/types';
import { boundedSpec, bounds, specOf } from '../specification/requirements';
import { channelsOf } from '../specification/specification-text';
import { PackageDetails } from './package-details';
import type { ITabProps } from './tab-props';
import { VersionField } from './version-field';

const NAMED = 3;

interface IPackageRowProps extends ITabProps {
  found: IContent;
  /** All packages of the build: why this one is there. */
  contents: readonly IContent[];
  /** The version that it would get; null where there is no column for that. */
  update: string | null;
  editable: boolean;
  removed: boolean;
  /** The one that Tab goes to; arrow keys go to the others. */
  isFirst: boolean;
  stage: (add: string[], remove: string[]) => void;
  /** Told whether it asks for something: what is typed there must not go out of sight. */
  asks: (isAsking: boolean) => void;
}

/** What is shown below the row of a package. */
type Below = 'details' | 'version' | null;

/** One package of a build, with a menu of what can be done with it. */
export function PackageRow(props: IPackageRowProps): React.ReactElement {
  const { found, trans } = props;
  const row = React.useRef<HTMLTableRowElement>(null);
  const [below, setBelow] = useBelow(row, props.asks);
  const close = () => {
    setBelow(null);
    row.current?.focus();
  };
  const actions = packageActions(props, setBelow);
  const open = (row: Element) => openActions(actions, row.querySelector('.jp-EnvStore-button') ?? row);
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>) => {
    if (event.target === event.currentTarget && (event.key === 'Enter' || event.key === 'ContextMenu')) {
      open(event.currentTarget);
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      focusNextRow(event.currentTarget, event.key === 'ArrowDown' ? 'nextElementSibling' : 'previousElementSibling');
      event.preventDefault();
    } else if (event.target === event.currentTarget && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      setBelow(event.key === 'ArrowRight' ? 'details' : null);
      event.preventDefault();
    }
  };
  return (
    <>
      <tr
        ref={row}
        className={props.removed ? 'jp-mod-removed' : ''}
        tabIndex={props.isFirst ? 0 : -1}
        aria-label={[found.name, found.version, whyWords(found, trans)].filter(part => part).join(', ')}
        onKeyDown={onKeyDown}
        onContextMenu={event => {
          if (!event.shiftKey) {
            open(event.currentTarget);
            event.preventDefault();
            event.stopPropagation();
          }
        }}
      >
        <PackageCells
          {...props}
          isOpened={below === 'details'}
          toggle={() => setBelow(below === 'details' ? null : 'details')}
          openMenu={button => openActions(actions, button)}
        />
      </tr>
      {below && <BelowPackage {...props} below={below} setBelow={setBelow} close={close} />}
    </>
  );
}

/** Keep what is shown below a row: it is scrolled into view, and while it asks for something, that is told. */
function useBelow(
  row: React.RefObject<HTMLTableRowElement>,
  asks: (isAsking: boolean) => void
): [Below, (below: Below) => void] {
  const [below, setBelow] = React.useState<Below>(null);
  const isAsking = below === 'version';
  React.useEffect(() => {
    if (isAsking) {
      asks(true);
      return () => asks(false);
    }
    return undefined;
  }, [isAsking]);
  React.useEffect(() => {
    if (below) {
      row.current?.nextElementSibling?.scrollIntoView({ block: 'nearest' });
    }
  }, [below]);
  return [below, setBelow];
}

/** What is shown below a row: details, or a field for another version. */
function BelowPackage(
  props: IPackageRowProps & { below: Below; setBelow: (below: Below) => void; close: () => void }
): React.ReactElement {
  const { found, build, update, stage, below, setBelow, close } = props;
  const parts = bounds(found);
  return (
    <tr className="jp-EnvStore-below">
      <td colSpan={update === null ? 6 : 7}>
        {below === 'details' ? (
          <PackageDetails {...props} />
        ) : (
          <VersionField
            {...props}
            bound={parts?.bound ?? ''}
            channels={channelsOf(build.specification?.text ?? '')}
            take={(bound, isDone) => {
              stage([boundedSpec(parts?.before ?? specOf(found), bound)], []);
              return isDone ? close() : setBelow(null);
            }}
            leave={close}
          />
        )}
      </td>
    </tr>
  );
}

/** The cells of a package: its name, version, channel, size, and why it is there. */
function PackageCells(
  props: IPackageRowProps & { isOpened: boolean; toggle: () => void; openMenu: (button: Element) => void }
): React.ReactElement {
  const { found, trans, update, isOpened } = props;
  const channel = found.channel.replace(/\/+$/, '').split('/').pop() ?? found.channel;
  const why = whyWords(found, trans);
  const Caret = isOpened ? caretDownIcon : caretRightIcon;
  return (
    <>
      <th scope="row">
        <button
          type="button"
          className="jp-EnvStore-twisty"
          tabIndex={-1}
          aria-expanded={isOpened}
          aria-label={trans.__('Why %1 is installed, and what it is', found.name)}
          onClick={props.toggle}
        >
          <Caret.react tag="span" />
        </button>
        {found.name}
        {found.manager === 'pip' && <span className="jp-EnvStore-badge">{trans.__('PyPI')}</span>}
        <div className="jp-mod-narrow jp-EnvStore-sub">
          {[found.size ? size(found.size) : '', found.manager === 'pip' ? '' : channel, why].filter(part => part).join(' · ')}
        </div>
      </th>
      <td title={found.build}>{found.version}</td>
      {update !== null && <td className="jp-EnvStore-update">{update.split(' ')[0]} ↑</td>}
      <td className="jp-mod-wide" title={found.channel}>
        {found.manager === 'pip' ? trans.__('PyPI') : channel}
      </td>
      <td className="jp-mod-wide jp-EnvStore-number">{found.size ? size(found.size) : ''}</td>
      <td className="jp-mod-wide jp-EnvStore-sub" title={found.needed_by.join(', ')}>
        {why}
      </td>
      <td className="jp-EnvStore-rowButtons">
        <IconButton
          icon={ellipsesIcon}
          label={trans.__('More for %1', found.name)}
          tabIndex={-1}
          onClick={event => props.openMenu(event.currentTarget)}
        />
      </td>
    </>
  );
}

/** Return what can be done with a package. */
function packageActions(props: IPackageRowProps, setBelow: (below: Below) => void): Action[] {
  const { found, trans, editable, stage } = props;
  const exact = found.manager === 'pip' ? `${found.name}==${found.version}` : `${found.name}=${found.version}=${found.build}`;
  const refused = !editable
    ? trans.__('You cannot change this environment, or it was built from a lockfile')
    : found.requested !== null
      ? undefined
      : trans.__('It is not in the specification: other packages need it');
  return [
    {
      label: trans.__('Change Version…'),
      run: () => setBelow('version'),
      refused: !editable ? refused : bounds(found) ? undefined : trans.__('Edit this line in the specification: %1', found.requested ?? '')
    },
    { label: trans.__('Remove'), run: () => stage([], [specOf(found)]), refused },
    null,
    { label: trans.__('Why Is It Installed?'), run: () => setBelow('details') },
    { label: trans.__('About %1', found.name), run: () => setBelow('details') },
    { label: trans.__('Copy “%1”', exact), run: () => copy(exact, trans.__('Copied %1', exact)) }
  ];
}

/** Say why a package is there, in a few words. */
function whyWords(found: IContent, trans: ITabProps['trans']): string {
  if (found.requested !== null) {
    return found.requested.toLowerCase() === found.name.toLowerCase()
      ? trans.__('asked for')
      : trans.__('asked for: %1', found.requested);
  }
  const names = found.needed_by.slice(0, NAMED).join(', ') + (found.needed_by.length > NAMED ? '…' : '');
  return names && trans.__('needed by %1', names);
}

/** Give the focus to the next row that can have it, past what stands below another row. */
function focusNextRow(row: Element, way: 'nextElementSibling' | 'previousElementSibling'): void {
  let next = row[way];
  while (next && !next.hasAttribute('tabindex')) {
    next = next[way];
  }
  (next as HTMLElement | null)?.focus();
}
