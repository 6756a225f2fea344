import { Dialog, Notification, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Table } from '../components/table';
import { size } from '../presentation/formats';
import type { ISpace } from '../store/types';
import { type CommandContext, NOTHING } from './command-context';
import { askForLine } from './dialog-forms';

/** Commands for admins of the whole store: disk space and default channels. */
export function addAdminCommands(context: CommandContext): void {
  const { model, trans } = context;
  const asAdmin = {
    isEnabled: () => model.isConnected,
    isVisible: () => model.isAdmin
  };
  context.add(CommandIDs.freeSpace, trans.__('Free Up Disk Space…'), NOTHING, () => freeSpace(context), asAdmin);
  context.add(CommandIDs.setChannel, trans.__('Set Default Channels…'), NOTHING, () => setDefaultChannels(context), asAdmin);
}

/** Show what can be freed, and free it if the user agrees. */
async function freeSpace(context: CommandContext): Promise<void> {
  const { model, trans } = context;
  const { api } = model;
  const { plan } = await api.space(true);
  if (!plan || plan.count === 0) {
    Notification.info(trans.__('There is nothing to free: everything is in use, or is kept by the settings.'), {
      autoClose: 8000
    });
    return;
  }
  const answer = await showDialog({
    title: trans.__('Free up %1?', size(plan.size)),
    body: ReactWidget.create(<PlanTable plan={plan} words={trans} />),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Free up') })],
    defaultButton: 0
  });
  if (answer.button.accept) {
    const freed = await context.guarded(trans.__('Not freed'), async () => {
      const found = await api.free();
      model.server.freed();
      return found;
    });
    if (freed?.plan) {
      Notification.success(trans.__('%1 freed', size(freed.plan.size)), { autoClose: 8000 });
    }
  }
}

/** Ask for the default channels of the store. Return what was typed; null if the user cancels. */
async function setDefaultChannels(context: CommandContext): Promise<string | null> {
  const { model, trans } = context;
  const { api } = model;
  const set = await askForLine(
    {
      title: trans.__('Default channels, for specifications that name no channel'),
      label: trans.__(
        'Names, addresses of mirrors (https://…) or folders on the server (/…), separated by commas; the first one has priority'
      ),
      ok: trans.__('Set')
    },
    (await api.defaultChannels()).join(', '),
    text => changeDefaultChannels(context, text)
  );
  await model.refresh();
  return set;
}

/** Take what was typed as the default channels: names and addresses with commas between them. */
async function changeDefaultChannels({ model, trans }: CommandContext, text: string): Promise<void> {
  const channels = text.split(',').map(channel => channel.trim()).filter(channel => channel)
    .map(channel => (channel.startsWith('/') ? `file://${channel}` : channel));
  if (channels.length === 0) {
    throw new Error(trans.__('Name at least one channel.'));
  }
  try {
    await model.api.changeSettings({ conda_default_channels: channels });
  } catch (error) {
    // the dialog says which setting it is, in words
    throw new Error((error as Error).message.replace(/^setting \w+: /, ''));
  }
}

/** What would be deleted, the largest first. Builds can be brought back from their lockfiles. */
function PlanTable(props: { plan: NonNullable<ISpace['plan']>; words: CommandContext['trans'] }): React.ReactElement {
  const { plan, words } = props;
  return (
    <div className="jp-EnvStore-plan">
      <p>
        {words.__('Builds that are packed away keep their lockfile, so you can bring them back. Caches fill up again when they are used.')}
      </p>
      <Table columns={[words.__('What'), words.__('Size'), words.__('Why')]}>
        {plan.removals.map((removal, place) => (
          <tr key={place}>
            <th scope="row">
              {removal.kind} {removal.name}
            </th>
            <td className="jp-EnvStore-number">{size(removal.size)}</td>
            <td className="jp-EnvStore-sub">{removal.reason}</td>
          </tr>
        ))}
      </Table>
      {plan.count > plan.removals.length && (
        <p className="jp-EnvStore-sub">{words.__('and %1 more', plan.count - plan.removals.length)}</p>
      )}
    </div>
  );
}
