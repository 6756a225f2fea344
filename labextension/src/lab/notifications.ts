import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { CommandIDs } from '../command-ids';
import { step } from '../presentation/build-steps';
import { clause } from '../presentation/error-text';
import { duration } from '../presentation/formats';
import { placeOf } from '../store/accessors';
import type { EnvStoreModel } from '../store/model';
import type { IBuildEnd } from '../store/own-builds';
import type { IPlace } from '../store/types';

const SHOWN = 8000;
const SOON = 1000;

/**
 * Notify the user of each build that they started: one notification shows its progress, and another one how it ended.
 * Builds of other users have no notifications.
 */
export function notify(model: EnvStoreModel, commands: CommandRegistry, trans: TranslationBundle): void {
  const progress = new InProgress(model, commands, trans);
  const failures = new Failures(model);
  model.changed.connect(() => {
    progress.tell();
    failures.tidy();
  });
  model.settled.connect((_, end) => {
    if (end.status === 'COMPLETED') {
      tellReady(model, commands, trans, end);
    } else if (end.status === 'FAILED') {
      const args = { ...end.place, build: end.build };
      const id = Notification.error(`${end.place.namespace}/${end.place.name}: ${clause(end.reason)}`, {
        autoClose: false,
        actions: [
          { label: trans.__('Show'), callback: () => void commands.execute(CommandIDs.showLog, args) },
          { label: trans.__('Edit'), callback: () => void commands.execute(CommandIDs.edit, args) }
        ]
      });
      failures.add(end, id);
    }
  });
}

/** The notifications of failed builds; they are removed when the environment is deleted or a newer build is ready. */
class Failures {
  constructor(private readonly model: EnvStoreModel) {}

  /** Remember a notification. */
  add(end: IBuildEnd, id: string): void {
    this._known.push({ place: end.place, build: end.build, id });
  }

  /** Remove notifications that are not true any more. */
  tidy(): void {
    if (!this.model.isConnected) {
      return;
    }
    this._known = this._known.filter(({ place, build, id }) => {
      const item = this.model.find(place);
      const isRepaired = (item?.newest_build_id ?? 0) > build && item?.newest_build_status === 'COMPLETED';
      if (item && !isRepaired) {
        return true;
      }
      Notification.dismiss(id);
      return false;
    });
  }

  private _known: { place: IPlace; build: number; id: string }[] = [];
}

/** The notifications of running builds; builds that end immediately have none. */
class InProgress {
  constructor(
    private readonly model: EnvStoreModel,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle
  ) {}

  /** Show the progress of each build, and remove the notifications of other builds. */
  tell(): void {
    const running = new Map(this.model.building.map(found => [found.build.id, found] as const));
    for (const [build, known] of this._known) {
      if (!running.has(build)) {
        this._known.delete(build);
        if (known.id) {
          Notification.dismiss(known.id); // how it ended is told by another one, with buttons of its own
        }
      }
    }
    for (const [build, { item }] of running) {
      if (this.model.isMine(build)) {
        this._show(build, placeOf(item));
      }
    }
  }

  private _show(build: number, place: IPlace): void {
    const { model, commands, trans } = this;
    const known = this._known.get(build) ?? { id: '', words: '', since: Date.now() };
    this._known.set(build, known);
    const words = trans.__('Building %1 · %2', `${place.namespace}/${place.name}`, step(model.progress(build), trans).words);
    if (known.words === words || Date.now() - known.since < SOON) {
      return;
    }
    known.words = words;
    if (known.id) {
      Notification.update({ id: known.id, message: words });
      return;
    }
    known.id = Notification.emit(words, 'in-progress', {
      autoClose: false,
      actions: [
        { label: trans.__('Show log'), callback: () => void commands.execute(CommandIDs.showLog, { ...place, build }) },
        { label: trans.__('Cancel'), callback: () => void commands.execute(CommandIDs.cancel, { build }) }
      ]
    });
  }

  private readonly _known = new Map<number, { id: string; words: string; since: number }>();
}

function tellReady(model: EnvStoreModel, commands: CommandRegistry, trans: TranslationBundle, end: IBuildEnd): void {
  const name = `${end.place.namespace}/${end.place.name}`;
  const item = model.find(end.place);
  const actions: Notification.IAction[] = [];
  if (item?.kernels.length) {
    actions.push({
      label: trans.__('Open notebook'),
      displayType: 'accent',
      callback: () => void commands.execute(CommandIDs.openNotebook, { ...end.place })
    });
    if (commands.isEnabled(CommandIDs.useInCurrent, { ...end.place })) {
      actions.push({
        label: commands.label(CommandIDs.useInCurrent, { ...end.place, named: true }),
        callback: () => void commands.execute(CommandIDs.useInCurrent, { ...end.place })
      });
    }
  }
  Notification.success(trans.__('%1 is ready (%2)', name, duration(end.seconds)), { autoClose: SHOWN, actions });
}
