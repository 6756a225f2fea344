import { Notification } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

/** One item of a temporary menu; null is a separator. */
export type Action = {
  label: string;
  run: () => unknown;
  /** Why it is disabled; shown as the tooltip of the item. */
  refused?: string | undefined;
} | null;

/** Renders items with their captions as tooltips, which say why an item is disabled. */
class Renderer extends Menu.Renderer {
  override renderItem(data: Menu.IRenderData): ReturnType<Menu.Renderer['renderItem']> {
    const item = super.renderItem(data);
    if (data.item.caption) {
      Object.assign(item.attrs, { title: data.item.caption });
    }
    return item;
  }
}

/** Open a menu below a button; the menu is disposed when it is closed. */
export function openMenu(commands: CommandRegistry, items: Menu.IItemOptions[], button: Element): void {
  const menu = new Menu({ commands, renderer: new Renderer() });
  for (const item of items) {
    menu.addItem(item);
  }
  menu.aboutToClose.connect(() => {
    window.setTimeout(() => menu.dispose(), 0); // the command that was chosen runs first
  });
  const box = button.getBoundingClientRect();
  menu.open(box.left, box.bottom);
  giveBack(button as HTMLElement);
}

/** Open a menu of actions for a row of a table. */
export function openActions(actions: readonly Action[], button: Element): void {
  const commands = new CommandRegistry();
  const items = actions.map((action, place): Menu.IItemOptions => {
    if (action === null) {
      return { type: 'separator' };
    }
    const command = `action:${place}`;
    commands.addCommand(command, {
      label: action.label,
      caption: action.refused ?? '',
      isEnabled: () => !action.refused,
      execute: async () => {
        try {
          await action.run();
        } catch (error) {
          Notification.error(error instanceof Error ? error.message : String(error), { autoClose: 8000 });
        }
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    return { command };
  });
  openMenu(commands, items, button);
}

/**
 * When JupyterLab's context menu opens on an element that matches the selector, show captions as tooltips of its items,
 * and give the focus back when it is closed.
 */
export function explainContextMenu(menu: Menu, selector: string): void {
  document.addEventListener(
    'contextmenu',
    event => {
      const target = event.target as Element | null;
      const place = target?.closest?.<HTMLElement>(selector);
      if (!target || !place) {
        return;
      }
      const active = document.activeElement as HTMLElement | null;
      window.setTimeout(() => {
        giveBack(active, place);
        menu.items.forEach((item, line) => {
          if (item.caption) {
            menu.contentNode.children[line]?.setAttribute('title', item.caption);
          }
        });
      }, 0); // the menu opens with this event
    },
    true
  );
}

/** Open the context menu of the row or header that a button stands in. */
export function openContextMenu(button: Element): void {
  const box = button.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, clientX: box.left, clientY: box.bottom };
  button.closest('.jp-EnvStore-environment')?.dispatchEvent(new MouseEvent('contextmenu', at));
}

/** When an open menu and its dialog are closed, give the focus back to the first of the elements that still exists. */
function giveBack(...elements: (HTMLElement | null)[]): void {
  const isBusy = () => document.body.querySelector(':scope > .lm-Menu, :scope > .jp-Dialog') !== null;
  if (!isBusy()) {
    return;
  }
  const observer = new MutationObserver(() => {
    window.setTimeout(() => {
      if (!isBusy()) {
        observer.disconnect();
        if (document.activeElement === document.body) {
          elements.find(element => element?.isConnected && element !== document.body)?.focus();
        }
      }
    }, 0);
  });
  observer.observe(document.body, { childList: true });
}
