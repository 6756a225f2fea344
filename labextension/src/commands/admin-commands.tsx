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
  const { api } = model;
  const asAdmin = {
    isEnabled: () => model.isConnected,
    isVisible: () => model.isAdmin
  };
  context.add(
    CommandIDs.freeSpace,
    trans.__('Free Up Disk Space…'),
    NOTHING,
    async () => {
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
    },
    asAdmin
  );
  context.add(
    CommandIDs.setChannel,
    trans.__('Set Default Channels…'),
    NOTHING,
    async () => {
      const set = await askForLine(
        {
          title: trans.__('Default channels, for specifications that name no channel'),
          label: trans.__(
            'Names, addresses of mirrors (https://…) or folders on the server (/…), separated by commas; the first one has priority'
          ),
          ok: trans.__('Set')
        },
        (await api.defaultChannels()).join(', '),
        async text => {
          const channels = text.split(',').map(channel => channel.trim()).filter(channel => channel)
            .map(channel => (channel.startsWith('/') ? `file://${channel}` : channel));
          if (channels.length === 0) {
            throw new Error(trans.__('Name at least one channel.'));
          }
          try {
            await api.changeSettings({ conda_default_channels: channels });
          } catch (error) {
            // the dialog says which setting it is, in words
            throw new Error((error as Error).message.replace(/^setting \w+: /, ''));
          }
        }
      );
      await model.refresh();
      return set;
    },
    asAdmin
  );
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
