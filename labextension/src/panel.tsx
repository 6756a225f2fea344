import type { CommandRegistry } from '@lumino/commands';
import { type LabIcon, ReactWidget, UseSignal, closeIcon, fileUploadIcon, notebookIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CommandIDs } from './commands';
import { envstoreIcon } from './icons';
import type { EnvStoreModel } from './model';
import { age, mark, size, step } from './status';
import type { IEnvironment } from './types';

interface IProps {
  model: EnvStoreModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The sidebar: find, watch and use environments. */
export class EnvStorePanel extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.id = 'jp-envstore-panel';
    this.addClass('jp-EnvStore-panel');
    this.title.icon = envstoreIcon;
    this.title.caption = props.trans.__('Environments');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', props.trans.__('Environments'));
  }

  protected override render(): React.ReactElement {
    return (
      <UseSignal signal={this.props.model.changed} initialSender={this.props.model}>
        {() => <Panel {...this.props} />}
      </UseSignal>
    );
  }
}

function Panel(props: IProps): React.ReactElement {
  const { model, trans, commands } = props;
  const [filter, setFilter] = React.useState('');
  const wanted = filter.trim().toLowerCase();
  const shown = model.environments.filter(item =>
    `${item.namespace.name}/${item.name} ${item.description}`.toLowerCase().includes(wanted)
  );
  return (
    <>
      <div className="jp-EnvStore-toolbar" role="toolbar" aria-label={trans.__('Environments')}>
        <span className="jp-EnvStore-title">{trans.__('Environments')}</span>
        <Button
          id={CommandIDs.importFile}
          commands={commands}
          icon={fileUploadIcon}
          label={trans.__('Import an environment.yml or a lockfile')}
        />
        <Button id={CommandIDs.refresh} commands={commands} icon={refreshIcon} label={trans.__('Refresh')} />
      </div>
      <Trouble {...props} />
      {model.environments.length > 0 && (
        <input
          className="jp-EnvStore-filter"
          type="search"
          placeholder={trans.__('Filter environments')}
          aria-label={trans.__('Filter environments')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              setFilter('');
            }
          }}
        />
      )}
      <Builds {...props} />
      {model.connection === 'loading' && <Skeleton trans={trans} />}
      {model.connection === 'connected' && model.environments.length === 0 && <Empty {...props} />}
      {model.environments.length > 0 && shown.length === 0 && (
        <p className="jp-EnvStore-note">{trans.__('No environment matches “%1”.', filter)}</p>
      )}
      <Tree {...props} environments={shown} />
    </>
  );
}

function Button(props: {
  id: string;
  commands: CommandRegistry;
  icon: LabIcon;
  label: string;
  args?: Record<string, string | number>;
}): React.ReactElement {
  const { id, commands, args, label } = props;
  return (
    <button
      type="button"
      className="jp-EnvStore-button"
      title={label}
      aria-label={label}
      data-testid={id}
      onClick={event => {
        event.stopPropagation();
        void commands.execute(id, args);
      }}
    >
      <props.icon.react tag="span" />
    </button>
  );
}

/** What is wrong between the panel and the server, and what can be done. */
function Trouble({ model, trans, commands }: IProps): React.ReactElement | null {
  const texts: Partial<Record<typeof model.connection, string>> = {
    lost: model.lastSeen
      ? trans.__('Not connected. Showing %1.', model.lastSeen.toLocaleTimeString())
      : trans.__('Not connected: %1', model.trouble),
    missing: trans.__('The server part is not running. Enable it: jupyter server extension enable jupyter_envstore'),
    unavailable: model.trouble
  };
  const text = texts[model.connection];
  return text ? (
    <div className="jp-EnvStore-trouble" role="alert">
      <span>{text}</span>
      <button type="button" className="jp-EnvStore-link" onClick={() => void commands.execute(CommandIDs.refresh)}>
        {trans.__('Try now')}
      </button>
    </div>
  ) : null;
}

