import * as React from 'react';
import { copy } from '../commands/context';
import { CommandIDs } from '../commands';
import type { Front } from '../commands/front';
import { ErrorBox, type IProps, Link, TextButton } from '../components/basics';
import { useReconnected } from '../components/hooks';
import { SetMirror } from '../components/mirror';
import { envstoreIcon } from '../icons';

const DOCTOR = 'jupyter envstore doctor';

/** The first thing that a new user sees. */
export function Empty(props: IProps & { front: Front }): React.ReactElement {
  const { model, trans, commands, front } = props;
  const [, look] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    // a notebook in front can lend its packages, as soon as it has a kernel
    const slot = () => look();
    let session = front.last?.sessionContext;
    const follow = () => {
      session?.kernelChanged.disconnect(slot);
      session = front.last?.sessionContext;
      session?.kernelChanged.connect(slot);
      look();
    };
    follow();
    front.changed.connect(follow);
    return () => {
      front.changed.disconnect(follow);
      session?.kernelChanged.disconnect(slot);
    };
  }, [front]);
  const [error, setError] = React.useState('');
  const channel = useChannel(model);
  const isAway = channel.state?.words !== undefined;
  const name = model.permissions?.username ?? '';
  if (model.permissions && model.writable.length === 0) {
    return (
      <div className="jp-EnvStore-empty">
        <envstoreIcon.react tag="div" width="48px" height="48px" />
        <p>
          {trans.__(
            'Nobody has shared an environment with you yet. Ask for a role in a namespace: you are %1.',
            name || trans.__('nobody')
          )}
        </p>
        {name && <Link onClick={() => copy(name, trans.__('Copied %1', name))}>{trans.__('Copy my name')}</Link>}
      </div>
    );
  }
  return (
    <div className="jp-EnvStore-empty">
      <envstoreIcon.react tag="div" width="48px" height="48px" />
      <h2>{trans.__('Environments you can share and bring back exactly')}</h2>
      <p>
        {trans.__(
          'Pick packages, get a kernel. Every version you make is kept, and can be sent to others as a lockfile, archive, installer or Docker image.'
        )}
      </p>
      <TextButton
        primary={!isAway}
        needsServer
        disabled={isAway}
        title={isAway ? trans.__('Its packages cannot be had: see below') : undefined}
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
      <ChannelLine {...props} channel={channel} />
    </div>
  );
}

/** The first channel, and whether it can be reached. */
interface IChannel {
  /** Without `words` and `isThere`, it is being looked at; `words` say why it is away. */
  state: { name: string; words?: string; isThere?: boolean } | null;
  again: () => void;
}

/** Ask once, in the background, whether the channels can be reached from the server. */
function useChannel(model: IProps['model']): IChannel {
  const [state, setState] = React.useState<IChannel['state']>(null);
  const [turn, setTurn] = React.useState(0);
  React.useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      const address = (await model.api.channels())[0];
      if (!address) {
        return;
      }
      const name = address.replace(/\/+$/, '').split('/').pop() ?? address;
      setState({ name });
      try {
        await model.api.search('python', [address], stop.signal);
        setState({ name, isThere: true });
      } catch (error) {
        if (!stop.signal.aborted) {
          setState({ name, words: (error as Error).message });
        }
      }
    };
    ask().catch(() => undefined); // the panel says already that the server does not answer
    return () => stop.abort();
  }, [model, turn]);
  const again = React.useCallback(() => setTurn(count => count + 1), []);
  useReconnected(again);
  return { state, again };
}

/** Whether the first channel can be reached, and the ways out where not. */
function ChannelLine(props: IProps & { channel: IChannel }): React.ReactElement | null {
  const { trans } = props;
  const { state, again } = props.channel;
  if (!state) {
    return null;
  }
  if (!state.isThere && state.words === undefined) {
    return (
      <p className="jp-EnvStore-sub">
        <span className="jp-EnvStore-mark" data-kind="building">
          ◐
        </span>
        {trans.__('Checking %1…', state.name)}
      </p>
    );
  }
  return state.isThere ? (
    <p className="jp-EnvStore-sub">
      <span className="jp-EnvStore-mark" data-kind="ready">
        ●
      </span>
      {trans.__('%1 can be reached', state.name)}
    </p>
  ) : (
    <div className="jp-EnvStore-sub" role="alert">
      <span className="jp-EnvStore-mark" data-kind="failed">
        ✖
      </span>
      {trans.__('%1 cannot be reached from this server.', state.name)}{' '}
      <SetMirror {...props} again={again} /> <Link onClick={again}>{trans.__('Try again')}</Link>
      <details>
        <summary>{trans.__('Details')}</summary>
        <p>{state.words}</p>
        <p>
          {trans.__('An admin can set another channel (conda_default_channels) or a mirror.')}{' '}
          <code>{DOCTOR}</code>
        </p>
      </details>
    </div>
  );
}
