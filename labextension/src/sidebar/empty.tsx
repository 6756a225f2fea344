import * as React from 'react';
import { copy } from '../commands/context';
import { CommandIDs } from '../commands';
import { ErrorBox, type IProps, Link, TextButton } from '../components/basics';
import { envstoreIcon } from '../icons';

const DOCTOR = 'jupyter envstore doctor';

/** The first thing that a new user sees. */
export function Empty(props: IProps): React.ReactElement {
  const { model, trans, commands } = props;
  const [error, setError] = React.useState('');
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
          'Pick packages, get a kernel. Every version you make is kept, and can be sent to others as a lockfile or an archive.'
        )}
      </p>
      <TextButton
        primary
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
      <Channels {...props} />
    </div>
  );
}

/** Whether the channels can be reached from the server: asked once, in the background. */
function Channels({ model, trans, commands }: IProps): React.ReactElement | null {
  const [state, setState] = React.useState<{ name: string; words?: string; ok?: boolean } | null>(null);
  const [turn, setTurn] = React.useState(0);
  React.useEffect(() => {
    const stop = new AbortController();
    const ask = async () => {
      const name = (await model.api.channels())[0];
      if (!name) {
        return;
      }
      const short = name.replace(/\/+$/, '').split('/').pop() ?? name;
      setState({ name: short });
      try {
        await model.api.search('python', [name], stop.signal);
        setState({ name: short, ok: true });
      } catch (error) {
        if (!stop.signal.aborted) {
          setState({ name: short, ok: false, words: (error as Error).message });
        }
      }
    };
    ask().catch(() => undefined); // the panel says already that the server does not answer
    return () => stop.abort();
  }, [model, turn]);
  if (!state) {
    return null;
  }
  if (state.ok === undefined) {
    return (
      <p className="jp-EnvStore-sub">
        <span className="jp-EnvStore-mark" data-kind="building">
          ◐
        </span>
        {trans.__('Checking %1…', state.name)}
      </p>
    );
  }
  return state.ok ? (
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
      {model.isAdmin && (
        <Link
          id={CommandIDs.setChannel}
          onClick={async () => {
            await commands.execute(CommandIDs.setChannel);
            setTurn(count => count + 1);
          }}
        >
          {trans.__('Set a mirror or a folder…')}
        </Link>
      )}
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
