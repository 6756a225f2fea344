import { reachMark } from '../presentation/artifacts';
import type { Arguments, CommandContext } from './command-context';

/** Where the lists of an environment work, for the context menu of its row: asked for when the menu opens. */
export class KnownReach {
  constructor(private readonly context: CommandContext) {
    context.app.contextMenu.opened.connect(() => void this.ask());
  }

  /** Return the label of an artifact, with a mark where it does not work everywhere. */
  marked(words: string, args: Arguments): string {
    const build = Number(args.build ?? this.context.environment(args)?.current_build_id ?? 0);
    const mark = this._marks.get(build)?.get(String(args.type));
    return mark ? this.context.trans.__('%1 (%2)', words, mark) : words;
  }

  /** Ask for the artifacts of the environment that the menu is opened on; its submenus are drawn later. */
  async ask(): Promise<void> {
    const { model, trans } = this.context;
    const build = this.context.environment({})?.current_build_id;
    if (!build) {
      return;
    }
    try {
      const found = await model.api.artifacts(build);
      const ready = found.filter(item => item.state === 'ready' && item.variant === '');
      this._marks.set(build, new Map(ready.map(item => [item.type, reachMark(item, trans)])));
    } catch {
      // the panel says already that the server does not answer
    }
  }

  private readonly _marks = new Map<number, Map<string, string>>();
}
