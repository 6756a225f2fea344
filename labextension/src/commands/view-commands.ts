import { Notification } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { chooseFile, MAX_FILE } from '../lab/file-chooser';
import type { IViews } from '../view/shared/view-types';
import { type Arguments, type CommandContext, NOTHING, PLACE } from './command-context';
import { specificationOfKernel } from './kernel-packages';

/** Commands that open views. */
export function addViewCommands(context: CommandContext, views: IViews): void {
  addEnvironmentViewCommands(context, views);
  addCreateViewCommands(context, views);
  context.add(CommandIDs.openTokens, context.trans.__('Manage Tokens'), NOTHING, () => {
    window.open(context.model.api.address + '/tokens', '_blank', 'noopener');
  });
}

/** Commands that open an environment, at one of its tabs. */
function addEnvironmentViewCommands(context: CommandContext, views: IViews): void {
  const { trans } = context;
  const exists = (args: Arguments) => Boolean(context.environment(args));

  context.add(
    CommandIDs.open,
    trans.__('Open'),
    PLACE,
    args => {
      const place = context.place(args);
      const focus = args.tab ? ('tab' as const) : undefined;
      return place.name ? views.open(place, { tab: args.tab, build: args.build, focus }) : undefined;
    },
    { evenGone: true }
  );
  context.add(
    CommandIDs.edit,
    trans.__('Edit Specification'),
    PLACE,
    args => views.open(context.place(args), { tab: 'specification', build: args.build, focus: 'editor' }),
    { isEnabled: exists }
  );
  context.add(
    CommandIDs.addPackage,
    trans.__('Add Package…'),
    PLACE,
    args => views.open(context.place(args), { tab: 'packages', focus: 'add-package' }),
    {
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args => context.whyNot(args, 'environment::update')
    }
  );
  context.add(
    CommandIDs.compare,
    trans.__('Compare Builds'),
    PLACE,
    args => views.open(context.place(args), { tab: 'builds', compare: args.compare, focus: 'tab' }),
    { isEnabled: exists, label: args => String(args.words ?? trans.__('Compare Builds')) }
  );
  context.add(
    CommandIDs.showLog,
    trans.__('Show Log'),
    PLACE,
    args => {
      const item = context.environment(args);
      const build = args.build ?? item?.newest_build_id ?? undefined;
      return views.open(context.place(args), { tab: 'artifacts', build, focus: 'log' });
    },
    { isEnabled: exists }
  );
}

/** Commands that open the form for a new environment, with what it begins with. */
function addCreateViewCommands(context: CommandContext, views: IViews): void {
  const { trans, notebooks } = context;

  context.add(CommandIDs.create, trans.__('New Environment'), NOTHING, args =>
    views.create({ namespace: args.namespace, name: args.name, text: args.text, file: args.file, restored: args.restored })
  );
  context.add(CommandIDs.importFile, trans.__('Import Environment File…'), NOTHING, async args => {
    const file = await chooseFile();
    if (!file) {
      return;
    }
    if (file.size > MAX_FILE) {
      Notification.error(trans.__('%1 is larger than 4 MB, so it cannot be an environment file.', file.name), { autoClose: 8000 });
      return;
    }
    return views.create({ namespace: args.namespace, text: await file.text(), fileName: file.name });
  });
  context.add(
    CommandIDs.fromKernel,
    trans.__("New Environment from This Notebook's Kernel"),
    NOTHING,
    async () => {
      const kernel = notebooks?.currentWidget?.sessionContext.session?.kernel;
      if (!kernel) {
        return;
      }
      try {
        const label = notebooks!.currentWidget!.title.label.replace(/\.ipynb$/, '');
        await views.create({ text: await specificationOfKernel(kernel), fileName: `${label}.yml` });
      } catch (error) {
        Notification.error(trans.__('The packages of this kernel cannot be listed: %1', (error as Error).message), {
          autoClose: 8000
        });
      }
    },
    { isEnabled: () => Boolean(notebooks?.currentWidget?.sessionContext.session?.kernel) }
  );
}
