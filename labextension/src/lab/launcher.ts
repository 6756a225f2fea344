import type { JupyterFrontEnd } from '@jupyterlab/application';

const CARDS = '.jp-LauncherCard:has(img[src*="/kernelspecs/envstore-"]) .jp-LauncherCard-label p';

/** Let long names on the launcher's cards break behind the slash, not within a word. */
export function breakNamesInLauncher(app: JupyterFrontEnd): void {
  const watched = new WeakSet<Element>();
  const look = () => {
    for (const launcher of app.shell.widgets('main')) {
      const node = launcher.node.querySelector('.jp-Launcher');
      if (node && !watched.has(node)) {
        watched.add(node);
        new MutationObserver(() => breakNames(node)).observe(node, { childList: true, subtree: true, characterData: true });
        breakNames(node);
      }
    }
  };
  app.shell.currentChanged?.connect(look);
  void app.restored.then(look);
}

/**
 * Break each name only behind its slash, if it does not fit in one line. Its text does not change.
 */
export function breakNames(launcher: Element): void {
  for (const label of launcher.querySelectorAll(CARDS)) {
    const [, language, space, name] = /^(.*?)(\([^/]*\/)(.*)$/.exec(label.textContent ?? '') ?? [];
    if (name && !label.querySelector('wbr')) {
      const whole = document.createElement('span');
      whole.className = 'jp-EnvStore-kernelName';
      whole.append(space!, document.createElement('wbr'), name);
      label.replaceChildren(language!, whole);
    }
  }
}
