import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { CommandIDs } from '../command-ids';
import { copy } from '../lab/clipboard';
import type { SessionPanel } from '../lab/session-tracker';
import { placeOf, whole } from '../store/accessors';
import type { IEnvironment } from '../store/types';
import { type Arguments, BUILD, type CommandContext, NOTHING, PLACE } from './command-context';

/** The largest number of letters of a name on a button. */
const LONGEST = 24;

const FIRST_CELL = `import numpy as np
import pandas as pd

pd.DataFrame(np.arange(6).reshape(2, 3), columns=["a", "b", "c"])`;

/** Commands that use an environment: notebooks, consoles, terminals. */
export function addSessionCommands(context: CommandContext): void {
  addNotebookCommands(context);
  addTerminalCommand(context);
  addKernelChangeCommand(context);
  addCopyNameCommands(context);
  context.add(CommandIDs.refresh, context.trans.__('Refresh Environments'), NOTHING, () => context.model.refresh());
}

/** Commands that start a notebook or a console. */
function addNotebookCommands(context: CommandContext): void {
  const { app, model, trans } = context;

  context.add(
    CommandIDs.openNotebook,
    trans.__('Open Notebook'),
    PLACE,
    async args => {
      const kernelName = await kernelOf(context, context.environment(args));
      if (!kernelName) {
        return undefined;
      }
      const panel = await createNotebook(context, kernelName);
      if (panel && context.examples.delete(whole(context.place(args)))) {
        await panel.context.ready;
        panel.content.model?.cells.get(0).sharedModel.setSource(FIRST_CELL);
      }
      return panel;
    },
    { isEnabled: args => hasKernel(context, args), caption: args => whyNoKernel(context, args) }
  );
  context.add(CommandIDs.openBuild, trans.__('Open Notebook with This Build'), BUILD, async args => {
    const [kernelName] = await model.api.offerKernel(Number(args.build));
    await app.serviceManager.kernelspecs.refreshSpecs();
    return kernelName && createNotebook(context, kernelName);
  });
  context.add(
    CommandIDs.openConsole,
    trans.__('Open Console'),
    PLACE,
    async args => {
      const name = await kernelOf(context, context.environment(args));
      return name && app.commands.execute('console:create', { kernelPreference: { name }, cwd: folder(context) });
    },
    { isEnabled: args => hasKernel(context, args), caption: args => whyNoKernel(context, args) }
  );
}

/** The command that starts a terminal. */
function addTerminalCommand(context: CommandContext): void {
  const { app, model, trans } = context;

  context.add(
    CommandIDs.openTerminal,
    trans.__('Open Terminal'),
    PLACE,
    async args => {
      const place = context.place(args);
      const terminal: any = await app.commands.execute('terminal:create-new');
      const [program = 'jupyter-envstore', ...options] = model.permissions?.command ?? [];
      const command = [program, 'shell', whole(place), ...options].map(quoted).join(' ') + '\r';
      const session = terminal?.content?.session ?? terminal?.session;
      session?.send({ type: 'stdin', content: [command] });
    },
    {
      isVisible: () =>
        app.commands.hasCommand('terminal:create-new') &&
        app.serviceManager.terminals.isAvailable(),
      isEnabled: args => Boolean(context.environment(args)?.active),
      caption: args => (context.environment(args)?.active ? '' : trans.__('It has no build that can be used'))
    }
  );
}

