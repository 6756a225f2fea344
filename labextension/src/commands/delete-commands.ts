import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { size } from '../presentation/formats';
import { isUnfinished, placeOf } from '../store/accessors';
import type { IEnvironment } from '../store/types';
import { BUILD, type CommandContext, PLACE, runningKernels, whole } from './command-context';

/** How many builds' artifacts are counted before an environment is deleted. */
const COUNTED = 20;
/** How long the notification with Undo is shown, and how long Undo is possible, in milliseconds. */
const SHOWN = 10_000;
const HOLDS = 600_000;

/** Commands that delete, and the one that brings a deleted environment back. */
export function addDeleteCommands(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;
  /** The notifications that offer to undo, by what was deleted. */
  const offers = new Map<string, string>();

  context.add(CommandIDs.deleteBuild, trans.__('Delete Build…'), BUILD, async args => {
    const title = trans.__('Delete build %1?', String(args.number ?? args.build));
    const body = trans.__(
      'Its files and its lockfile are deleted, and it cannot be brought back. Other builds are not changed. A notebook that uses it can run until its kernel stops.'
    );
    if (await confirmDelete(context, title, body)) {
      await context.guarded(trans.__('Not deleted'), () => api.deleteBuild(Number(args.build)));
    }
  });
  context.add(
    CommandIDs.remove,
    trans.__('Delete…'),
    PLACE,
    async args => {
      const item = context.environment(args);
      if (!item) {
        return;
      }
      const place = placeOf(item);
      const { bytes, lines } = await whatGoes(context, item);
      if (!(await confirmDelete(context, trans.__('Delete %1?', whole(place)), lines.join(' ')))) {
        return;
      }
      const done = await context.guarded(trans.__('Not deleted'), async () => {
        await api.deleteEnvironment(place);
        return true;
      });
      if (done) {
        Notification.dismiss(offers.get(whole(place)));
        const id = Notification.success(
          bytes ? trans.__('Deleted %1. %2 will be freed in 10 minutes.', whole(place), size(bytes)) : trans.__('Deleted %1.', whole(place)),
          {
            autoClose: SHOWN,
            actions: [{ label: trans.__('Undo'), callback: () => void context.app.commands.execute(CommandIDs.undelete, { ...place }) }]
          }
        );
        offers.set(whole(place), id);
        setTimeout(() => Notification.dismiss(id), HOLDS);
      }
    },
    {
      isEnabled: args => context.may(args, 'environment::delete'),
      caption: args => context.whyNot(args, 'environment::delete')
    }
  );
  context.add(
    CommandIDs.undelete,
    trans.__('Undo Delete'),
    PLACE,
    async args => {
      const place = context.place(args);
      const done = await context.guarded(trans.__('Not brought back'), async () => {
        await api.undelete(place);
        return true;
      });
      Notification.dismiss(offers.get(whole(place)));
      if (done) {
        offers.set(whole(place), Notification.success(trans.__('%1 is back', whole(place)), { autoClose: 5000 }));
        model.reveal(place);
      }
      return done === true;
    },
    {
      evenGone: true,
      isVisible: args => context.whyGone(args) !== '',
      isEnabled: args => model.may(context.place(args), 'environment::delete'),
      caption: args =>
        model.may(context.place(args), 'environment::delete')
          ? trans.__('Possible for ten minutes after the deletion')
          : trans.__('Only admins of %1 can bring it back', context.place(args).namespace)
    }
  );
}

/** Return what is deleted with an environment: bytes, and what the user should know before. */
async function whatGoes(context: CommandContext, item: IEnvironment): Promise<{ bytes: number; lines: string[] }> {
  const { model, trans } = context;
  const { api } = model;
  const { builds, count } = await api.builds(item.id);
  const prefixes = builds.reduce((sum, build) => sum + (build.packed_away ? 0 : build.own_size), 0);
  const artifacts = await Promise.all(
    builds.filter(build => build.status === 'COMPLETED').slice(0, COUNTED).map(build => api.artifacts(build.id).catch(() => []))
  );
  const files = new Map(artifacts.flat().filter(found => found.state === 'ready').map(found => [found.sha256, found.size]));
  const bytes = [...files.values()].reduce((sum, size) => sum + size, prefixes);
  const members = item.namespace.members ?? 0;
  const running = runningKernels(context, placeOf(item));
  const lines = [
    trans._n('%1 build and its files are deleted', '%1 builds and their files are deleted', count) + ` (${size(bytes)}).`,
    item.kernels.length ? trans.__('Its kernel disappears.') : '',
    running ? trans._n('%1 notebook uses it now.', '%1 notebooks use it now.', running) : '',
    members > 1 ? trans.__('%1 people have a role in %2.', members, item.namespace.name) : '',
    isUnfinished(item.newest_build_status) ? trans.__('The running build is stopped.') : '',
    trans.__('You can undo this for 10 minutes.')
  ];
  return { bytes, lines: lines.filter(line => line) };
}

/** Ask before something is deleted; Enter cancels. */
async function confirmDelete(context: CommandContext, title: string, body: string): Promise<boolean> {
  const answer = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: context.trans.__('Delete') })],
    defaultButton: 0
  });
  return answer.button.accept;
}
