import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { step } from '../presentation/build-steps';
import { placeOf } from '../store/accessors';
import type { IEnvironment } from '../store/types';
import { Link } from './buttons';
import { ProgressBar } from './progress-bar';
import type { IProps } from './props';

/** Whether an environment of a store elsewhere is on this server, how far it is, and a button that brings it. */
export function Presence(props: IProps & { item: IEnvironment }): React.ReactElement | null {
  const { item, trans, commands } = props;
  const { presence } = item;
  if (!presence || presence.state === 'here' || !item.active) {
    return null;
  }
  if (presence.state === 'coming') {
    const { words, part } = progressOf(presence, trans);
    return (
      <div className="jp-EnvStore-sub" role="status">
        {trans.__('It is being brought to this server: %1', words)}
        <ProgressBar part={part} label={trans.__('Being brought')} words={words} />
      </div>
    );
  }
  return (
    <div className="jp-EnvStore-sub">
      {presence.failure
        ? trans.__('It could not be brought to this server: %1', presence.failure)
        : trans.__('It is not on this server yet; a kernel brings it when it starts.')}{' '}
      <Link id={CommandIDs.bring} onClick={() => commands.execute(CommandIDs.bring, placeOf(item))}>
        {presence.failure ? trans.__('Try again') : trans.__('Bring to this server')}
      </Link>
    </div>
  );
}

/** Say how far an environment is. */
export function progressOf(
  presence: NonNullable<IEnvironment['presence']>,
  trans: IProps['trans']
): { words: string; part: number | null } {
  const { done, total } = presence;
  const known = presence.step ? [{ name: presence.step, state: 'running', done, total, attempt: 1 }] : [];
  return step({ status: 'BUILDING', steps: known } as unknown as Parameters<typeof step>[0], trans);
}
