import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

/** Open a menu below a button; it is gone for good once it was closed. */
export function openMenu(commands: CommandRegistry, items: Menu.IItemOptions[], button: Element): void {
  const menu = new Menu({ commands });
  for (const item of items) {
    menu.addItem(item);
  }
  menu.aboutToClose.connect(() => {
    window.setTimeout(() => menu.dispose(), 0); // the command that was chosen runs first
  });
  const box = button.getBoundingClientRect();
  menu.open(box.left, box.bottom);
}

/** Open the context menu of the row or header that a button stands in. */
export function openContextMenu(button: Element): void {
  const box = button.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, clientX: box.left, clientY: box.bottom };
  button.closest('.jp-EnvStore-environment')?.dispatchEvent(new MouseEvent('contextmenu', at));
}
