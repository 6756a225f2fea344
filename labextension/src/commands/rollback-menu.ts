import type { TranslationBundle } from '@jupyterlab/translation';
import type { Menu } from '@lumino/widgets';
import { CommandIDs } from '../command-ids';
import { buildWords } from '../presentation/status';
import type { IBuild, IPlace } from '../store/types';
import type { CommandContext } from './command-context';

const MENU = 'jp-envstore-roll-back';
const OFFERED = 8;

/** Fill the submenu “Roll Back to” with the newest builds of the environment that the context menu is opened on. */
export function fillRollBackMenu(context: CommandContext): void {
  const { app, model, trans } = context;
  let shown = 0;
  let turn = 0;
  app.contextMenu.opened.connect(() => {
    const menu = app.contextMenu.menu.items.find(item => item.type === 'submenu' && item.submenu?.id === MENU)?.submenu;
    const item = menu && context.environment({});
    if (!menu || !item) {
      return;
    }
    const place = context.place({});
    for (; shown > 0; shown--) {
      menu.removeItemAt(0); // those of the environment that the menu was opened on before
    }
    const asked = ++turn;
    model.api.builds(item.id, OFFERED).then(
      ({ builds }) => {
        if (asked === turn && !menu.isAttached) {
          // a menu that is open would close
          builds.filter(build => build.status === 'COMPLETED').forEach((build, index) => {
            menu.insertItem(index, entry(build, place, trans));
            shown += 1;
          });
        }
      },
      () => undefined // the panel says already that the server does not answer
    );
  });
}

function entry(build: IBuild, place: IPlace, trans: TranslationBundle): Menu.IItemOptions {
  return { command: CommandIDs.makeActive, args: { ...place, build: build.id, isActive: build.active, isAway: build.packed_away, words: buildWords(build, trans) } };
}
