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

/** One package of a build, with a menu of what can be done with it. */
export function PackageRow(
  props: ITabProps & {
    found: IContent;
    /** All packages of the build: why this one is there. */
    contents: readonly IContent[];
    update: string | null;
    editable: boolean;
    removed: boolean;
    /** The one that Tab goes to; arrow keys go to the others. */
    isFirst: boolean;
    stage: (add: string[], remove: string[]) => void;
    /** Told whether it asks for something: what is typed there must not go out of sight. */
    asks: (isAsking: boolean) => void;
  }
): React.ReactElement {
  const { found, trans, update, editable, stage, build } = props;
  const channel = found.channel.replace(/\/+$/, '').split('/').pop() ?? found.channel;
  const why =
    found.requested !== null
      ? found.requested.toLowerCase() === found.name.toLowerCase()
        ? trans.__('asked for')
        : trans.__('asked for: %1', found.requested)
      : found.needed_by.length
        ? trans.__('needed by %1', found.needed_by.slice(0, NAMED).join(', ') + (found.needed_by.length > NAMED ? '…' : ''))
        : '';
  const now = bounds(found);
  const [below, setBelow] = React.useState<'details' | 'version' | null>(null);
  const row = React.useRef<HTMLTableRowElement>(null);
  const isAsking = below === 'version';
  React.useEffect(() => {
    if (isAsking) {
      props.asks(true);
      return () => props.asks(false);
    }
    return undefined;
  }, [isAsking]);
  React.useEffect(() => {
    if (below) {
      row.current?.nextElementSibling?.scrollIntoView({ block: 'nearest' });
    }
  }, [below]);
  const close = () => {
    setBelow(null);
    row.current?.focus();
  };
  const isAsked = found.requested !== null;
  const exact = found.manager === 'pip' ? `${found.name}==${found.version}` : `${found.name}=${found.version}=${found.build}`;
  const refused = !editable
    ? trans.__('You may not change it, or it is exactly a lockfile')
    : isAsked
      ? undefined
      : trans.__('It is not listed in the specification: others need it');
  const actions: Action[] = [
    {
      label: trans.__('Change Version…'),
      run: () => setBelow('version'),
      refused: !editable ? refused : now ? undefined : trans.__('Edit this line in the specification: %1', found.requested ?? '')
    },
    { label: trans.__('Remove'), run: () => stage([], [specOf(found)]), refused },
    null,
    { label: trans.__('Why Is It Here?'), run: () => setBelow('details') },
    { label: trans.__('About %1', found.name), run: () => setBelow('details') },
    { label: trans.__('Copy “%1”', exact), run: () => copy(exact, trans.__('Copied %1', exact)) }
  ];
  const open = (row: Element) => openActions(actions, row.querySelector('.jp-EnvStore-button') ?? row);
  const columns = update === null ? 6 : 7;
  const Caret = below === 'details' ? caretDownIcon : caretRightIcon;
  return (
    <>
    <tr
      ref={row}
      className={props.removed ? 'jp-mod-removed' : ''}
      tabIndex={props.isFirst ? 0 : -1}
      aria-label={[found.name, found.version, why].filter(part => part).join(', ')}
      onKeyDown={event => {
        if (event.target === event.currentTarget && (event.key === 'Enter' || event.key === 'ContextMenu')) {
          open(event.currentTarget);
          event.preventDefault();
          event.stopPropagation();
        } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
          const way = event.key === 'ArrowDown' ? 'nextElementSibling' : 'previousElementSibling';
          let next = event.currentTarget[way];
          while (next && !next.hasAttribute('tabindex')) {
            next = next[way]; // what stands below another row
          }
          (next as HTMLElement | null)?.focus();
          event.preventDefault();
        } else if (event.target === event.currentTarget && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
          setBelow(event.key === 'ArrowRight' ? 'details' : null);
          event.preventDefault();
        }
      }}
      onContextMenu={event => {
        if (!event.shiftKey) {
          open(event.currentTarget);
          event.preventDefault();
          event.stopPropagation();
        }
      }}
    >
      <th scope="row">
        <button
          type="button"
          className="jp-EnvStore-twisty"
          tabIndex={-1}
          aria-expanded={below === 'details'}
          aria-label={trans.__('Why %1 is here, and what it is', found.name)}
          onClick={() => setBelow(below === 'details' ? null : 'details')}
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
          onClick={event => openActions(actions, event.currentTarget)}
        />
      </td>
    </tr>
    {below && (
      <tr className="jp-EnvStore-below">
        <td colSpan={columns}>
          {below === 'details' ? (
            <PackageDetails {...props} />
          ) : (
            <VersionField
              {...props}
              bound={now?.bound ?? ''}
              channels={channelsOf(build.specification?.text ?? '')}
              take={(bound, isDone) => {
                stage([boundedSpec(now?.before ?? specOf(found), bound)], []);
                return isDone ? close() : setBelow(null);
              }}
              leave={close}
            />
          )}
        </td>
      </tr>
    )}
    </>
  );
}

