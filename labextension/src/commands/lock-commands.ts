import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { CommandIDs } from '../command-ids';
import { bondOf, type NotebookBonds } from '../notebook/notebook-bonds';
import { size } from '../presentation/formats';
import { whole } from '../store/accessors';
import { type CommandContext, NOTHING } from './command-context';

/** Commands that put the lock of a notebook's environment into the notebook, and take it out. */
export function addLockCommands(context: CommandContext, bonds: NotebookBonds): void {
  const { trans, notebooks } = context;
  const current = (): NotebookPanel | null => notebooks?.currentWidget ?? null;

  context.add(
    CommandIDs.embedLock,
    trans.__('Embed Lock in Notebook…'),
    NOTHING,
    async () => {
      const panel = current();
      const bond = panel && (await bonds.withLock(panel));
      if (!panel || !bond?.lock) {
        throw new Error(trans.__('The build that the notebook runs in is not known; restart its kernel.'));
      }
      const title = panel.title.label;
      const old = bondOf(panel.model);
      if (old?.lock && old.record === bond.record) {
        Notification.info(trans.__('%1 has the lock of build %2 already', title, bond.build), { autoClose: 4000 });
        return;
      }
      const name = whole({ namespace: bond.namespace, name: bond.environment });
      const answer = await showDialog({
        title: trans.__('Embed the lock of %1 in %2?', name, title),
        body: trans.__(
          'The notebook becomes %1 larger. It then contains the exact version and address of each package of build %2, so that the environment can be brought back from the notebook alone. The variables of the environment with their values, and the addresses of its channels, are in it, too.',
          size(bond.lock.size),
          bond.build
        ),
        buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Embed') })]
      });
      if (answer.button.accept && !panel.isDisposed) {
        bonds.write(panel, bond);
        Notification.success(trans.__('%1 contains the lock of %2, build %3. Save it to keep it.', title, name, bond.build), {
          autoClose: 6000
        });
      }
    },
    {
      isEnabled: () => Boolean(current() && bonds.environmentOf(current()!)),
      caption: () =>
        current() && bonds.environmentOf(current()!)
          ? trans.__('So that the environment can be brought back from the notebook alone')
          : trans.__('The notebook in front does not use an environment of the store')
    }
  );
  context.add(
    CommandIDs.removeLock,
    trans.__('Remove Lock from Notebook'),
    NOTHING,
    () => {
      const panel = current();
      if (panel) {
        bonds.removeLock(panel);
      }
    },
    { isEnabled: () => Boolean(bondOf(current()?.model ?? null)?.lock) }
  );
}
