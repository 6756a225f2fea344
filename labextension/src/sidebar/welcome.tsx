import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link, TextButton } from '../components/buttons';
import { ErrorBox } from '../components/error-box';
import type { IProps } from '../components/props';
import { envstoreIcon } from '../icons';
import { copy } from '../lab/clipboard';
import type { SessionTracker } from '../lab/session-tracker';
import { ChannelStatus, useChannelCheck } from './channel-check';

/** What a user without environments sees. */
export function Welcome(props: IProps & { sessions: SessionTracker }): React.ReactElement {
  const { model, trans, commands, sessions } = props;
  useKernelInFront(sessions);
  const [error, setError] = React.useState('');
  const channel = useChannelCheck(model);
  const isAway = channel.state?.words !== undefined;
  if (model.permissions && model.writable.length === 0) {
    return <NothingShared {...props} />;
  }
  return (
    <div className="jp-EnvStore-empty">
      <envstoreIcon.react tag="div" width="48px" height="48px" />
      <h2>{trans.__('Environments that you can share and bring back exactly')}</h2>
      <p>
        {trans.__(
          'Choose packages and get a kernel. Every version is kept, and you can give it to others as a lockfile, archive, installer or Docker image.'
        )}
      </p>
      <TextButton
        primary={!isAway}
        needsServer
        disabled={isAway}
        title={isAway ? trans.__('Its packages cannot be downloaded: see below') : undefined}
        id={CommandIDs.createExample}
        onClick={async () => {
          setError('');
          await commands.execute(CommandIDs.createExample, { throws: true }).catch((reason: Error) => setError(reason.message));
        }}
      >
        {trans.__('Create example environment')}
      </TextButton>
      <TextButton id="envstore:empty-import" onClick={() => void commands.execute(CommandIDs.importFile)}>
        {trans.__('Import a file…')}
      </TextButton>
      {commands.isEnabled(CommandIDs.fromKernel) && (
        <TextButton id={CommandIDs.fromKernel} onClick={() => commands.execute(CommandIDs.fromKernel)}>
          {trans.__("From this notebook's packages")}
        </TextButton>
      )}
      {error && <ErrorBox message={error} />}
      <ChannelStatus {...props} channel={channel} />
    </div>
  );
}

/** What a user sees who may not create environments, and has no other's. */
function NothingShared({ model, trans }: IProps): React.ReactElement {
  const name = model.permissions?.username ?? '';
  return (
    <div className="jp-EnvStore-empty">
      <envstoreIcon.react tag="div" width="48px" height="48px" />
      <p>
        {trans.__(
          'Nobody has shared an environment with you yet. Ask an admin for a role in a namespace. Your user name is %1.',
          name || trans.__('nobody')
        )}
      </p>
      {name && <Link onClick={() => copy(name, trans.__('Copied %1', name))}>{trans.__('Copy my name')}</Link>}
    </div>
  );
}

/** Render again when the notebook in front, or its kernel, is another one: it can lend its packages. */
function useKernelInFront(sessions: SessionTracker): void {
  const [, look] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => look();
    let session = sessions.last?.sessionContext;
    const follow = () => {
      session?.kernelChanged.disconnect(slot);
      session = sessions.last?.sessionContext;
      session?.kernelChanged.connect(slot);
      look();
    };
    follow();
    sessions.changed.connect(follow);
    return () => {
      sessions.changed.disconnect(follow);
      session?.kernelChanged.disconnect(slot);
    };
  }, [sessions]);
}