function Skeleton({ trans }: { trans: TranslationBundle }): React.ReactElement {
  return (
    <div aria-busy="true" aria-label={trans.__('Loading')} className="jp-EnvStore-skeleton">
      {[70, 55, 80, 45, 65, 60].map((width, place) => (
        <div key={place} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

/** The first thing that a new user sees. */
function Empty({ trans, commands }: IProps): React.ReactElement {
  const [busy, setBusy] = React.useState(false);
  const [error, setError] = React.useState('');
  return (
    <div className="jp-EnvStore-empty">
      <envstoreIcon.react tag="div" width="48px" height="48px" />
      <h2>{trans.__('Environments you can share and bring back exactly')}</h2>
      <p>
        {trans.__(
          'Pick packages, get a kernel. Every version you make is kept, and can be sent to others as a lockfile or an archive.'
        )}
      </p>
      <button
        type="button"
        className="jp-mod-styled jp-mod-accept"
        data-testid={CommandIDs.createExample}
        disabled={busy}
        onClick={() => {
          setBusy(true);
          setError('');
          commands
            .execute(CommandIDs.createExample)
            .catch((reason: Error) => setError(reason.message))
            .finally(() => setBusy(false));
        }}
      >
        {busy ? trans.__('Creating…') : trans.__('Create example environment')}
      </button>
      {error && (
        <p role="alert" className="jp-EnvStore-error">
          {error}
        </p>
      )}
    </div>
  );
}

/** Builds that are queued or run. */
function Builds({ model, trans, commands }: IProps): React.ReactElement | null {
  if (model.building.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Builds')} className="jp-EnvStore-builds">
      <h3>
        {trans.__('Builds')} <span className="jp-EnvStore-count">{model.building.length}</span>
      </h3>
      {model.building.map(item => {
        const { words, part } = step(model.progress(item.newest_build_id!), trans);
        return (
          <div key={item.id} className="jp-EnvStore-build">
            <div className="jp-EnvStore-line">
              <span className="jp-EnvStore-name">{`${item.namespace.name}/${item.name}`}</span>
              <Button
                id={CommandIDs.cancel}
                commands={commands}
                icon={closeIcon}
                label={trans.__('Cancel the build of %1', item.name)}
                args={{ build: item.newest_build_id! }}
              />
            </div>
            <div
              className="jp-EnvStore-progress"
              role="progressbar"
              aria-label={item.name}
              aria-valuetext={words}
              aria-valuenow={part === null ? undefined : Math.round(part * 100)}
            >
              <div style={{ transform: `scaleX(${part ?? 0.05})` }} />
            </div>
            <div className="jp-EnvStore-sub">{words}</div>
          </div>
        );
      })}
    </section>
  );
}

/** Environments in groups, one for each namespace; one tab stop, moved through by arrow keys. */
function Tree(props: IProps & { environments: IEnvironment[] }): React.ReactElement | null {
  const { environments, trans, commands } = props;
  const [selected, setSelected] = React.useState<number | null>(null);
  const tree = React.useRef<HTMLDivElement>(null);
  const groups = new Map<string, IEnvironment[]>();
  for (const item of environments) {
    groups.set(item.namespace.name, [...(groups.get(item.namespace.name) ?? []), item]);
  }
  const first = environments[0]?.id;
  const current = environments.some(item => item.id === selected) ? selected : first;
  const move = (event: React.KeyboardEvent, item: IEnvironment) => {
    const rows = Array.from(tree.current?.querySelectorAll<HTMLElement>('[role=treeitem][data-id]') ?? []);
    const place = rows.findIndex(row => row.dataset.id === String(item.id));
    const targets: Record<string, number> = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: rows.length - 1 };
    const target = targets[event.key];
    const names = { namespace: item.namespace.name, name: item.name };
    if (target !== undefined) {
      rows[Math.min(Math.max(target, 0), rows.length - 1)]?.focus();
    } else if (event.key === 'Enter') {
      void commands.execute(CommandIDs.openNotebook, names);
    } else if (event.key === 'Delete') {
      void commands.execute(CommandIDs.remove, names);
    } else {
      return;
    }
    event.preventDefault();
  };
  return environments.length === 0 ? null : (
    <div ref={tree} role="tree" aria-label={trans.__('Environments')} className="jp-EnvStore-tree">
      {[...groups].map(([namespace, items]) => (
        <div key={namespace} role="group" aria-label={namespace}>
          <div className="jp-EnvStore-namespace">{namespace}</div>
          {items.map(item => (
            <Row
              key={item.id}
              {...props}
              item={item}
              isSelected={item.id === selected}
              tabIndex={item.id === current ? 0 : -1}
              onFocus={() => setSelected(item.id)}
              onKeyDown={event => move(event, item)}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

function Row(
  props: IProps & {
    item: IEnvironment;
    isSelected: boolean;
    tabIndex: number;
    onFocus: () => void;
    onKeyDown: (event: React.KeyboardEvent) => void;
  }
): React.ReactElement {
  const { item, trans, commands, isSelected } = props;
  const { shape, kind, words } = mark(item, trans);
  const build = item.current_build;
  const names = { namespace: item.namespace.name, name: item.name };
  const when = age(build?.ended_on ?? build?.scheduled_on ?? null, new Date(), trans);
  const label = trans.__('%1, %2, in %3', item.name, words, item.namespace.name);
  return (
    <div
      role="treeitem"
      aria-label={label}
      aria-selected={isSelected}
      aria-expanded={isSelected}
      data-id={item.id}
      data-namespace={names.namespace}
      data-name={names.name}
      className="jp-EnvStore-environment"
      tabIndex={props.tabIndex}
      onFocus={props.onFocus}
      onKeyDown={props.onKeyDown}
      onDoubleClick={() => void commands.execute(CommandIDs.openNotebook, names)}
    >
      <div className="jp-EnvStore-line">
        <span className="jp-EnvStore-mark" data-kind={kind} title={words}>
          {shape}
          {kind === 'warning' && <sup>!</sup>}
        </span>
        <span className="jp-EnvStore-name" title={`${names.namespace}/${names.name}`}>
          {item.name}
        </span>
        <span className="jp-EnvStore-age">{when}</span>
        {item.kernels.length > 0 && (
          <Button
            id={CommandIDs.openNotebook}
            commands={commands}
            icon={notebookIcon}
            label={trans.__('Open a notebook in %1', item.name)}
            args={names}
          />
        )}
      </div>
      {isSelected && (
        <div className="jp-EnvStore-card">
          {item.description && <div>{item.description}</div>}
          {build && item.active && (
            <div className="jp-EnvStore-sub">
              {trans.__('Build %1 · %2 packages · %3', build.number, build.package_count, size(build.size))}
            </div>
          )}
          {!item.active && build?.status_info && <div className="jp-EnvStore-error">{build.status_info}</div>}
          {item.active && item.kernel_note && <div className="jp-EnvStore-sub">{item.kernel_note}</div>}
        </div>
      )}
    </div>
  );
}
