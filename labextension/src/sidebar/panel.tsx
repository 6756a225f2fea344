import type { IStateDB } from '@jupyterlab/statedb';
import { addIcon, ellipsesIcon, fileUploadIcon, ReactWidget, refreshIcon } from '@jupyterlab/ui-components';
import type { Menu } from '@lumino/widgets';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { IconButton, Link } from '../components/buttons';
import { useModel, useNow } from '../components/hooks';
import { openMenu } from '../components/menus';
import { PanelRoot } from '../components/panel-root';
import type { IProps } from '../components/props';
import { Skeleton } from '../components/skeleton';
import { envstoreIcon } from '../icons';
import type { KernelBuilds } from '../store/kernel-builds';
import type { SessionTracker } from '../lab/session-tracker';
import { size } from '../presentation/formats';
import { BuildQueue } from './build-queue';
import { CurrentNotebook } from './current-notebook';
import { useFound } from './environment-filter';
import { EnvironmentTree } from './environment-tree';
import { Section } from './section';
import { ServerProblems } from './server-problems';
import { Welcome } from './welcome';

const STATE = 'jupyter-envstore:sidebar';

/** What the sidebar remembers. */
export interface ISidebarState {
  closed: string[];
}

/** What the sidebar is given. */
type IPanelProps = IProps & { sessions: SessionTracker; kernels: KernelBuilds; state: IStateDB | null };

/** The sidebar: find, watch and use environments. */
export class EnvStorePanel extends ReactWidget {
  constructor(private readonly props: IPanelProps) {
    super();
    this.id = 'jp-envstore-panel';
    this.addClass('jp-EnvStore-panel');
    this.title.icon = envstoreIcon;
    this.title.caption = props.trans.__('Environments');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', props.trans.__('Environments'));
  }

  /** Give the focus to the filter or, without environments, to the first button. */
  protected override onActivateRequest(): void {
    if (!this.node.contains(document.activeElement)) {
      this.node.querySelector<HTMLElement>('.jp-EnvStore-filter, .jp-EnvStore-empty button:enabled')?.focus();
    }
  }

  protected override render(): React.ReactElement {
    return (
      <PanelRoot {...this.props}>
        <Panel {...this.props} />
      </PanelRoot>
    );
  }
}

