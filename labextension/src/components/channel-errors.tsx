import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { EnvStoreError } from '../store/errors';
import { Link } from './buttons';
import type { IProps } from './props';

/** Whether something failed because a channel does not answer. */
export function isChannelAway(error: unknown): boolean {
  return error instanceof EnvStoreError && error.code === 'channel_unreachable';
}

/** Return what is told of an error in one line: where a channel is away, which one; else what the server said first. */
export function firstWords(error: Error, trans: IProps['trans']): string {
  const address = isChannelAway(error) ? /^channel (\S+) /.exec(error.message)?.[1] : undefined;
  const name = address?.replace(/\/+$/, '').split('/').pop();
  return name ? trans.__('%1 cannot be reached from this server.', name) : error.message.split('\n')[0] ?? '';
}

/** A link for admins that sets other channels, and tries again what one of them spoiled. */
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
