import { Notification } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

/** One line of a menu that is made for the moment; null stands for a separator. */
export type Action = {
  label: string;
  run: () => unknown;
  /** Why it cannot be done; shown as a tooltip of the line, which is greyed. */
  refused?: string | undefined;
} | null;

/** Renders lines with their captions as tooltips: why one is greyed. */
class Renderer extends Menu.Renderer {
  override renderItem(data: Menu.IRenderData): ReturnType<Menu.Renderer['renderItem']> {
    const item = super.renderItem(data);
    if (data.item.caption) {
      Object.assign(item.attrs, { title: data.item.caption });
    }
    return item;
  }
}

/** Open a menu below a button; it is gone for good once it was closed. */
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

/** Open a menu of actions that are no commands: they are about a row of a table. */
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
 * When Lab's context menu opens on something that a selector finds, give its lines their captions as tooltips, and the
 * focus back afterwards.
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

/** Give the focus back to the first element that is there when an open menu, and a dialog that it opens, are gone. */
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
