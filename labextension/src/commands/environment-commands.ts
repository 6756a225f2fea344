import { CommandIDs } from '../command-ids';
import { placeOf, whole } from '../store/accessors';
import { isEnvironmentName } from '../store/environment-names';
import type { IBuildEnd } from '../store/own-builds';
import type { IPlace } from '../store/types';
import { type CommandContext, NOTHING, PLACE } from './command-context';
import { askForLine, askUntilTaken, PlaceForm } from './dialog-forms';

const EXAMPLE = ['python', 'ipykernel'];
const EXAMPLE_MORE = ['numpy', 'pandas', 'matplotlib'];

/** Commands that create the example, clone environments and describe them. */
export function addEnvironmentCommands(context: CommandContext): void {
  addExampleCommand(context);
  addCloneCommand(context);
  addDescribeCommand(context);
}

/** The command that makes an example to begin with. */
function addExampleCommand(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;

  context.add(CommandIDs.createExample, trans.__('Create Example Environment'), NOTHING, async () => {
    const found = new Set((await api.newest(EXAMPLE_MORE, await api.channels())).map(item => item.name));
    const lines = [...EXAMPLE, ...EXAMPLE_MORE.filter(name => found.has(name))].map(name => `  - ${name}\n`).join('');
    const text = `name: example\ndescription: Packages to begin with\ndependencies:\n${lines}`;
    const { build } = await api.submit(text);
    model.watch(build);
    const whenReady = (_: unknown, end: IBuildEnd) => {
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
}

/** The command that makes an environment with the packages of another one. */
function addCloneCommand(context: CommandContext): void {
  const { app, model, trans } = context;
  const { api } = model;

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
          ? trans.__('It has no build to clone')
          : model.writable.length === 0
            ? trans.__('There is no namespace in which you can create environments')
            : trans.__('The same packages under another name')
    }
  );
}

/** The command that changes the description. */
function addDescribeCommand(context: CommandContext): void {
  const { model, trans } = context;
  const { api } = model;

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
}

/** Throw an error if an environment cannot have this name. */
function checkName(context: CommandContext, target: IPlace): void {
  const { model, trans } = context;
  if (!isEnvironmentName(target.name)) {
    throw new Error(
      trans.__(
        '“%1” is not a valid name. Use at most 64 letters, digits and _ . + -, and begin with a letter or digit.',
        target.name
      )
    );
  }
  if (model.find(target)) {
    throw new Error(trans.__('%1 already has %2. Choose another name.', target.namespace, target.name));
  }
}
