import { Notification } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { copy } from '../lab/clipboard';
import { chooseFile, MAX_FILE } from '../lab/file-chooser';
import { reachWords } from '../presentation/artifacts';
import type { IArtifact, IPlace } from '../store/types';
import type { IViews } from '../view/shared/view-types';
import { type Arguments, type CommandContext, NOTHING, PLACE, whole } from './command-context';
import { specificationOfKernel } from './kernel-packages';

const TOKEN_DAYS = 30;
const ARTIFACT = {
  type: 'object',
  properties: {
    ...PLACE.properties,
    type: { type: 'string', description: 'yaml, lockfile, explicit, archive …' },
    variant: { type: 'string', description: 'Which one of several; empty for the usual one' }
  }
} as const;

/** Commands that show environments and their artifacts. */
export function addViewCommands(context: CommandContext, views: IViews): void {
  const { app, model, trans, notebooks } = context;
  const { api } = model;
  const exists = (args: Arguments) => Boolean(context.environment(args));

  context.add(
    CommandIDs.open,
    trans.__('Open'),
    PLACE,
    args => {
      const place = context.place(args);
      const focus = args.tab ? ('tab' as const) : undefined;
      return place.name ? views.open(place, { tab: args.tab, build: args.build, focus }) : undefined;
    },
    { evenGone: true }
  );
  context.add(
    CommandIDs.edit,
    trans.__('Edit Specification'),
    PLACE,
    args => views.open(context.place(args), { tab: 'specification', build: args.build, focus: 'editor' }),
    { isEnabled: exists }
  );
  context.add(
    CommandIDs.addPackage,
    trans.__('Add Package…'),
    PLACE,
    args => views.open(context.place(args), { tab: 'packages', focus: 'add-package' }),
    {
      isEnabled: args => context.may(args, 'environment::update'),
      caption: args => context.whyNot(args, 'environment::update')
    }
  );
  context.add(
    CommandIDs.compare,
    trans.__('Compare Builds'),
    PLACE,
    args => views.open(context.place(args), { tab: 'builds', compare: args.compare, focus: 'tab' }),
    { isEnabled: exists, label: args => String(args.words ?? trans.__('Compare Builds')) }
  );
  context.add(
    CommandIDs.showLog,
    trans.__('Show Log'),
    PLACE,
    args => {
      const item = context.environment(args);
      const build = args.build ?? item?.newest_build_id ?? undefined;
      return views.open(context.place(args), { tab: 'artifacts', build, focus: 'log' });
    },
    { isEnabled: exists }
  );
  context.add(CommandIDs.create, trans.__('New Environment'), NOTHING, args =>
    views.create({ namespace: args.namespace, name: args.name, text: args.text, file: args.file, restored: args.restored })
  );
  context.add(CommandIDs.importFile, trans.__('Import Environment File…'), NOTHING, async args => {
    const file = await chooseFile();
    if (!file) {
      return;
    }
    if (file.size > MAX_FILE) {
      Notification.error(trans.__('%1 is larger than 4 MB, so it is no environment file.', file.name), { autoClose: 8000 });
      return;
    }
    return views.create({ namespace: args.namespace, text: await file.text(), fileName: file.name });
  });
  context.add(
    CommandIDs.fromKernel,
    trans.__("New Environment from This Notebook's Kernel"),
    NOTHING,
    async () => {
      const kernel = notebooks?.currentWidget?.sessionContext.session?.kernel;
      if (!kernel) {
        return;
      }
      try {
        const label = notebooks!.currentWidget!.title.label.replace(/\.ipynb$/, '');
        await views.create({ text: await specificationOfKernel(kernel), fileName: `${label}.yml` });
      } catch (error) {
        Notification.error(trans.__('The packages of this kernel cannot be listed: %1', (error as Error).message), {
          autoClose: 8000
        });
      }
    },
    { isEnabled: () => Boolean(notebooks?.currentWidget?.sessionContext.session?.kernel) }
  );
  context.add(CommandIDs.openTokens, trans.__('Manage Tokens'), NOTHING, () => {
    window.open(api.address + '/tokens', '_blank', 'noopener');
  });

  const tokens = new Map<string, { token: string; ends: Date }>();

  /** Return a token that may look at an environment alone; the one of the copy before, where it was not revoked. */
  const tokenFor = async (place: IPlace): Promise<{ token: string; ends: Date }> => {
    const kept = tokens.get(whole(place));
    const soon = Date.now() + (TOKEN_DAYS * 86_400_000) / 2;
    if (kept && kept.ends.getTime() > soon && (await api.tokens()).some(known => kept.token.startsWith(known.prefix))) {
      return kept;
    }
    const ends = new Date(Date.now() + TOKEN_DAYS * 86_400_000);
    const name = trans.__('Copied code, %1', place.name);
    const made = { token: await api.makeToken(name, { [whole(place)]: ['viewer'] }, ends), ends };
    tokens.set(whole(place), made);
    return made;
  };

  /** Return an artifact that is ready; where it is not, it is said why. */
  const ready = async (args: Arguments): Promise<IArtifact | undefined> => {
    const build = Number(args.build ?? context.environment(args)?.current_build_id ?? 0);
    const artifacts = build ? await api.artifacts(build) : [];
    const found = artifacts.find(item => item.type === args.type && item.variant === (args.variant ?? ''));
    if (found?.state === 'ready') {
      return found;
    }
    Notification.info(
      found && (found.state === 'pending' || found.state === 'building')
        ? trans.__('It is being made; try again in a moment')
        : trans.__('It is not made yet: see “Logs and artifacts”'),
      { autoClose: 5000 }
    );
    return undefined;
  };
  /** Say of a list of packages that was handed on that it is of no use elsewhere, where that is so. */
  const tellReach = (found: IArtifact) => {
    const words = reachWords(found, trans);
    if (words) {
      Notification.warning(`${found.file_name}: ${words}`, { autoClose: 8000 });
    }
  };
  context.add(
    CommandIDs.showArtifact,
    trans.__('Show in New Browser Tab'),
    ARTIFACT,
    async args => {
      const found = await ready(args);
      if (found) {
        window.open(found.url, '_blank', 'noopener');
        tellReach(found);
      }
    },
    { label: args => String(args.words ?? trans.__('Show in New Browser Tab')) }
  );
  context.add(CommandIDs.openArtifact, trans.__('Open Here'), ARTIFACT, async args => {
    const found = await ready(args);
    return found && views.text(`${found.file_name}`, await api.text(found.url), found.type, found.url);
  });
  context.add(CommandIDs.copyArtifact, trans.__('Copy Text'), ARTIFACT, async args => {
    const found = await ready(args);
    if (found) {
      await copy(await api.text(found.url), trans.__('Copied %1', found.file_name));
      tellReach(found);
    }
  });
  context.add(
    CommandIDs.download,
    trans.__('Download'),
    ARTIFACT,
    async args => {
      const found = await ready(args);
      if (found) {
        const link = document.createElement('a');
        link.href = found.url + (found.url.includes('?') ? '&' : '?') + 'download=1';
        link.download = found.file_name;
        document.body.appendChild(link);
        link.click();
        link.remove();
        tellReach(found);
      }
    },
    { label: args => (args.words ? String(args.words) : trans.__('Download')) }
  );
  context.add(CommandIDs.makeArtifact, trans.__('Make Artifact'), ARTIFACT, args =>
    context.guarded(trans.__('Not made'), () =>
      api.make(Number(args.build), String(args.type), String(args.variant ?? ''))
    )
  );
  context.add(
    CommandIDs.copyCode,
    trans.__('Copy Code to Fetch the Lockfile'),
    { ...ARTIFACT, properties: { ...ARTIFACT.properties, language: { type: 'string', enum: ['python', 'shell'] } } },
    async args => {
      const found = await ready({ type: 'lockfile', ...args });
      const place = context.place(args);
      if (!found) {
        return;
      }
      const made = await context.guarded(trans.__('No token was made'), () => tokenFor(place));
      if (!made) {
        return;
      }
      const { token, ends } = made;
      const url = new URL(found.url + (found.type === 'docker' ? '?download=1' : ''), window.location.href).href;
      const text =
        args.language === 'shell'
          ? `curl -fsS -H "Authorization: Bearer ${token}" \\\n  -o ${found.file_name} "${url}"\n`
          : `import pathlib, urllib.request as web\npathlib.Path("${found.file_name}").write_bytes(web.urlopen(web.Request("${url}", headers={"Authorization": "Bearer ${token}"})).read())\n`;
      await copy(text, trans.__('Copied'));
      tellReach(found);
      Notification.info(
        trans.__('The code has a token that may look at %1 alone, until %2.', place.name, ends.toLocaleDateString()),
        {
          autoClose: 8000,
          actions: [
            { label: trans.__('Manage tokens'), callback: () => void app.commands.execute(CommandIDs.openTokens) }
          ]
        }
      );
    },
    { isEnabled: args => Boolean(context.environment(args)?.active) }
  );
  context.add(CommandIDs.copyImageAddress, trans.__('Copy Docker Image Address'), PLACE, async args => {
    const found = await ready({ ...args, type: 'docker' });
    const build = args.build ?? context.environment(args)?.current_build_id;
    const address = found && (await api.text(api.url(`build/${build}/docker/`)));
    return address && copy(address.trim(), trans.__('Copied %1', address.trim()));
  });
}
