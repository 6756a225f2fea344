import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IConsoleTracker } from '@jupyterlab/console';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, type Notebook, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
// Activation needs all of these at once; the views, with their editor, are loaded when one is opened.
/* eslint-disable @jupyter/prefer-lazy-imports */
import { CommandIDs } from './command-ids';
import { addKernelCommand } from './commands/add-kernel';
import { addAdminCommands } from './commands/admin-commands';
import { addArtifactCommands } from './commands/artifact-commands';
import { addShareCommand } from './commands/share-command';
import { addBuildCommands } from './commands/build-commands';
import { CommandContext } from './commands/command-context';
import { addDeleteCommands } from './commands/delete-commands';
import { addEnvironmentCommands } from './commands/environment-commands';
import { fillRollBackMenu } from './commands/rollback-menu';
import { addLockCommands } from './commands/lock-commands';
import { addScriptBlockCommand } from './commands/script-block-command';
import { addSessionCommands } from './commands/session-commands';
import { addViewCommands } from './commands/view-commands';
import { explainContextMenu } from './components/menus';
import { KernelBuilds } from './store/kernel-builds';
import { breakNamesInLauncher } from './lab/launcher';
import { notify } from './lab/notifications';
import { addRunningBuilds } from './lab/running-sessions';
import { SessionTracker } from './lab/session-tracker';
import { followSettings, NotebookBonds } from './notebook/notebook-bonds';
import { MissingPackage } from './notebook/missing-package';
import { NotebookFiles } from './notebook/notebook-files';
import { NotebookRecovery } from './notebook/notebook-recovery';
import { showWhenNeeded } from './notebook-bar/notebook-bar';
import { packageBar } from './notebook-bar/package-bar';
import { confirmPlaces, recoveryBar } from './notebook-bar/recovery-bar';
import { EnvStorePanel } from './sidebar/panel';
import { EnvStoreApi } from './store/api';
import { EnvStoreModel } from './store/model';
import { IEnvStore, IKernelBuilds } from './tokens';
import { ViewManager } from './view/view-manager';
/* eslint-enable @jupyter/prefer-lazy-imports */

const DOMAIN = 'jupyter_envstore';
const RANK = 600;

/** The store's model, for other extensions too. */
const model: JupyterFrontEndPlugin<IEnvStore> = {
  id: 'jupyter-envstore:model',
  description: 'What is in the environment store.',
  autoStart: true,
  provides: IEnvStore,
  activate: (app: JupyterFrontEnd): IEnvStore => {
    const { serverSettings, events, kernelspecs } = app.serviceManager;
    const found = new EnvStoreModel(new EnvStoreApi(serverSettings), events);
    found.ready.connect(() => {
      void kernelspecs.refreshSpecs(); // so that the launcher shows the kernel at once
    });
    return found;
  }
};

/** The builds that kernels were started in. */
const kernels: JupyterFrontEndPlugin<IKernelBuilds> = {
  id: 'jupyter-envstore:kernels',
  description: 'Remembers the build of an environment that each kernel was started in.',
  autoStart: true,
  provides: IKernelBuilds,
  requires: [IEnvStore],
  optional: [IStateDB],
  activate: (_: JupyterFrontEnd, store: IEnvStore, state: IStateDB | null): IKernelBuilds => new KernelBuilds(state, store.api)
};

/** Notebooks that remember their environment. */
const notebook: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-envstore:notebook',
  description: 'Notebooks remember the environment and build that they were written in, and bring it back.',
  autoStart: true,
  requires: [IEnvStore, IKernelBuilds, INotebookTracker],
  optional: [ITranslator, ISettingRegistry, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    store: IEnvStore,
    builds: IKernelBuilds,
    notebooks: INotebookTracker,
    translator: ITranslator | null,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const bonds = new NotebookBonds(notebooks, store, builds, NotebookActions.executed);
    void followSettings(bonds, settings, notebook.id);
    const context = new CommandContext(app, store, trans, notebooks, null, null);
    addLockCommands(context, bonds);
    addScriptBlockCommand(context, bonds);
    for (const command of [CommandIDs.embedLock, CommandIDs.removeLock, CommandIDs.writeScriptBlock]) {
      palette?.addItem({ command, category: trans.__('Environments') });
    }
    const files = new NotebookFiles(app.serviceManager.contents);
    const offers = new WeakMap<Notebook, MissingPackage>();
    NotebookActions.executed.connect((_, { notebook: content, cell }) => void offers.get(content)?.noteRun(cell));
    const recover = (panel: NotebookPanel): void => {
      const recovery = new NotebookRecovery(panel, store, bonds, trans, places => confirmPlaces(places, trans), files);
      showWhenNeeded(panel, recovery.work, () => recoveryBar({ recovery, commands: app.commands, trans }));
      const missing = new MissingPackage(panel, store, bonds, trans);
      offers.set(panel.content, missing);
      showWhenNeeded(panel, missing.work, () => packageBar({ missing, commands: app.commands, trans }));
    };
    notebooks.forEach(recover);
    notebooks.widgetAdded.connect((_, panel) => recover(panel));
    const changed = () => app.commands.notifyCommandChanged();
    notebooks.currentChanged.connect(changed);
    bonds.changed.connect(changed);
  }
};

