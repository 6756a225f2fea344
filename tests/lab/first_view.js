/* Bring JupyterLab back to what it shows when it was just loaded, without loading it again. */
async () => {
  const app = window.jupyterapp;
  const until = async (condition, what) => {
    for (const end = Date.now() + 20_000; !condition(); await new Promise(done => setTimeout(done, 10)))
      if (Date.now() > end) throw new Error(`JupyterLab does not come back: ${what}`);
  };
  const seen = selector => document.querySelector(selector) !== null;

  // dialogs and menus
  while (seen('.jp-Dialog') || seen('.lm-Menu')) {
    const top = [...document.querySelectorAll('.jp-Dialog, .lm-Menu')].pop();
    top.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', keyCode: 27, bubbles: true }));
    await until(() => !top.isConnected, top.className);
  }

  // all that is open, and the kernels and terminals behind it
  const { sessions, terminals } = app.serviceManager;
  for (const widget of [...app.shell.widgets('main'), ...app.shell.widgets('down')]) widget.dispose();
  await Promise.all([sessions, terminals].map(manager => manager.refreshRunning()));
  for (const manager of [sessions, terminals])
    if ([...manager.running()].length) await manager.shutdownAll();

  // what this browser keeps
  for (const key of Object.keys(localStorage)) if (key.startsWith('jupyter-envstore:')) localStorage.removeItem(key);

  // the sidebar, drawn anew: no filter, no card, no focus
  const panel = [...app.shell.widgets('left')].find(widget => widget.id === 'jp-envstore-panel');
  app.shell.add(panel, 'left', { rank: 600, type: 'Environments' });
  app.shell.activateById(panel.id);
  await app.commands.execute('envstore:refresh');
  await app.serviceManager.kernelspecs.refreshSpecs();
  await until(() => seen('#jp-envstore-panel .jp-EnvStore-sidebar'), 'sidebar');
  for (const group of document.querySelectorAll('.jp-EnvStore-tree [data-group][aria-expanded=false]')) group.click();

  // the layout that is kept for the next time
  await app.serviceManager.workspaces.remove('default').catch(() => undefined); // nothing is kept yet

  // notes
  await app.commands.execute('apputils:dismiss-notification', {});
  await until(() => !seen('.Toastify__toast'), 'notes');
  await until(() => seen('.jp-Launcher'), 'launcher');
  document.activeElement?.blur();
}
