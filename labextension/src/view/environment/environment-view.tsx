import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { BuildWarnings } from '../../components/build-warnings';
import { Link, TextButton } from '../../components/buttons';
import { ConnectionNotice } from '../../components/connection-notice';
import { ErrorBox } from '../../components/error-box';
import { useKeptFocus, useLoaded, useModel, useStale } from '../../components/hooks';
import { NoteBox } from '../../components/note-box';
import { PanelRoot } from '../../components/panel-root';
import { Skeleton } from '../../components/skeleton';
import { StatusMark } from '../../components/status-mark';
import { moment } from '../../presentation/formats';
import { builtOn } from '../../presentation/status';
import { isUnsettled } from '../../store/model';
import type { IBuild, IEnvironment, IPlace } from '../../store/types';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow, Tab } from '../shared/view-types';
import { AccessTab } from './access-tab';
import { ArtifactsTab } from './artifacts-tab';
import { BuildsTab } from './builds-tab';
import { DeletedEnvironment } from './deleted-environment';
import { EnvironmentHeader } from './environment-header';
import { PackagesTab } from './packages-tab';
import { SpecificationTab } from './specification-tab';
import { type IStaged, useStaged } from './staged-changes';
import { TabList } from './tab-list';
import type { ITabProps, IViewProps } from './tab-props';

/** The view of one environment: understand, change, export. */
export class EnvironmentView extends ReactWidget {
  constructor(private readonly props: IViewProps) {
    super();
    this.addClass('jp-EnvStore-view');
  }

  /** What the view was asked to show; it is kept until it is drawn. */
  get asked(): ISignal<this, IShow> {
    return this._asked;
  }

  /** Turn to a tab or a build. */
  turnTo(what: IShow): void {
    this.last = what;
    this._asked.emit(what);
  }

  /** Emitted when another tab was chosen. */
  readonly turned = new Signal<this, void>(this);

  last: IShow = {};

  protected override render(): React.ReactElement {
    return (
      <PanelRoot {...this.props}>
        <EnvironmentTabs {...this.props} widget={this} />
      </PanelRoot>
    );
  }

  private readonly _asked = new Signal<this, IShow>(this);
}

