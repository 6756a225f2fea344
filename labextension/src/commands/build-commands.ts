import { Notification } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { type ISettled, placeOf } from '../store/model';
import type { IEnvironment, IPlace } from '../store/types';
import { addKernelCommand } from './add-kernel';
import { BUILD, type CommandContext, NOTHING, PLACE, runningKernels, whole } from './command-context';
import { askForLine, askUntilTaken, PlaceForm } from './dialog-forms';

const EXAMPLE = ['python', 'ipykernel'];
const EXAMPLE_MORE = ['numpy', 'pandas', 'matplotlib'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/;

/** How often, and how many times, a build that is brought back is looked at. */
const RESTORE_PAUSE = 700;
const RESTORE_TURNS = 1000;

/** Commands that change the store. */
export function addBuildCommands(context: CommandContext): void {
  const { app, model, trans } = context;
  const { api } = model;

  context.add(CommandIDs.createExample, trans.__('Create Example Environment'), NOTHING, async () => {
    const found = new Set((await api.newest(EXAMPLE_MORE, await api.channels())).map(item => item.name));
    const lines = [...EXAMPLE, ...EXAMPLE_MORE.filter(name => found.has(name))].map(name => `  - ${name}\n`).join('');
    const text = `name: example\ndescription: Packages to begin with\ndependencies:\n${lines}`;
    const { build } = await api.submit(text);
    model.watch(build);
    const whenReady = (_: unknown, end: ISettled) => {
      if (end.build === build) {
        model.settled.disconnect(whenReady);
        if (end.status === 'COMPLETED') {
          context.examples.add(whole(end.place));
          model.reveal(end.place);
        }
      }
    };
    model.settled.connect(whenReady);
    await model.refresh();
  });
  context.add(
    CommandIDs.rebuild,
    trans.__('Rebuild'),
    PLACE,
    async args => {
      const item = context.environment(args);
      const failed = item?.active && item.newest_build_status !== 'COMPLETED';
      const usual = failed ? item.current_build_id : item?.newest_build_id;
      const build = Number(args.build ?? usual ?? 0);
      if (item && build && args.build === undefined && !(await hasNewer(context, item, build))) {
        Notification.info(trans.__('%1: nothing newer fits.', item.name), {
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
        context.whyNot(args, 'environment::update') || trans.__('The same specification, newest packages')
    }
  );
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
          trans.__('Canceled. %1 goes on with build %2.', item.name, item.current_build.number),
          { autoClose: 5000 }
        );
      }
    },
    { isEnabled: () => model.isConnected }
  );
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
      const back = async () => {
        await api.restore(build);
        for (let turn = 0; turn < RESTORE_TURNS; turn++) {
          await model.refresh();
          const found = await api.build(build);
          if (!found.packed_away) {
            return found.number;
          }
          const { steps } = await api.progress(build);
          if (steps.length && steps.every(step => step.state !== 'running') && steps.some(step => step.state === 'failed')) {
            throw new Error(trans.__('see the log of build %1', found.number));
          }
          await new Promise(resolve => window.setTimeout(resolve, RESTORE_PAUSE));
        }
        throw new Error(trans.__('it takes long; the log tells how far it is'));
      };
      const done = back();
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
  context.add(
    CommandIDs.pin,
    trans.__('Pin Build'),
    { ...BUILD, properties: { ...BUILD.properties, pinned: { type: 'boolean', description: 'Whether it is kept for good' } } },
    args => context.guarded(trans.__('Not changed'), () => api.pin(Number(args.build), args.pinned !== false))
  );
  context.add(
    CommandIDs.keepPackages,
    trans.__('Keep Packages of Build'),
    { ...BUILD, properties: { ...BUILD.properties, packages: { type: 'boolean', description: 'Whether they are kept' } } },
    args => context.guarded(trans.__('Not changed'), () => api.keepPackages(Number(args.build), args.packages !== false))
  );
  context.add(CommandIDs.packAway, trans.__('Pack Build Away'), BUILD, async args => {
    const build = Number(args.build);
    const done = await context.guarded(trans.__('Not packed away'), async () => {
      await api.packAway(build);
      return true;
    });
    if (done) {
      Notification.success(trans.__('Packed away. Its lockfile stays, and brings it back.'), {
        autoClose: 8000,
        actions: [
          { label: trans.__('Undo'), callback: () => void app.commands.execute(CommandIDs.restore, { ...args, build }) }
        ]
      });
    }
  });
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
        running && before ? ' ' + trans._n('%1 running notebook stays.', '%1 running notebooks stay.', running) : '';
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
        args.isAway ? trans.__('It is packed away; bring it back first') : context.whyNot(args, 'environment::update')
    }
  );
  context.add(
    CommandIDs.clone,
    trans.__('Clone…'),
    PLACE,
    async args => {
      const place = context.place(args);
      const build = args.build ? Number(args.build) : undefined;
      const namespace = model.writable.includes(place.namespace) ? place.namespace : model.writable[0] ?? '';
      const cloned = await askUntilTaken(
        { title: trans.__('Clone %1', whole(place)), ok: trans.__('Clone') },
        { namespace, name: `${place.name}-copy` },
        (proposal, problem) => new PlaceForm(model.writable, proposal, problem, trans.__('Name'), trans.__('In')),
        async target => {
          checkName(context, target);
          model.watch(await api.clone(place, target, build));
        }
      );
      if (cloned) {
        await model.refresh();
        await app.commands.execute(CommandIDs.open, { ...cloned });
      }
    },
    {
      isEnabled: args => Boolean(context.environment(args)?.active) && model.writable.length > 0,
      caption: args =>
        !context.environment(args)?.active
          ? trans.__('It has no build that could be cloned')
          : model.writable.length === 0
            ? trans.__('You may make environments in no namespace')
            : trans.__('The same packages under another name')
    }
  );
  context.add(
    CommandIDs.describe,
    trans.__('Edit Description…'),
    PLACE,
    async args => {
      const item = context.environment(args);
      if (!item) {
        return;
      }
      const place = placeOf(item);
      await askForLine(
        { title: trans.__('Description of %1', whole(place)), label: trans.__('Description'), ok: trans.__('Save') },
        item.description,
        text => api.describe(place, text)
      );
      await model.refresh();
    },
    {
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args => context.whyNot(args, 'environment::update')
    }
  );
  addKernelCommand(context);
}

/** Whether a build of the same specification would differ from a build; yes where that cannot be told. */
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

/** Refuse what an environment cannot be called, as far as the panel knows. */
function checkName(context: CommandContext, target: IPlace): void {
  const { model, trans } = context;
  if (!NAME.test(target.name)) {
    throw new Error(
      trans.__(
        '“%1” is no name: letters, digits and _ . + -, at most 64, beginning with a letter or digit.',
        target.name
      )
    );
  }
  if (model.find(target)) {
    throw new Error(trans.__('%1 already has %2. Choose another name.', target.namespace, target.name));
  }
}