/** The command that changes the kernel of an open notebook or console. */
function addKernelChangeCommand(context: CommandContext): void {
  const { trans, sessions } = context;

  context.add(
    CommandIDs.useInCurrent,
    trans.__('Use in Current Notebook'),
    { ...PLACE, properties: { ...PLACE.properties, panel: { type: 'string', description: 'Id of the tab of another notebook' } } },
    async args => {
      const panel = args.panel ? sessions.find(String(args.panel)) : sessions.last;
      const item = context.environment(args);
      const name = await kernelOf(context, item);
      if (!panel || !name || !item) {
        return;
      }
      const session = panel.sessionContext;
      const state = session.session?.kernel?.name;
      const again = state === name; // a kernel goes on in the build that it was started in
      if (again || (state && session.session?.kernel?.status !== 'unknown' && hasRun(panel))) {
        const number = item.current_build?.number ?? '';
        const answer = await showDialog({
          title: again
            ? trans.__('Restart the kernel of %1 in build %2?', panel.title.label, number)
            : trans.__('Change the kernel of %1?', panel.title.label),
          body: trans.__('Variables of %1 will be lost.', panel.title.label),
          buttons: [Dialog.cancelButton(), Dialog.okButton({ label: again ? trans.__('Restart') : trans.__('Change') })]
        });
        if (!answer.button.accept) {
          return;
        }
      }
      await session.changeKernel({ name } as Partial<Kernel.IModel>);
      Notification.success(trans.__('%1 uses %2 now', panel.title.label, item.name), { autoClose: 4000 });
    },
    {
      label: args =>
        args.named && sessions.last
          ? trans.__('Use in %1', shortened(sessions.last.title.label))
          : String(args.words ?? trans.__('Use in Current Notebook')),
      isEnabled: args => Boolean(sessions.last) && hasKernel(context, args),
      caption: args => (sessions.last ? whyNoKernel(context, args) : trans.__('No notebook is open'))
    }
  );
}

/** Commands that copy the name and the path of an environment. */
function addCopyNameCommands(context: CommandContext): void {
  const { trans } = context;

  context.add(CommandIDs.copyName, trans.__('Copy Name'), PLACE, args => {
    const name = whole(context.place(args));
    return copy(name, trans.__('Copied %1', name));
  }, { evenGone: true });
  context.add(
    CommandIDs.copyPath,
    trans.__('Copy Path'),
    PLACE,
    args => {
      const path = context.environment(args)?.path ?? '';
      return copy(path, trans.__('Copied %1', path));
    },
    {
      isEnabled: args => Boolean(context.environment(args)?.path),
      caption: args =>
        context.environment(args)?.path
          ? trans.__('Its path on the server, whichever build is active')
          : trans.__('It has no files on the server')
    }
  );
}

/** Whether an environment has a kernel. */
function hasKernel(context: CommandContext, args: Arguments): boolean {
  return Boolean(context.environment(args)?.kernels.length);
}

/** Return why an environment has no kernel; empty where it has one. */
function whyNoKernel(context: CommandContext, args: Arguments): string {
  const item = context.environment(args);
  return item && !item.kernels.length ? item.kernel_note ?? context.trans.__('It cannot be used yet.') : '';
}

/** Return the folder that the file browser shows. */
function folder(context: CommandContext): string {
  return context.browser?.model.path ?? '';
}

function createNotebook(context: CommandContext, kernelName: string): Promise<NotebookPanel | undefined> {
  return context.app.commands.execute('notebook:create-new', { kernelName, cwd: folder(context) });
}

/** Return the kernel of an environment once Lab knows it; undefined, with the reason told, where there is none. */
async function kernelOf(context: CommandContext, item: IEnvironment | undefined): Promise<string | undefined> {
  const { app, trans } = context;
  const kernel = item?.kernels[0];
  if (!item || !kernel) {
    const reason = item?.kernel_note ?? trans.__('It does not exist any more.');
    Notification.error(`${item ? whole(placeOf(item)) : ''}: ${reason}`, {
      autoClose: 8000
    });
    return undefined;
  }
  const { kernelspecs } = app.serviceManager;
  if (!kernelspecs.specs?.kernelspecs[kernel]) {
    await kernelspecs.refreshSpecs();
  }
  return kernel;
}

/** Whether code was run in a notebook; always true for a console. */
function hasRun(panel: SessionPanel): boolean {
  if ('console' in panel) {
    return true;
  }
  const cells: any = panel.content.model?.cells;
  for (let place = 0; place < (cells?.length ?? 0); place++) {
    if (cells.get(place).executionCount) {
      return true;
    }
  }
  return false;
}

/** Quote a word for a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

/** Shorten a name for a button, by leaving out its middle. */
function shortened(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST / 2 - 1)}…${name.slice(-LONGEST / 2)}` : name;
}
