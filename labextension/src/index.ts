import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { EnvStoreApi } from './api';
import { CommandIDs, addCommands } from './commands';
import { EnvStoreModel } from './model';
import { EnvStorePanel } from './panel';
import { IEnvStore } from './tokens';

const DOMAIN = 'jupyter_envstore';
const RANK = 600;

/** The store's model, for other extensions too. */
const model: JupyterFrontEndPlugin<IEnvStore> = {
  id: 'jupyter-envstore:model',
  description: 'What is in the environment store, and commands to change it.',
  autoStart: true,
  optional: [ITranslator],
  provides: IEnvStore,
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): IEnvStore => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { serverSettings, events } = app.serviceManager;
    const found = new EnvStoreModel(new EnvStoreApi(serverSettings), events);
    addCommands(app, found, trans);
    found.ready.connect((_, item) => {
      void app.serviceManager.kernelspecs.refreshSpecs();
      const names = { namespace: item.namespace.name, name: item.name };
      Notification.success(trans.__('%1/%2 is ready', names.namespace, names.name), {
        autoClose: 8000,
        actions: [
          {
            label: trans.__('Open notebook'),
            callback: () => void app.commands.execute(CommandIDs.openNotebook, names)
          }
        ]
      });
    });
    return found;
  }
};

/** The sidebar. */
const panel: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-envstore:panel',
  description: 'A sidebar with the environments of the store.',
  autoStart: true,
  requires: [IEnvStore],
  optional: [ILayoutRestorer, ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    store: IEnvStore,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const widget = new EnvStorePanel({ model: store, commands: app.commands, trans });
    app.shell.add(widget, 'left', { rank: RANK, type: 'Environments' });
    restorer?.add(widget, widget.id);
    for (const command of [CommandIDs.importFile, CommandIDs.createExample, CommandIDs.refresh]) {
      palette?.addItem({ command, category: trans.__('Environments') });
    }
    const menu = [
      CommandIDs.openNotebook,
      CommandIDs.openConsole,
      CommandIDs.rebuild,
      CommandIDs.restore,
      CommandIDs.showLog,
      CommandIDs.showYaml,
      CommandIDs.showLockfile,
      CommandIDs.downloadArchive,
      CommandIDs.remove
    ];
    menu.forEach((command, rank) =>
      app.contextMenu.addItem({ command, selector: '.jp-EnvStore-environment', rank })
    );
  }
};

export { IEnvStore } from './tokens';
export default [model, panel];