/** Commands, and the views that they open in the main area. */
const view: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-envstore:view',
  description: 'Commands for environments, and the views that they open.',
  autoStart: true,
  requires: [IEnvStore, IEditorServices],
  optional: [
    ITranslator,
    ILayoutRestorer,
    INotebookTracker,
    IConsoleTracker,
    IDefaultFileBrowser,
    ICommandPalette
  ],
  activate: (
    app: JupyterFrontEnd,
    store: IEnvStore,
    editors: IEditorServices,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    browser: IDefaultFileBrowser | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const context = new CommandContext(app, store, trans, notebooks, consoles, browser);
    const views = new ViewManager(app, store, trans, editors);
    addSessionCommands(context);
    addBuildCommands(context, views);
    addEnvironmentCommands(context);
    addKernelCommand(context, views);
    addDeleteCommands(context);
    addViewCommands(context, views);
    addArtifactCommands(context, views);
    addShareCommand(context);
    addAdminCommands(context);
    fillRollBackMenu(context);
    explainContextMenu(app.contextMenu.menu, '.jp-EnvStore-environment');
    if (restorer) {
      views.restore(restorer);
    }
    notify(store, app.commands, trans);
    breakNamesInLauncher(app);
    for (const command of [
      CommandIDs.create,
      CommandIDs.importFile,
      CommandIDs.fromKernel,
      CommandIDs.createExample,
      CommandIDs.refresh,
      CommandIDs.openTokens,
      CommandIDs.freeSpace,
      CommandIDs.setChannel
    ]) {
      palette?.addItem({ command, category: trans.__('Environments') });
    }
    const changed = () => app.commands.notifyCommandChanged();
    store.changed.connect(changed);
    context.sessions.changed.connect(changed);
  }
};

/** The sidebar. */
const panel: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-envstore:panel',
  description: 'A sidebar with the environments of the store.',
  autoStart: true,
  requires: [IEnvStore, IKernelBuilds],
  optional: [
    ILayoutRestorer,
    ITranslator,
    ICommandPalette,
    INotebookTracker,
    IConsoleTracker,
    IStateDB,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    store: IEnvStore,
    builds: IKernelBuilds,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const sessions = new SessionTracker(app.shell, notebooks, consoles);
    const widget = new EnvStorePanel({ model: store, commands: app.commands, trans, sessions, kernels: builds, state });
    app.shell.add(widget, 'left', { rank: RANK, type: 'Environments' });
    restorer?.add(widget, widget.id);
    app.commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Show Environments'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(widget.id)
    });
    palette?.addItem({ command: CommandIDs.openPanel, category: trans.__('Environments') });
    void app.restored.then(() => openFromAddress(app, widget.id));
    settings?.load(panel.id).catch((error: Error) => {
      console.warn('The settings of the environments panel cannot be loaded', error);
    });
  }
};

/** Open the panel, and an environment, that the page's address names: `?envstore=namespace/name`. */
async function openFromAddress(app: JupyterFrontEnd, panelId: string): Promise<void> {
  const address = new URL(window.location.href);
  const wanted = address.searchParams.get('envstore');
  if (wanted === null) {
    return;
  }
  app.shell.activateById(panelId);
  const [namespace, name] = wanted.split('/');
  if (wanted === 'new') {
    await app.commands.execute(CommandIDs.create);
  } else if (namespace && name) {
    await app.commands.execute(CommandIDs.open, { namespace, name });
  }
  address.searchParams.delete('envstore'); // so that a reload does not open it again
  window.history.replaceState(window.history.state, '', address.href);
}

/** Builds in Lab's own panel of what runs. */
const running: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-envstore:running',
  description: 'Shows running builds among running terminals and kernels.',
  autoStart: true,
  requires: [IEnvStore],
  optional: [IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    store: IEnvStore,
    managers: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    if (!managers) {
      return; // a page of Notebook 7
    }
    addRunningBuilds(managers, store, app.commands, (translator ?? nullTranslator).load(DOMAIN));
  }
};

export { IEnvStore } from './tokens';
export default [model, kernels, view, panel, notebook, running];