function EnvironmentTabs(props: IViewProps & { widget: EnvironmentView }): React.ReactElement {
  const { model, trans, commands, place, widget } = props;
  useModel(model);
  const [asked, setAsked] = React.useState<IShow>(widget.last);
  const [tab, setTab] = React.useState<Tab>(widget.last.tab ?? 'packages');
  const [chosen, setChosen] = React.useState<number | null>(widget.last.build ?? null);
  const choose = React.useCallback(
    (next: Tab) => {
      setTab(next);
      widget.last = { ...widget.last, tab: next };
      widget.turned.emit();
    },
    [widget]
  );
  /** Turn to a tab as a person does: what was asked of it before, as a comparison, is done. */
  const turn = (next: Tab) => {
    widget.last = withoutErrand(widget.last);
    setAsked(withoutErrand);
    choose(next);
  };
  const [lost, setLost] = React.useState<number | null>(null);
  const show = React.useCallback((what: IShow) => {
    setAsked(what);
    if (what.tab) {
      choose(what.tab);
    }
    if (what.build !== undefined) {
      setChosen(what.build);
      setLost(null);
    }
  }, [choose]);
  React.useEffect(() => {
    const slot = (_: unknown, what: IShow) => show(what);
    widget.asked.connect(slot);
    return () => {
      widget.asked.disconnect(slot);
    };
  }, [widget, show]);

  React.useEffect(() => {
    const slot = (_: unknown, activated: IPlace) => {
      if (activated.namespace === place.namespace && activated.name === place.name) {
        setChosen(null);
        setLost(null);
      }
    };
    model.activated.connect(slot);
    return () => {
      model.activated.disconnect(slot);
    };
  }, [model, place.namespace, place.name]);

  const lastBuild = React.useRef<IBuild | undefined>(undefined);
  const numbers = React.useRef(new Map<number, number>());
  const root = useKeptFocus('[role=tabpanel]');
  const panel = React.useRef<HTMLDivElement>(null);
  useRequestedFocus(asked, 'tab', () => panel.current?.focus());
  const found = model.find(place);
  const kept = React.useRef<IEnvironment | undefined>(undefined);
  kept.current = found ?? kept.current;
  const item = kept.current;
  const [staged, setStaged] = useStaged(item);
  const current = item?.current_build_id ?? null;
  const wasActive = React.useRef(current);
  if (current !== wasActive.current) {
    // whoever looked at the active build goes on to the one that is active now; as the new one, it is nothing chosen
    if (chosen !== null && (chosen === current || chosen === wasActive.current)) {
      setChosen(null);
    }
    wasActive.current = current;
  }
  const wanted = chosen ?? current;
  const builds = useLoaded(found && item ? () => model.api.builds(item.id) : null, [item?.id, item?.newest_build_id]);
  useStale(model, null, builds.reload);
  const detail = useLoaded(found && wanted ? () => model.api.build(wanted) : null, [wanted, item?.newest_build_id]);
  useStale(model, wanted, detail.reload);

  const chooseBuild = (id: number | null) => {
    setChosen(id);
    setLost(null);
  };
  if (!item) {
    return model.connection === 'loading' || !model.lastSeen ? (
      <Skeleton trans={trans} />
    ) : (
      <ErrorBox message={trans.__('There is no environment %1/%2, or you may not see it.', place.namespace, place.name)} />
    );
  }
  for (const known of builds.value?.builds ?? []) {
    numbers.current.set(known.id, known.number);
  }
  const listed = builds.value?.builds.find(build => build.id === wanted);
  // one that was never listed is not gone: it was made a moment ago, and the list is older
  const wasListed = wanted !== null && numbers.current.has(wanted);
  const gone = Boolean(builds.value && wasListed && !listed && builds.value.count <= builds.value.builds.length);
  if (gone && found && chosen !== null) {
    setLost(numbers.current.get(chosen) ?? null); // deleted by somebody: the view goes on with the active one
    setChosen(null);
  }
  // what was shown stays until the other build is there: whoever types in it must not be interrupted
  const loaded = detail.value?.id === wanted ? merged(detail.value, listed, current) : undefined;
  lastBuild.current = loaded ?? lastBuild.current;
  const isMaking = asked.isNew === true && asked.build === wanted && lastBuild.current?.id !== wanted;
  const build = lastBuild.current?.environment_id === item.id && !isMaking ? lastBuild.current : undefined;
  const tabs: [Tab, string][] = [
    ['packages', trans.__('Packages %1', build?.package_count || '')],
    ['specification', trans.__('Specification')],
    ['builds', trans.__('Builds %1', builds.value?.count ?? '')],
    ['artifacts', trans.__('Logs and artifacts')],
    ['access', trans.__('Access')]
  ];
  return (
    <div ref={root} className={`jp-EnvStore-environmentView ${found ? '' : 'jp-mod-gone'}`}>
      <ConnectionNotice model={model} trans={trans} />
      <EnvironmentHeader {...props} item={item} build={build} builds={builds.value?.builds ?? []} choose={chooseBuild} tab={tab} />
      {!found && model.isConnected && (
        <ErrorBox message={trans.__('%1/%2 was deleted. Its text can still be copied here.', place.namespace, place.name)}>
          <TextButton onClick={() => widget.parent?.close()}>{trans.__('Close')}</TextButton>
        </ErrorBox>
      )}
      {!found && model.isConnected && build && <DeletedEnvironment {...props} item={item} build={build} />}
      {lost !== null && found && (
        <NoteBox row>
          <span>{trans.__('Build %1 was deleted. You see build %2.', lost, build?.number ?? '')}</span>
          <Link onClick={() => show({ tab: 'builds' })}>{trans.__('Show builds')}</Link>
          <Link onClick={() => setLost(null)}>{trans.__('OK')}</Link>
        </NoteBox>
      )}
      {build && found && item.active && !build.active && !gone && !isUnsettled(build.status) && (
        <NoteBox row>
          <span>
            {trans.__('You look at build %1, of %2.', build.number, moment(builtOn(build)))}
          </span>
          {build.status === 'COMPLETED' && item.permissions.includes('environment::update') && (
            <TextButton
              needsServer
              id={CommandIDs.makeActive}
              onClick={() => commands.execute(CommandIDs.makeActive, { ...place, build: build.id })}
            >
              {trans.__('Make active')}
            </TextButton>
          )}
          {build.status === 'COMPLETED' && current && (
            <TextButton onClick={() => show({ tab: 'builds', compare: [build.id, current] })}>
              {trans.__('Compare with active')}
            </TextButton>
          )}
          {build.specification && (
            <TextButton onClick={() => show({ tab: 'specification', build: build.id })}>
              {trans.__('Edit as new build')}
            </TextButton>
          )}
          <TextButton onClick={() => setChosen(null)}>
            {trans.__('Back to %1', item.current_build?.number ?? '')}
          </TextButton>
        </NoteBox>
      )}
      {build && <BuildWarnings build={build} trans={trans} />}
      {(found || !model.isConnected) && (
        <>
          <TabList tabs={tabs} tab={tab} choose={turn} label={trans.__('%1/%2', place.namespace, place.name)} />
          <div ref={panel} role="tabpanel" id={`jp-EnvStore-panel-${tab}`} className="jp-EnvStore-tabPanel" tabIndex={-1}>
            {detail.error && !loaded && (
              <ErrorBox message={isMaking ? trans.__('The new build was made, but cannot be shown now: %1', detail.error.message) : trans.__('Another build cannot be shown now: %1', detail.error.message)}>
                <TextButton onClick={detail.reload}>{trans.__('Try again')}</TextButton>
              </ErrorBox>
            )}
            {isMaking && !detail.error && (
              <p role="status">
                <StatusMark mark={{ shape: '◌', kind: 'queued', words: trans.__('Queued') }} /> {trans.__('The new build is queued.')}
              </p>
            )}
            {build ? (
              <TabBody {...props} key={item.id} tab={tab} item={item} build={build} show={show} asked={asked} staged={staged} setStaged={setStaged} />
            ) : (
              !detail.error && <Skeleton trans={trans} />
            )}
          </div>
        </>
      )}
    </div>
  );
}

/** Return what is shown without what was to be done there once. */
function withoutErrand(what: IShow): IShow {
  const rest = { ...what };
  delete rest.compare;
  delete rest.focus;
  return rest;
}

/**
 * Return a build with its specification, and what the list knows newer. Whether it is the active one is what the
 * environment says: the list may be a moment older, and a draft must not lose its build for that moment.
 */
function merged(detail: IBuild, listed: IBuild | undefined, current: number | null): IBuild {
  const { specification, locked_platforms, warnings } = detail;
  const active = detail.id === current;
  return { ...detail, ...listed, active, specification, ...(locked_platforms ? { locked_platforms } : {}), ...(warnings ? { warnings } : {}) };
}

function TabBody(
  props: ITabProps & { tab: Tab; asked: IShow; staged: IStaged; setStaged: React.Dispatch<React.SetStateAction<IStaged>> }
): React.ReactElement {
  switch (props.tab) {
    case 'packages':
      return <PackagesTab {...props} />;
    case 'specification':
      return <SpecificationTab {...props} />;
    case 'builds':
      return <BuildsTab {...props} />;
    case 'artifacts':
      return <ArtifactsTab {...props} />;
    case 'access':
      return <AccessTab {...props} />;
  }
}
