import { whole } from '../store/accessors';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IConsoleTracker } from '@jupyterlab/console';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { SessionTracker } from '../lab/session-tracker';
import type { EnvStoreModel } from '../store/model';
import type { IEnvironment, IPlace } from '../store/types';

/** Arguments of commands, as JSON. */
export type Arguments = Record<string, any>;

export const NOTHING = { type: 'object', properties: {} } as const;
export const PLACE = {
  type: 'object',
  properties: {
    namespace: { type: 'string', description: 'Namespace of the environment' },
    name: { type: 'string', description: 'Name of the environment' },
    build: { type: 'number', description: 'Id of a build; by default the active one' }
  }
} as const;
export const BUILD = {
  type: 'object',
  properties: { build: { type: 'number', description: 'Id of the build' } },
  required: ['build']
} as const;

/** How long an error is shown, in milliseconds. */
const READ = 20_000;

/** The parts of JupyterLab and the store that commands need. */
export class CommandContext {
  constructor(
    readonly app: JupyterFrontEnd,
    readonly model: EnvStoreModel,
    readonly trans: TranslationBundle,
    readonly notebooks: INotebookTracker | null,
    readonly consoles: IConsoleTracker | null,
    readonly browser: IDefaultFileBrowser | null
  ) {
    this.sessions = new SessionTracker(app.shell, notebooks, consoles);
  }

  /** Tracks the notebook or console in front. */
  readonly sessions: SessionTracker;

  /** Environments that were made from the example in this page; their first notebook begins with an example cell. */
  readonly examples = new Set<string>();

  /** Return the environment's names from the arguments or, without arguments, from the row of the context menu. */
  place(args: Arguments): IPlace {
    if (args.name) {
      return { namespace: String(args.namespace), name: String(args.name) };
    }
    const node = this.app.contextMenuHitTest(item => item.classList.contains('jp-EnvStore-environment'));
    return { namespace: node?.dataset.namespace ?? '', name: node?.dataset.name ?? '' };
  }

  /** Return the environment that the arguments or a context menu name. */
  environment(args: Arguments): IEnvironment | undefined {
    return this.model.find(this.place(args));
  }

  /** Do something that changes the store; tell the user if it fails, and update the model. */
  async guarded<T>(title: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      Notification.error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { autoClose: READ });
      return undefined;
    } finally {
      await this.model.refresh();
    }
  }

  /** Add a command. */
  add(
    id: string,
    label: string,
    args: object,
    execute: (args: Arguments) => unknown,
    more: {
      isEnabled?: (args: Arguments) => boolean;
      isVisible?: (args: Arguments) => boolean;
      caption?: (args: Arguments) => string;
      label?: (args: Arguments) => string;
      /** Whether the command also works for an environment that was deleted. */
      evenGone?: boolean;
    } = {}
  ): void {
    const { evenGone, ...options } = more;
    const gone = (given: Arguments): string =>
      evenGone || args === NOTHING || (args === BUILD && !given.name) ? '' : this.whyGone(given);
    const told = async (given: Arguments): Promise<unknown> => {
      try {
        if (gone(given)) {
          throw new Error(gone(given)); // whatever offered it was drawn before
        }
        return await execute(given);
      } catch (error) {
        if (given.throws) {
          throw error; // whoever runs it shows the reason in its place
        }
        Notification.error(error instanceof Error ? error.message : String(error), { autoClose: 8000 });
        return undefined;
      }
    };
    this.app.commands.addCommand(id, {
      label,
      describedBy: { args: args as any },
      execute: told as any,
      ...options,
      isEnabled: given => !gone(given) && (options.isEnabled?.(given) ?? true),
      caption: given => gone(given) || (options.caption?.(given) ?? '')
    });
  }

  /** Return a message that an environment was deleted; empty if it was not, or if none is named. */
  whyGone(args: Arguments): string {
    const place = this.place(args);
    return place.name && this.model.isGone(place) ? this.trans.__('%1 was deleted', whole(place)) : '';
  }

  /** Return why the user may not do something in an environment; empty if they may. */
  whyNot(args: Arguments, permission: string): string {
    const place = this.place(args);
    if (this.may(args, permission)) {
      return '';
    }
    return permission === 'environment::delete'
      ? this.trans.__('Only admins of %1 can delete it', place.namespace)
      : this.trans.__('You can use %1, but not change it', place.namespace);
  }

  /** Whether the user may do something in an environment. */
  may(args: Arguments, permission: string): boolean {
    return this.environment(args)?.permissions.includes(permission) ?? false;
  }
}


/** Return how many running kernels of this server use an environment. */
export function runningKernels(context: CommandContext, place: IPlace): number {
  const names = new Set(context.model.find(place)?.kernels ?? []);
  return Array.from(context.app.serviceManager.sessions.running()).filter(session =>
    names.has(session.kernel?.name ?? '')
  ).length;
}
