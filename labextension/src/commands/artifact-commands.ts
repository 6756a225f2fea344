import { Notification } from '@jupyterlab/apputils';
import { CommandIDs } from '../command-ids';
import { copy } from '../lab/clipboard';
import { reachWords } from '../presentation/artifacts';
import type { IArtifact, IPlace } from '../store/types';
import type { IViews } from '../view/shared/view-types';
import { whole } from '../store/accessors';
import { type Arguments, type CommandContext, PLACE } from './command-context';
import { KnownReach } from './known-reach';

const TOKEN_DAYS = 30;
const DAY = 86_400_000;
const ARTIFACT = {
  type: 'object',
  properties: {
    ...PLACE.properties,
    type: { type: 'string', description: 'yaml, lockfile, explicit, archive, pixi, sbom …' },
    variant: { type: 'string', description: 'Variant of the artifact; empty for the default one' }
  }
} as const;

/** Commands that make, show, copy and download artifacts. */
export function addArtifactCommands(context: CommandContext, views: IViews): void {
  addShowCommands(context, views);
  addCopyCommands(context);
  addCodeCommand(context);
}

/** Commands that make an artifact, show it or download it. */
function addShowCommands(context: CommandContext, views: IViews): void {
  const { trans } = context;
  const { api } = context.model;
  const reach = new KnownReach(context);

  context.add(
    CommandIDs.showArtifact,
    trans.__('Show in New Browser Tab'),
    ARTIFACT,
    async args => {
      const found = await readyArtifact(context, args);
      if (found) {
        window.open(found.url, '_blank', 'noopener');
        tellReach(context, found);
      }
    },
    { label: args => reach.marked(String(args.words ?? trans.__('Show in New Browser Tab')), args) }
  );
  context.add(CommandIDs.openArtifact, trans.__('Open Here'), ARTIFACT, async args => {
    const found = await readyArtifact(context, args);
    return found && views.text(`${found.file_name}`, await api.text(found.url), found.type, found.url);
  });
  context.add(
    CommandIDs.download,
    trans.__('Download'),
    ARTIFACT,
    async args => {
      const found = await readyArtifact(context, args);
      if (found) {
        const link = document.createElement('a');
        link.href = found.url + (found.url.includes('?') ? '&' : '?') + 'download=1';
        link.download = found.file_name;
        document.body.appendChild(link);
        link.click();
        link.remove();
        tellReach(context, found);
      }
    },
    { label: args => reach.marked(String(args.words ?? trans.__('Download')), args) }
  );
  context.add(CommandIDs.makeArtifact, trans.__('Make Artifact'), ARTIFACT, args =>
    context.guarded(trans.__('Not made'), () =>
      api.make(Number(args.build), String(args.type), String(args.variant ?? ''))
    )
  );
}

/** Commands that copy the text of an artifact, or its address. */
function addCopyCommands(context: CommandContext): void {
  const { trans } = context;
  const { api } = context.model;

  context.add(CommandIDs.copyArtifact, trans.__('Copy Text'), ARTIFACT, async args => {
    const found = await readyArtifact(context, args);
    if (found) {
      await copy(await api.text(found.url), trans.__('Copied %1', found.file_name));
      tellReach(context, found);
    }
  });
  context.add(CommandIDs.copyImageAddress, trans.__('Copy Docker Image Address'), PLACE, async args => {
    const found = await readyArtifact(context, { ...args, type: 'docker' });
    const build = args.build ?? context.environment(args)?.current_build_id;
    const address = found && (await api.text(api.url(`build/${build}/docker/`)));
    return address && copy(address.trim(), trans.__('Copied %1', address.trim()));
  });
}

/** The command that copies code which fetches an artifact, with a token for it. */
function addCodeCommand(context: CommandContext): void {
  const { app, trans } = context;
  const tokens = new ViewerTokens(context);

  context.add(
    CommandIDs.copyCode,
    trans.__('Copy Code to Fetch the Lockfile'),
    { ...ARTIFACT, properties: { ...ARTIFACT.properties, language: { type: 'string', enum: ['python', 'shell'] } } },
    async args => {
      const found = await readyArtifact(context, { type: 'lockfile', ...args });
      const place = context.place(args);
      if (!found) {
        return;
      }
      const made = await context.guarded(trans.__('No token was made'), () => tokens.tokenFor(place));
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
      tellReach(context, found);
      Notification.info(
        trans.__('The code contains a token that can only read %1. It expires on %2.', place.name, ends.toLocaleDateString()),
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
}

/** A token, and when it ends. */
interface IEndingToken {
  token: string;
  ends: Date;
}

/** Tokens for copied code: one for each environment, that can only read it. */
class ViewerTokens {
  constructor(private readonly context: CommandContext) {}

  /** Return a token for an environment: the previous one, unless it was revoked or expires soon. */
  async tokenFor(place: IPlace): Promise<IEndingToken> {
    const { trans } = this.context;
    const { api } = this.context.model;
    const kept = this._tokens.get(whole(place));
    const soon = Date.now() + (TOKEN_DAYS * DAY) / 2;
    if (kept && kept.ends.getTime() > soon && (await api.tokens()).some(known => kept.token.startsWith(known.prefix))) {
      return kept;
    }
    const ends = new Date(Date.now() + TOKEN_DAYS * DAY);
    const name = trans.__('Copied code, %1', place.name);
    const made = { token: await api.makeToken(name, { [whole(place)]: ['viewer'] }, ends), ends };
    this._tokens.set(whole(place), made);
    return made;
  }

  private readonly _tokens = new Map<string, IEndingToken>();
}

/** Return an artifact that is ready; otherwise tell the user why it is not. */
async function readyArtifact(context: CommandContext, args: Arguments): Promise<IArtifact | undefined> {
  const { model, trans } = context;
  const build = Number(args.build ?? context.environment(args)?.current_build_id ?? 0);
  const artifacts = build ? await model.api.artifacts(build) : [];
  const found = artifacts.find(item => item.type === args.type && item.variant === (args.variant ?? ''));
  if (found?.state === 'ready') {
    return found;
  }
  Notification.info(
    found && (found.state === 'pending' || found.state === 'building')
      ? trans.__('It is being made. Try again in a moment.')
      : trans.__('It is not made yet. See “Logs and artifacts”.'),
    { autoClose: 5000 }
  );
  return undefined;
}

/** Warn the user if the addresses in a list of packages do not work elsewhere. */
function tellReach(context: CommandContext, found: IArtifact): void {
  const words = reachWords(found, context.trans);
  if (words) {
    Notification.warning(`${found.file_name}: ${words}`, { autoClose: 8000 });
  }
}
