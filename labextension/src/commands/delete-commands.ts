import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { size } from '../presentation/formats';
import { isUnfinished, placeOf, whole } from '../store/accessors';
import type { IEnvironment, IPlace } from '../store/types';
import { BUILD, type CommandContext, PLACE, runningKernels } from './command-context';

/** How many builds' artifacts are counted before an environment is deleted. */
const COUNTED = 20;
/** How long the notification with Undo is shown, and how long Undo is possible, in milliseconds. */
const SHOWN = 10_000;
const HOLDS = 600_000;

/** Commands that delete, and the one that brings a deleted environment back. */
export function addDeleteCommands(context: CommandContext): void {
  const offers = new UndoOffers(context);
  addDeleteBuild(context);
  addDeleteEnvironment(context, offers);
  addUndelete(context, offers);
}

function addDeleteBuild(context: CommandContext): void {
  const { model, trans } = context;
  context.add(CommandIDs.deleteBuild, trans.__('Delete Build…'), BUILD, async args => {
    const title = trans.__('Delete build %1?', String(args.number ?? args.build));
    const body = trans.__(
      'Its files and its lockfile are deleted, and it cannot be brought back. Other builds are not changed. A notebook that uses it can run until its kernel stops.'
    );
    if (await confirmDelete(context, title, body)) {
      await context.guarded(trans.__('Not deleted'), () => model.api.deleteBuild(Number(args.build)));
    }
  });
}

function addDeleteEnvironment(context: CommandContext, offers: UndoOffers): void {
  const { model, trans } = context;
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
        await model.api.deleteEnvironment(place);
        return true;
      });
      if (done) {
        offers.offer(place, bytes);
      }
    },
    {
      isEnabled: args => context.may(args, 'environment::delete'),
      caption: args => context.whyNot(args, 'environment::delete')
    }
  );
}

function addUndelete(context: CommandContext, offers: UndoOffers): void {
  const { model, trans } = context;
  context.add(
    CommandIDs.undelete,
    trans.__('Undo Delete'),
    PLACE,
    async args => {
      const place = context.place(args);
      const done = await context.guarded(trans.__('Not brought back'), async () => {
        await model.api.undelete(place);
        return true;
      });
      offers.takeBack(place);
      if (done) {
        offers.tellBack(place);
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

/** The notifications about deleted environments, of which each environment has one at most. */
class UndoOffers {
  constructor(private readonly context: CommandContext) {}

  /** Tell that an environment was deleted, with Undo; `bytes` are freed if it is not undone. */
  offer(place: IPlace, bytes: number): void {
    const { app, trans } = this.context;
    const name = whole(place);
    this.takeBack(place);
    const id = Notification.success(
      bytes ? trans.__('Deleted %1. %2 will be freed in 10 minutes.', name, size(bytes)) : trans.__('Deleted %1.', name),
      {
        autoClose: SHOWN,
        actions: [{ label: trans.__('Undo'), callback: () => void app.commands.execute(CommandIDs.undelete, { ...place }) }]
      }
    );
    this._shown.set(name, id);
    setTimeout(() => Notification.dismiss(id), HOLDS);
  }

  /** Remove what was told last about an environment. */
  takeBack(place: IPlace): void {
    Notification.dismiss(this._shown.get(whole(place)));
  }

  /** Tell that an environment is back. */
  tellBack(place: IPlace): void {
    const words = this.context.trans.__('%1 is back', whole(place));
    this._shown.set(whole(place), Notification.success(words, { autoClose: 5000 }));
  }

  /** Ids of the notifications, by the environment's name. */
  private readonly _shown = new Map<string, string>();
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
