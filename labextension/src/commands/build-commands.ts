import { Notification } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { restored } from '../presentation/build-ends';
import { placeOf, whole } from '../store/accessors';
import type { IEnvironment } from '../store/types';
import type { IViews } from '../view/shared/view-types';
import { BUILD, type CommandContext, PLACE, runningKernels } from './command-context';

/** Commands that make builds, and change those that there are. */
export function addBuildCommands(context: CommandContext, views: IViews): void {
  addRebuildCommand(context, views);
  addCancelCommand(context);
  addRestoreCommand(context);
  addBringCommand(context);
  addRetentionCommands(context);
  addActivationCommand(context);
}

/** The command that builds the same specification again. */
function addRebuildCommand(context: CommandContext, views: IViews): void {
  const { app, model, trans } = context;
  const { api } = model;

  context.add(
    CommandIDs.rebuild,
    trans.__('Rebuild'),
    PLACE,
    async args => {
      const item = context.environment(args);
      if (item && !(await views.mayBuild(placeOf(item)))) {
        return undefined;
      }
      const failed = item?.active && item.newest_build_status !== 'COMPLETED';
      const usual = failed ? item.current_build_id : item?.newest_build_id;
      const build = Number(args.build ?? usual ?? 0);
      if (item && build && args.build === undefined && !(await hasNewer(context, item, build))) {
        Notification.info(trans.__('%1: no newer packages fit the specification.', item.name), {
          autoClose: 8000,
          actions: [
            {
              label: trans.__('Build anyway'),
              callback: () => void app.commands.execute(CommandIDs.rebuild, { ...context.place(args), build })
            }
          ]
        });
        return undefined;
      }
      const made = build && (await context.guarded(trans.__('Not rebuilt'), () => api.rebuild(build)));
      if (made) {
        model.watch(made);
      }
      return made;
    },
    {
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args =>
        context.whyNot(args, 'environment::update') || trans.__('Build the same specification with the newest packages')
    }
  );
}

/** The command that stops a build, or an artifact that is being made. */
function addCancelCommand(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;

  context.add(
    CommandIDs.cancel,
    trans.__('Cancel Build'),
    BUILD,
    async args => {
      const build = Number(args.build);
      await context.guarded(trans.__('Not canceled'), () => api.cancel(build));
      if (args.isMaking) {
        return; // the row of what was made says so
      }
      const item = model.environments.find(found => found.newest_build_id === build);
      if (item?.active && item.current_build) {
        Notification.info(
          trans.__('Canceled. %1 still uses build %2.', item.name, item.current_build.number),
          { autoClose: 5000 }
        );
      }
    },
    { isEnabled: () => model.isConnected }
  );
}

/** The command that brings a build back that was packed away. */
function addRestoreCommand(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;

  context.add(
    CommandIDs.restore,
    trans.__('Bring Back'),
    PLACE,
    async args => {
      const build = Number(args.build ?? context.environment(args)?.current_build_id ?? 0);
      if (!build) {
        return;
      }
      const place = context.place(args);
      const done = restored(api, build, trans, () => void model.refresh());
      Notification.promise(done, {
        pending: { message: trans.__('Bringing a build of %1 back…', whole(place)), options: { autoClose: false } },
        success: { message: number => trans.__('Build %1 of %2 is back', number as number, whole(place)), options: { autoClose: 8000 } },
        error: { message: reason => trans.__('Not brought back: %1', (reason as Error).message), options: { autoClose: false } }
      });
      await done.catch(() => undefined); // told already
      await model.refresh();
    },
    {
      isVisible: args => args.build !== undefined || Boolean(context.environment(args)?.current_build?.packed_away),
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args => context.whyNot(args, 'environment::update')
    }
  );
}

/** The command that brings an environment of a store elsewhere to this server, before a kernel does. */
function addBringCommand(context: CommandContext): void {
  const { model, trans } = context;

  context.add(
    CommandIDs.bring,
    trans.__('Bring to This Server'),
    PLACE,
    async args => {
      await context.guarded(trans.__('Not brought'), () => model.api.bring(context.place(args)));
      await model.refresh();
    },
    {
      isVisible: args => context.environment(args)?.presence?.state === 'away',
      isEnabled: () => model.isConnected
    }
  );
}

/** Commands that control how long the files of a build are kept. */
function addRetentionCommands(context: CommandContext): void {
  const { app, trans } = context;
  const { api } = context.model;

  context.add(
    CommandIDs.pin,
    trans.__('Pin Build'),
    { ...BUILD, properties: { ...BUILD.properties, pinned: { type: 'boolean', description: 'Whether it is pinned, so that it is never packed away' } } },
    args => context.guarded(trans.__('Not changed'), () => api.pin(Number(args.build), args.pinned !== false))
  );
  context.add(
    CommandIDs.keepPackages,
    trans.__('Keep Packages of Build'),
    { ...BUILD, properties: { ...BUILD.properties, packages: { type: 'boolean', description: 'Whether the files of its packages are kept' } } },
    args => context.guarded(trans.__('Not changed'), () => api.keepPackages(Number(args.build), args.packages !== false))
  );
  context.add(CommandIDs.packAway, trans.__('Pack Build Away'), BUILD, async args => {
    const build = Number(args.build);
    const done = await context.guarded(trans.__('Not packed away'), async () => {
      await api.packAway(build);
      return true;
    });
    if (done) {
      Notification.success(trans.__('Packed away. Its lockfile is kept, so you can bring the build back.'), {
        autoClose: 8000,
        actions: [
          { label: trans.__('Undo'), callback: () => void app.commands.execute(CommandIDs.restore, { ...args, build }) }
        ]
      });
    }
  });
}

/** The command that makes a build the active one. */
function addActivationCommand(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;

  context.add(
    CommandIDs.makeActive,
    trans.__('Make Active'),
    PLACE,
    async args => {
      const place = context.place(args);
      const before = model.find(place)?.current_build;
      const activate = async (build: number) => {
        const done = await context.guarded(trans.__('Not changed'), async () => {
          await api.activate(place, build);
          return true;
        });
        if (done) {
          model.tellActivated(place);
        }
        return done;
      };
      if (!(await activate(Number(args.build)))) {
        return;
      }
      const now = model.find(place)?.current_build;
      const running = runningKernels(context, place);
      const stay =
        running && before ? ' ' + trans._n('%1 running notebook keeps its build.', '%1 running notebooks keep their build.', running) : '';
      Notification.success(trans.__('New notebooks use build %1.', now?.number ?? '') + stay, {
        autoClose: 8000,
        actions: before
          ? [
              {
                label: trans.__('Undo'),
                callback: () => void activate(before.id)
              }
            ]
          : []
      });
    },
    {
      label: args => String(args.words ?? trans.__('Make Active')),
      isEnabled: args => context.may(args, 'environment::update') && !args.isActive && !args.isAway,
      caption: args =>
        args.isAway ? trans.__('It is packed away. Bring it back first.') : context.whyNot(args, 'environment::update')
    }
  );
}

/** Whether a new build of the same specification would differ; true if that is not known. */
async function hasNewer(context: CommandContext, item: IEnvironment, build: number): Promise<boolean> {
  const { api } = context.model;
  try {
    const { specification, exclude_newer } = await api.build(build);
    if (!specification || specification.is_lockfile || build !== item.current_build_id) {
      return true;
    }
    const found = await api.solve(specification.text, placeOf(item), { excludeNewer: exclude_newer });
    return found.changes === null || found.changes.length > 0 || found.notes.some(note => note.includes('PyPI'));
  } catch {
    return true; // the build says why
  }
}
