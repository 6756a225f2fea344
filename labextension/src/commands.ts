import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { EnvStoreModel } from './model';

export namespace CommandIDs {
  export const refresh = 'envstore:refresh';
  export const createExample = 'envstore:create-example';
  export const importFile = 'envstore:import';
  export const openNotebook = 'envstore:open-notebook';
  export const openConsole = 'envstore:open-console';
  export const rebuild = 'envstore:rebuild';
  export const cancel = 'envstore:cancel';
  export const restore = 'envstore:restore';
  export const showLog = 'envstore:show-log';
  export const showYaml = 'envstore:show-yaml';
  export const showLockfile = 'envstore:show-lockfile';
  export const downloadArchive = 'envstore:download-archive';
  export const remove = 'envstore:delete';
}

const NAMES = {
  type: 'object',
  properties: {
    namespace: { type: 'string', description: 'Namespace of the environment' },
    name: { type: 'string', description: 'Name of the environment' }
  },
  required: ['namespace', 'name']
} as const;
const BUILD = {
  type: 'object',
  properties: { build: { type: 'number', description: 'Id of the build' } },
  required: ['build']
} as const;
const NOTHING = { type: 'object', properties: {} } as const;
const SCIENCE = ['numpy', 'pandas'];

const MAX_FILE = 4_000_000;

/** Let the user choose a file; null where they choose none. */
function chooseFile(accept: string): Promise<File | null> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}

/** Register all commands of the panel. */
export function addCommands(app: JupyterFrontEnd, model: EnvStoreModel, trans: TranslationBundle): void {
  const { commands } = app;
  const named = (args: any) => model.find(args.namespace, args.name);
  /** Names of the row that a context menu was opened on, where a command has none. */
  const place = (args: any): { namespace: string; name: string } => {
    if (args.name) {
      return args;
    }
    const node = app.contextMenuHitTest(item => item.classList.contains('jp-EnvStore-environment'));
    return { namespace: node?.dataset.namespace ?? '', name: node?.dataset.name ?? '' };
  };
  const add = (id: string, label: string, args: object, execute: (args: any) => Promise<unknown> | unknown) => {
    commands.addCommand(id, { label, describedBy: { args: args as any }, execute });
  };
  const guarded = async (title: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      await showErrorMessage(title, error as Error);
    }
    await model.refresh();
  };

  add(CommandIDs.refresh, trans.__('Refresh Environments'), NOTHING, () => model.refresh());
  add(CommandIDs.createExample, trans.__('Create Example Environment'), NOTHING, async () => {
    const text = `name: example\ndescription: Packages to begin with\ndependencies:\n  - python\n  - ipykernel\n${SCIENCE.map(
      name => `  - ${name}\n`
    ).join('')}`;
    await model.api.submit(text);
    await model.refresh();
  });
  add(CommandIDs.importFile, trans.__('Import Environment File…'), NOTHING, async () => {
    const file = await chooseFile('.yml,.yaml,.json');
    if (!file) {
      return;
    }
    if (file.size > MAX_FILE) {
      const message = trans.__('%1 is larger than 4 MB, so it is no environment file.', file.name);
      await showErrorMessage(trans.__('Not imported'), { message });
      return;
    }
    await guarded(trans.__('%1 was not imported', file.name), async () => {
      await model.api.submit(await file.text());
    });
  });
  for (const [id, label, command] of [
    [CommandIDs.openNotebook, trans.__('Open Notebook'), 'notebook:create-new'],
    [CommandIDs.openConsole, trans.__('Open Console'), 'console:create']
  ] as const) {
    add(id, label, NAMES, async args => {
      const item = named(place(args));
      const kernel = item?.kernels[0];
      if (!item || !kernel) {
        const reason = item?.kernel_note ?? trans.__('It is not there any more.');
        await showErrorMessage(trans.__('No kernel'), { message: reason });
        return;
      }
      await app.serviceManager.kernelspecs.refreshSpecs();
      return commands.execute(
        command,
        command === 'console:create' ? { kernelPreference: { name: kernel } } : { kernelName: kernel }
      );
    });
  }
  add(CommandIDs.rebuild, trans.__('Rebuild'), NAMES, args => {
    const item = named(place(args));
    const build = item?.newest_build_id;
    return build ? guarded(trans.__('Not rebuilt'), () => model.api.rebuild(build)) : undefined;
  });
  add(CommandIDs.cancel, trans.__('Cancel Build'), BUILD, args =>
    guarded(trans.__('Not canceled'), () => model.api.cancel(Number(args.build)))
  );
  add(CommandIDs.restore, trans.__('Bring Back'), NAMES, args => {
    const build = named(place(args))?.current_build_id;
    return build ? guarded(trans.__('Not brought back'), () => model.api.restore(build)) : undefined;
  });
  for (const [id, label, path] of [
    [CommandIDs.showLog, trans.__('Show Log'), 'logs/'],
    [CommandIDs.showYaml, trans.__('Show yml File'), 'yaml/'],
    [CommandIDs.showLockfile, trans.__('Show Lockfile'), 'conda-lock.yml'],
    [CommandIDs.downloadArchive, trans.__('Download Archive'), 'archive/']
  ] as const) {
    add(id, label, NAMES, args => {
      const item = named(place(args));
      const build = id === CommandIDs.showLog ? item?.newest_build_id : item?.current_build_id;
      if (build) {
        window.open(model.api.url(`build/${build}/${path}`), '_blank', 'noopener');
      }
    });
  }
  add(CommandIDs.remove, trans.__('Delete…'), NAMES, async args => {
    const item = named(place(args));
    if (!item) {
      return;
    }
    const whole = `${item.namespace.name}/${item.name}`;
    const answer = await showDialog({
      title: trans.__('Delete %1?', whole),
      body: trans.__('All its builds go, and its kernel disappears. Lockfiles that you have downloaded stay good.'),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
      defaultButton: 0
    });
    if (answer.button.accept) {
      await guarded(trans.__('Not deleted'), async () => {
        await model.api.deleteEnvironment(item.namespace.name, item.name);
        Notification.success(trans.__('Deleted %1', whole), { autoClose: 8000 });
      });
    }
  });
}
