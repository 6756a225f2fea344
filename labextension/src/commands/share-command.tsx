import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { copy } from '../lab/clipboard';
import { day } from '../presentation/formats';
import { whole } from '../store/accessors';
import type { IPlace, IShareLink, IToken } from '../store/types';
import { type CommandContext, PLACE } from './command-context';

/** A command that makes a link with which others can look at an environment and bring it back. */
export function addShareCommand(context: CommandContext): void {
  const { trans } = context;
  context.add(
    CommandIDs.share,
    trans.__('Share…'),
    PLACE,
    async args => {
      const place = context.place(args);
      const known = await context.guarded(trans.__('Links cannot be listed'), () => context.model.api.links(place));
      const days = known && (await askForDays(context, place, known));
      const made = days && (await context.guarded(trans.__('Not shared'), () => context.model.api.share(place, days)));
      if (made) {
        await showLink(context, place, made);
      }
    },
    { isEnabled: args => Boolean(context.environment(args)?.active) && context.model.isConnected }
  );
}

/** Ask for how long a link shall work. Return the days; 0 if the user cancels. */
async function askForDays(context: CommandContext, place: IPlace, known: readonly IToken[]): Promise<number> {
  const { trans } = context;
  let days = 7;
  const answer = await showDialog({
    title: trans.__('Share %1?', whole(place)),
    body: ReactWidget.create(
      <div className="jp-EnvStore-share">
        <p>
          {trans.__('Everybody who has the link can look at the active build of this environment and download its files, until the link ends or is revoked. Other builds, logs and environments are not shown.')}
        </p>
        <label>
          {trans.__('The link works for')}{' '}
          <HTMLSelect defaultValue="7" data-testid="envstore:share-days" onChange={event => (days = Number(event.currentTarget.value))}>
            <option value="1">{trans.__('1 day')}</option>
            <option value="7">{trans.__('1 week')}</option>
            <option value="30">{trans.__('30 days')}</option>
            <option value="365">{trans.__('1 year')}</option>
          </HTMLSelect>
        </label>
        <KnownLinks context={context} place={place} known={known} />
      </div>
    ),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Make link') })]
  });
  return answer.button.accept ? days : 0;
}

/** The links to an environment that the user may revoke. */
function KnownLinks({ context, place, known }: { context: CommandContext; place: IPlace; known: readonly IToken[] }): React.ReactElement | null {
  const { trans } = context;
  const [links, setLinks] = React.useState(known);
  const [trouble, setTrouble] = React.useState('');
  const revoke = async (link: IToken) => {
    try {
      await context.model.api.revokeLink(place, link.id);
      setLinks(before => before.filter(other => other.id !== link.id));
      setTrouble('');
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  };
  if (!known.length) {
    return null;
  }
  return (
    <section aria-label={trans.__('Links to this environment')}>
      <div className="jp-EnvStore-sub">{links.length ? trans.__('Links that work now') : trans.__('No link works now')}</div>
      <ul>
        {links.map(link => {
          const used = link.last_used_on ? trans.__('last used on %1', day(link.last_used_on)) : trans.__('not used yet');
          const said = trans.__('by %1, ends on %2, %3', link.username, day(link.expiration), used);
          return (
            <li key={link.id}>
              <span>
                <code>{link.prefix}…</code> {said}
              </span>
              <Link label={trans.__('Revoke the link %1…', link.prefix)} onClick={() => void revoke(link)}>
                {trans.__('Revoke')}
              </Link>
            </li>
          );
        })}
      </ul>
      <div role="alert" className="jp-EnvStore-error">
        {trouble}
      </div>
    </section>
  );
}

/** Show a link, and how it is used. It is shown only once. */
async function showLink(context: CommandContext, place: IPlace, made: IShareLink): Promise<void> {
  const { trans } = context;
  const ends = day(made.expiration);
  const command = `jupyter envstore import '${made.link}'`;
  const limits = {
    here: trans.__('This address works on the machine of the server alone. If others can reach the server under another address, its admin sets it: c.EnvStoreApp.public_url'),
    private: trans.__('This address works within its network alone.'),
    anywhere: ''
  };
  await showDialog({
    title: trans.__('Link to %1', whole(place)),
    body: ReactWidget.create(
      <div className="jp-EnvStore-share">
        <p>{trans.__('Copy it now: it is shown this once. It works until %1. To revoke it, choose Share… again.', ends)}</p>
        <Line label={trans.__('Open in a browser')} text={made.link} context={context} />
        {limits[made.reach] && <p className="jp-EnvStore-sub">{limits[made.reach]}</p>}
        <Line label={trans.__('Build it on another machine')} text={command} context={context} />
        <p className="jp-EnvStore-sub">{trans.__('The page has the commands for conda-lock, pixi and Docker, if their files are made.')}</p>
      </div>
    ),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

/** A text, and a button that copies it. */
function Line({ label, text, context }: { label: string; text: string; context: CommandContext }): React.ReactElement {
  const { trans } = context;
  return (
    <div>
      <div className="jp-EnvStore-sub">{label}</div>
      <div className="jp-EnvStore-code">
        <code>{text}</code>
        <Link label={trans.__('Copy: %1', label)} onClick={() => copy(text, trans.__('Copied'))}>
          {trans.__('Copy')}
        </Link>
      </div>
    </div>
  );
}
