import type { IRunningSessionManagers, IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { type ISignal, Signal } from '@lumino/signaling';
import { CommandIDs } from '../command-ids';
import { envstoreIcon } from '../icons';
import { step } from '../presentation/build-steps';
import { placeOf } from '../store/accessors';
import type { EnvStoreModel, IUnfinishedBuild } from '../store/model';

/** Show builds that are queued or run in JupyterLab's panel of running sessions, with a button to cancel them. */
export function addRunningBuilds(
  managers: IRunningSessionManagers,
  model: EnvStoreModel,
  commands: CommandRegistry,
  trans: TranslationBundle
): void {
  managers.add(new RunningBuilds(model, commands, trans));
}

class RunningBuilds implements IRunningSessions.IManager {
  constructor(
    private readonly model: EnvStoreModel,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle
  ) {
    this.name = trans.__('Environment builds');
    this.shutdownLabel = trans.__('Cancel');
    this.shutdownAllLabel = trans.__('Cancel All');
    this.shutdownAllConfirmationText = trans.__('Cancel all running builds? Active builds are not changed.');
    model.changed.connect(() => this._runningChanged.emit());
  }

  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: string;

  get runningChanged(): ISignal<any, any> {
    return this._runningChanged;
  }

  running(): IRunningSessions.IRunningItem[] {
    return this.model.building.map(found => this.runningItem(found));
  }

  shutdownAll(): void {
    for (const { build } of this.model.building) {
      void this.commands.execute(CommandIDs.cancel, { build: build.id });
    }
  }

  refreshRunning(): void {
    void this.model.refresh();
  }

  private runningItem(found: IUnfinishedBuild): IRunningSessions.IRunningItem {
    const place = placeOf(found.item);
    const build = found.build.id;
    return {
      open: () => void this.commands.execute(CommandIDs.showLog, { ...place, build }),
      shutdown: () => void this.commands.execute(CommandIDs.cancel, { build }),
      icon: () => envstoreIcon,
      label: () => `${place.namespace}/${place.name}`,
      detail: () => step(this.model.progress(build), this.trans).words
    };
  }

  private readonly _runningChanged = new Signal<this, void>(this);
}
