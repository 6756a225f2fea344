import * as React from 'react';
import { Link } from '../components/buttons';
import { SetMirror } from '../components/channel-errors';
import { useReconnected } from '../components/hooks';
import type { IProps } from '../components/props';

const DOCTOR = 'jupyter envstore doctor';

/** The first default channel, and whether it can be reached. */
interface IChannelCheck {
  /** Without `words` and `isThere`, the check is running; `words` say why the channel cannot be reached. */
  state: { name: string; words?: string; isThere?: boolean } | null;
  again: () => void;
}

/** Ask once, in the background, whether the channels can be reached from the server. */
export function useChannelCheck(model: IProps['model']): IChannelCheck {
  const [state, setState] = React.useState<IChannelCheck['state']>(null);
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

/** Whether the first default channel can be reached, and what can be done if not. */
export function ChannelStatus(props: IProps & { channel: IChannelCheck }): React.ReactElement | null {
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
