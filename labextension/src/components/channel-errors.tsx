import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { EnvStoreError } from '../store/errors';
import { Link } from './buttons';
import type { IProps } from './props';

/** Whether something failed because a channel does not answer. */
export function isChannelAway(error: unknown): boolean {
  return error instanceof EnvStoreError && error.code === 'channel_unreachable';
}

/** Return an error in one line: if a channel cannot be reached, its name; otherwise the first line of the message. */
export function firstWords(error: Error, trans: IProps['trans']): string {
  const address = isChannelAway(error) ? /^channel (\S+) /.exec(error.message)?.[1] : undefined;
  const name = address?.replace(/\/+$/, '').split('/').pop();
  return name ? trans.__('%1 cannot be reached from this server.', name) : error.message.split('\n')[0] ?? '';
}

/** A link for admins that sets other default channels, and then tries again. */
export function SetMirror(props: IProps & { again: () => unknown }): React.ReactElement | null {
  const { model, trans, commands, again } = props;
  return model.isAdmin ? (
    <Link
      id={CommandIDs.setChannel}
      onClick={async () => {
        if (await commands.execute(CommandIDs.setChannel)) {
          await again();
        }
      }}
    >
      {trans.__('Set a mirror or a folder…')}
    </Link>
  ) : null;
}
