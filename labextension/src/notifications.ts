import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { CommandIDs } from './commands';
import type { EnvStoreModel, ISettled } from './model';
import { clause, duration } from './status';

const SHOWN = 8000;

/** Tell of the end of each build that the user started; builds of others change rows only. */
export function notify(model: EnvStoreModel, commands: CommandRegistry, trans: TranslationBundle): void {
  model.settled.connect((_, end) => {
    if (end.status === 'COMPLETED') {
      tellReady(model, commands, trans, end);
    } else if (end.status === 'FAILED') {
      const args = { ...end.place, build: end.build };
      Notification.error(`${end.place.namespace}/${end.place.name}: ${clause(end.reason)}`, {
        autoClose: false,
        actions: [
          { label: trans.__('Show'), callback: () => void commands.execute(CommandIDs.showLog, args) },
          { label: trans.__('Edit'), callback: () => void commands.execute(CommandIDs.edit, args) }
        ]
      });
    }
  });
}

function tellReady(model: EnvStoreModel, commands: CommandRegistry, trans: TranslationBundle, end: ISettled): void {
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
        label: trans.__('Use in current notebook'),
        callback: () => void commands.execute(CommandIDs.useInCurrent, { ...end.place })
      });
    }
  }
  Notification.success(trans.__('%1 is ready (%2)', name, duration(end.seconds)), { autoClose: SHOWN, actions });
}
