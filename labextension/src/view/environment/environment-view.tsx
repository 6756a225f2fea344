import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';
import { BuildWarnings } from '../../components/build-warnings';
import { ConnectionNotice } from '../../components/connection-notice';
import { ErrorBox } from '../../components/error-box';
import { useKeptFocus, useModel } from '../../components/hooks';
import { PanelRoot } from '../../components/panel-root';
import { Skeleton } from '../../components/skeleton';
import type { IEnvironment } from '../../store/types';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow, Tab } from '../shared/view-types';
import { AccessTab } from './access-tab';
import { ArtifactsTab } from './artifacts-tab';
import { BuildNotices, LoadingNotices } from './build-notices';
import { BuildsTab } from './builds-tab';
import { DeletedEnvironment } from './deleted-environment';
import { EnvironmentHeader } from './environment-header';
import { useLeftInPackages } from './left-in-packages';
import { PackagesTab } from './packages-tab';
import { SpecificationTab } from './specification-tab';
import { useStaged } from './staged-changes';
import { TabList } from './tab-list';
import type { ITabProps, IViewProps } from './tab-props';
import type { IStagedProps } from './use-package-changes';
import { type IShownBuild, useShownBuild } from './use-shown-build';

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

  /** What was changed in the tab *Packages* and is in no build; what is drawn sets it. */
  waiting: () => string[] = () => [];

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

/** The tab that is open, and what the view was asked to show. */
interface ITabState {
  asked: IShow;
  tab: Tab;
  /** Turn to a tab as a person does: what was asked of it before, as a comparison, is done. */
  turn: (tab: Tab) => void;
  /** Do what the view is asked for. */
  ask: (what: IShow) => void;
}

/** Keep the tab of a view, and what it was asked for last. */
function useTabState(widget: EnvironmentView): ITabState {
  const [asked, setAsked] = React.useState<IShow>(widget.last);
  const [tab, setTab] = React.useState<Tab>(widget.last.tab ?? 'packages');
  const choose = React.useCallback(
    (next: Tab) => {
      setTab(next);
      widget.last = { ...widget.last, tab: next };
      widget.turned.emit();
    },
    [widget]
  );
  const turn = (next: Tab) => {
    widget.last = withoutRequest(widget.last);
    setAsked(withoutRequest);
    choose(next);
  };
  const ask = React.useCallback(
    (what: IShow) => {
      setAsked(what);
      if (what.tab) {
        choose(what.tab);
      }
    },
    [choose]
  );
  return { asked, tab, turn, ask };
}

/** Return what is shown without what was to be done there once. */
function withoutRequest(what: IShow): IShow {
  const rest = { ...what };
  delete rest.compare;
  delete rest.focus;
  return rest;
}

/** Return what turns the view to a tab and a build; the widget around it can ask for that, too. */
function useShow(widget: EnvironmentView, ask: ITabState['ask'], choose: IShownBuild['choose']): (what: IShow) => void {
  const show = React.useCallback(
    (what: IShow) => {
      ask(what);
      if (what.build !== undefined) {
        choose(what.build);
      }
    },
    [ask, choose]
  );
  React.useEffect(() => {
    const slot = (_: unknown, what: IShow) => show(what);
    widget.asked.connect(slot);
    return () => {
      widget.asked.disconnect(slot);
    };
  }, [widget, show]);
  return show;
}

/** The header, notices and tabs of an environment. */
function EnvironmentTabs(props: IViewProps & { widget: EnvironmentView }): React.ReactElement {
  const { model, trans, place, widget } = props;
  useModel(model);
  const { asked, tab, turn, ask } = useTabState(widget);
  const shown = useShownBuild({ ...props, first: widget.last.build ?? null }, asked);
  const { item, isThere, build, builds, choose } = shown;
  const show = useShow(widget, ask, choose);
  const root = useKeptFocus('[role=tabpanel]');
  const panel = React.useRef<HTMLDivElement>(null);
  useRequestedFocus(asked, 'tab', () => panel.current?.focus());
  const [staged, setStaged] = useStaged(item);
  widget.waiting = useLeftInPackages(staged);
  if (!item) {
    return model.connection === 'loading' || !model.lastSeen ? (
      <Skeleton trans={trans} />
    ) : (
      <ErrorBox message={trans.__('There is no environment %1/%2, or you may not see it.', place.namespace, place.name)} />
    );
  }
  return (
    <div ref={root} className={`jp-EnvStore-environmentView ${isThere ? '' : 'jp-mod-gone'}`}>
      <ConnectionNotice model={model} trans={trans} />
      <EnvironmentHeader {...props} item={item} build={build} builds={builds.value?.builds ?? []} choose={choose} tab={tab} />
      {!isThere && model.isConnected && (
        <DeletedEnvironment {...props} item={item} build={build} close={() => widget.parent?.close()} />
      )}
      <BuildNotices {...props} item={item} shown={shown} show={show} />
      {build && <BuildWarnings build={build} trans={trans} />}
      {(isThere || !model.isConnected) && (
        <OpenTab
          {...props}
          {...{ item, shown, asked, tab, turn, show, staged, setStaged, panel }}
        />
      )}
    </div>
  );
}

/** The tabs, and what the open one shows. */
function OpenTab(
  props: IViewProps &
    IStagedProps & {
      item: IEnvironment;
      shown: IShownBuild;
      asked: IShow;
      tab: Tab;
      turn: (tab: Tab) => void;
      show: (what: IShow) => void;
      panel: React.RefObject<HTMLDivElement>;
    }
): React.ReactElement {
  const { trans, place, item, shown, tab, turn, panel } = props;
  const { build, builds } = shown;
  const tabs: [Tab, string][] = [
    ['packages', trans.__('Packages %1', build?.package_count || '')],
    ['specification', trans.__('Specification')],
    ['builds', trans.__('Builds %1', builds.value?.count ?? '')],
    ['artifacts', trans.__('Logs and artifacts')],
    ['access', trans.__('Access')]
  ];
  return (
    <>
      <TabList tabs={tabs} tab={tab} choose={turn} label={trans.__('%1/%2', place.namespace, place.name)} />
      <div ref={panel} role="tabpanel" id={`jp-EnvStore-panel-${tab}`} className="jp-EnvStore-tabPanel" tabIndex={-1}>
        <LoadingNotices shown={shown} trans={trans} />
        {build ? (
          <TabBody {...props} key={item.id} build={build} />
        ) : (
          !shown.detail.error && <Skeleton trans={trans} />
        )}
      </div>
    </>
  );
}

function TabBody(
  props: ITabProps & IStagedProps & { tab: Tab; asked: IShow }
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
