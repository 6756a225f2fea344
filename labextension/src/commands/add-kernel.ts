import { CommandIDs } from '../command-ids';
import type { IViews } from '../view/shared/view-types';
import { whole } from '../store/accessors';
import { type CommandContext, PLACE } from './command-context';

/** Return the package with the kernel for a specification: for R if it contains R, otherwise for Python. */
export function kernelPackage(specs: readonly string[]): string {
  const names = specs.map(spec => /^[\w.-]*/.exec(spec.split('::').pop() ?? '')![0].toLowerCase());
  return names.some(name => name.startsWith('r-')) && !names.includes('python') ? 'r-irkernel' : 'ipykernel';
}

/** The command that gives an environment a kernel: a package in its specification, or the setting that adds one. */
export function addKernelCommand(context: CommandContext, views: IViews): void {
  const { app, model, trans } = context;
  const { api } = model;
  context.add(
    CommandIDs.addKernel,
    trans.__('Add a Kernel'),
    {
      ...PLACE,
      properties: {
        ...PLACE.properties,
        always: { type: 'boolean', description: 'Whether a setting adds ipykernel to each build from now on' }
      }
    },
    async args => {
      const place = context.place(args);
      const id = model.find(place)?.current_build_id;
      if (!id || !(await views.mayBuild(place))) {
        return undefined;
      }
      const made = await context.guarded(trans.__('No kernel was added to %1', whole(place)), async () => {
        if (args.always) {
          await api.changeSettings({ add_ipykernel: true }, place);
          return api.rebuild(id);
        }
        const { specification, exclude_newer } = await api.build(id);
        if (!specification || specification.is_lockfile) {
          throw new Error(trans.__('it was built from a lockfile. Start from a specification instead, and add ipykernel there'));
        }
        const { conda } = await api.check(specification.text, place);
        const text = await api.edit(specification.text, [kernelPackage(conda)], []);
        return (await api.submit(text, place.namespace, place.name, undefined, exclude_newer)).build;
      });
      if (made) {
        model.watch(made);
        await model.refresh();
        await app.commands.execute(CommandIDs.showLog, { ...place, build: made });
      }
      return made;
    },
    {
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args => context.whyNot(args, 'environment::update')
    }
  );
}