function Panel(props: IPanelProps): React.ReactElement {
  const { model, trans, state } = props;
  useModel(model);
  const [filter, setFilter] = React.useState('');
  const { closed, toggle } = useClosedNamespaces(state);
  const field = React.useRef<HTMLInputElement>(null);
  const tree = React.useRef<HTMLDivElement>(null);
  const found = useFound(model, filter);
  const onKeyDown = (event: React.KeyboardEvent) => {
    const typing = event.target instanceof HTMLInputElement;
    if ((event.key === '/' && !typing) || (event.key === 'f' && (event.ctrlKey || event.metaKey))) {
      field.current?.focus();
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const all = model.environments.length;
  const hasEnvironments = all > 0;
  const matching = new Set([...found.named, ...found.containing]).size;
  const count = filter.trim() && !found.isLooking ? trans.__('%1 of %2', matching, all) : all;
  const node = useFocusWithoutRows(hasEnvironments);
  return (
    <div ref={node} className="jp-EnvStore-sidebar" onKeyDown={onKeyDown}>
      <Toolbar {...props} />
      <ServerProblems {...props} />
      {hasEnvironments && <FilterField trans={trans} field={field} tree={tree} filter={filter} setFilter={setFilter} />}
      <div className="jp-EnvStore-scroll">
        <CurrentNotebook {...props} />
        <BuildQueue {...props} />
        {model.connection === 'loading' && <Skeleton trans={trans} />}
        {model.lastSeen && !hasEnvironments && model.isConnected && <Welcome {...props} />}
        {hasEnvironments && (
          <Section title={trans.__('Environments')} count={count}>
            <EnvironmentTree
              {...props}
              innerRef={tree}
              found={found}
              filter={filter}
              closed={filter ? NONE : closed}
              toggle={toggle}
              clear={() => {
                setFilter('');
                field.current?.focus();
              }}
            />
          </Section>
        )}
      </div>
      <Footer {...props} />
    </div>
  );
}

/** Return the namespaces that are closed, as they were when this browser showed them last. */
function useClosedNamespaces(state: IStateDB | null): { closed: ReadonlySet<string>; toggle: (namespace: string) => void } {
  const [closed, setClosed] = React.useState<ReadonlySet<string>>(new Set());
  React.useEffect(() => {
    void state?.fetch(STATE).then(value => setClosed(new Set((value as unknown as ISidebarState)?.closed ?? [])));
  }, [state]);
  const toggle = React.useCallback(
    (namespace: string) =>
      setClosed(old => {
        const next = new Set(old);
        if (!next.delete(namespace)) {
          next.add(namespace);
        }
        void state?.save(STATE, { closed: [...next] });
        return next;
      }),
    [state]
  );
  return { closed, toggle };
}

/** Give the first button the focus when the row that had it was the last one and is deleted. */
function useFocusWithoutRows(hasEnvironments: boolean): React.RefObject<HTMLDivElement> {
  const node = React.useRef<HTMLDivElement>(null);
  const had = React.useRef(false);
  React.useEffect(() => {
    if (had.current && !hasEnvironments && document.activeElement === document.body) {
      node.current?.querySelector<HTMLElement>('.jp-EnvStore-empty button')?.focus();
    }
    had.current = hasEnvironments;
  }, [hasEnvironments]);
  return node;
}

/** The field that filters environments; Escape clears it, and then goes back to the tree, as the arrow does. */
function FilterField(props: {
  trans: IProps['trans'];
  field: React.RefObject<HTMLInputElement>;
  tree: React.RefObject<HTMLDivElement>;
  filter: string;
  setFilter: (filter: string) => void;
}): React.ReactElement {
  const { trans, field, tree, filter, setFilter } = props;
  return (
    <div className="jp-EnvStore-filterBox">
      <input
        ref={field}
        className="jp-EnvStore-filter jp-mod-styled"
        type="search"
        placeholder={trans.__('Filter names, packages')}
        aria-label={trans.__('Filter environments or packages')}
        title={trans.__('Searches names and descriptions; pkg:numpy finds environments that contain numpy')}
        value={filter}
        onChange={event => setFilter(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            if (filter) {
              setFilter('');
            } else {
              tree.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
            }
          } else if (event.key === 'ArrowDown') {
            tree.current?.querySelector<HTMLElement>('.jp-EnvStore-environment')?.focus();
            event.preventDefault();
          }
        }}
      />
    </div>
  );
}

const NONE: ReadonlySet<string> = new Set();

function Toolbar({ commands, trans }: IProps): React.ReactElement {
  const more = [CommandIDs.create, CommandIDs.importFile, CommandIDs.fromKernel, CommandIDs.refresh];
  const items: Menu.IItemOptions[] = [
    ...more.map(command => ({ command })),
    { type: 'separator' },
    { command: CommandIDs.openTokens },
    { command: CommandIDs.freeSpace },
    { command: CommandIDs.setChannel }
  ];
  return (
    <div className="jp-EnvStore-toolbar" role="toolbar" aria-label={trans.__('Environments')}>
      <IconButton
        id={CommandIDs.create}
        commands={commands}
        icon={addIcon}
        label={trans.__('New environment')}
        needsServer
      />
      <IconButton
        className="jp-mod-wide"
        id={CommandIDs.importFile}
        commands={commands}
        icon={fileUploadIcon}
        label={trans.__('Import an environment.yml, lockfile, pixi.toml, requirements.txt or another file')}
        needsServer
      />
      <IconButton
        className="jp-mod-wide"
        id={CommandIDs.refresh}
        commands={commands}
        icon={refreshIcon}
        label={trans.__('Refresh')}
      />
      <IconButton id="envstore:more" icon={ellipsesIcon} label={trans.__('More')} onClick={event => openMenu(commands, items, event.currentTarget)} />
    </div>
  );
}

const WORTH_FREEING = 1e9;
const PLAN_PAUSE = 600_000;

/** The disk space of environments and, for admins, how much could be freed. */
function Footer({ model, trans, commands }: IProps): React.ReactElement | null {
  const bytes = Object.values(model.usage).reduce((sum, usage) => sum + usage.storage, 0);
  const [freeable, setFreeable] = React.useState(0);
  const turn = Math.floor(useNow(PLAN_PAUSE).getTime() / PLAN_PAUSE);
  const { isAdmin } = model;
  const { timesFreed } = model.server;
  React.useEffect(() => {
    if (isAdmin) {
      // without an answer nothing is offered; the panel says already when the server is away
      model.api.space(true).then(space => setFreeable(space.plan?.size ?? 0), () => undefined);
    }
  }, [model, isAdmin, turn, timesFreed]);
  const total = model.server.space?.total ?? 0;
  return bytes ? (
    <div className="jp-EnvStore-footer">
      <span title={trans.__('Artifacts, and files that belong to one build. Packages that builds share are not counted.')}>
        {total ? trans.__('%1 of %2', size(bytes), size(total)) : trans.__('%1 used', size(bytes))}
      </span>
      {freeable >= WORTH_FREEING && (
        <Link id={CommandIDs.freeSpace} onClick={() => commands.execute(CommandIDs.freeSpace)}>
          {trans.__('Free up %1…', size(freeable))}
        </Link>
      )}
    </div>
  ) : null;
}
