import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { copy } from '../lab/clipboard';
import { whole } from '../store/accessors';
import type { IPlace, IShareLink } from '../store/types';
import { type CommandContext, PLACE } from './command-context';

const DAY = 86_400_000;

/** A command that makes a link with which others can look at an environment and bring it back. */
export function addShareCommand(context: CommandContext): void {
  const { trans } = context;
  context.add(
    CommandIDs.share,
    trans.__('Share…'),
    PLACE,
    async args => {
      const place = context.place(args);
      const days = await askForDays(context, place);
      const made =
        days && (await context.guarded(trans.__('Not shared'), () => context.model.api.share(place, new Date(Date.now() + days * DAY))));
      if (made) {
        await showLink(context, place, made);
      }
    },
    { isEnabled: args => Boolean(context.environment(args)?.current_build_id) && context.model.isConnected }
  );
}

/** Ask for how long a link shall work. Return the days; 0 if the user cancels. */
async function askForDays(context: CommandContext, place: IPlace): Promise<number> {
  const { trans } = context;
  let days = 7;
  const answer = await showDialog({
    title: trans.__('Share %1?', whole(place)),
    body: ReactWidget.create(
      <div className="jp-EnvStore-share">
        <p>
          {trans.__('Everybody who has the link can look at this environment and download its files. The link does not allow anything else, and you can revoke it.')}
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
      </div>
    ),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Make link') })]
  });
  return answer.button.accept ? days : 0;
}

/** Show a link, and how it is used. It is shown only once. */
async function showLink(context: CommandContext, place: IPlace, made: IShareLink): Promise<void> {
  const { app, trans } = context;
  const ends = made.expiration ? new Date(made.expiration).toLocaleDateString() : '';
  const command = `jupyter envstore import '${made.link}'`;
  const manage = Dialog.createButton({ label: trans.__('Manage links') });
  const answer = await showDialog({
    title: trans.__('Link to %1', whole(place)),
    body: ReactWidget.create(
      <div className="jp-EnvStore-share">
        <p>{trans.__('Copy it now: it is shown this once. It works until %1.', ends)}</p>
        <Line label={trans.__('Open in a browser')} text={made.link} context={context} />
        <Line label={trans.__('Build it on another machine')} text={command} context={context} />
        <p className="jp-EnvStore-sub">{trans.__('The page has the commands for conda-lock, pixi and Docker.')}</p>
      </div>
    ),
    buttons: [manage, Dialog.okButton({ label: trans.__('Close') })],
    defaultButton: 1
  });
  if (answer.button === manage) {
    await app.commands.execute(CommandIDs.openTokens);
  }
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
