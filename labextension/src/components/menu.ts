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
    window.setTimeout(() => {
      menu.dispose(); // the command that was chosen runs first
      if (document.activeElement === document.body) {
        (button as HTMLElement).focus?.();
      }
    }, 0);
  });
  const box = button.getBoundingClientRect();
  menu.open(box.left, box.bottom);
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

/** Give the lines of Lab's context menu their captions as tooltips, when it opens on something that a selector finds. */
export function explainContextMenu(menu: Menu, selector: string): void {
  document.addEventListener(
    'contextmenu',
    event => {
      if (!(event.target as Element | null)?.closest?.(selector)) {
        return;
      }
      window.setTimeout(() => {
        menu.items.forEach((item, place) => {
          if (item.caption) {
            menu.contentNode.children[place]?.setAttribute('title', item.caption);
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
  const isOpen = () => document.body.querySelector(':scope > .lm-Menu') !== null;
  if (!isOpen()) {
    return;
  }
  const observer = new MutationObserver(() => {
    if (!isOpen()) {
      observer.disconnect();
      if (document.activeElement === document.body) {
        (button as HTMLElement).focus?.(); // else the keyboard has lost its place
      }
    }
  });
  observer.observe(document.body, { childList: true });
}
