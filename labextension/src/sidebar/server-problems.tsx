import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { Link } from '../components/buttons';
import { SlowNotice } from '../components/connection-notice';
import type { IProps } from '../components/props';
import { copy } from '../lab/clipboard';

const ENABLE = 'jupyter server extension enable jupyter_envstore';

/** Problems with the server, and what can be done. */
export function ServerProblems({ model, trans, commands }: IProps): React.ReactElement | null {
  const again = <Link onClick={() => commands.execute(CommandIDs.refresh)}>{trans.__('Try now')}</Link>;
  switch (model.connection) {
    case 'lost':
      return (
        <div className="jp-EnvStore-trouble" role="alert">
          <span>
            {model.lastSeen
              ? trans.__('Not connected. Last update: %1.', model.lastSeen.toLocaleTimeString())
              : trans.__('Not connected: %1', model.trouble)}
          </span>
          {again}
        </div>
      );
    case 'again':
      return (
        <div className="jp-EnvStore-trouble jp-mod-good" role="status">
          {trans.__('Connected again')}
        </div>
      );
    case 'missing':
      return (
        <div className="jp-EnvStore-trouble" role="alert">
          <span>
            {trans.__('The server extension is not running.')} <code>{ENABLE}</code>
          </span>
          <Link onClick={() => copy(ENABLE, trans.__('Copied'))}>{trans.__('Copy')}</Link>
        </div>
      );
    case 'unavailable':
      return (
        <div className="jp-EnvStore-trouble jp-mod-bad" role="alert">
          <span>{model.trouble}</span>
          {again}
        </div>
      );
    default:
      return <Notices model={model} trans={trans} commands={commands} />;
  }
}

/** Notices while the server answers. */
function Notices({ model, trans, commands }: IProps): React.ReactElement | null {
  if (model.isSlow) {
    return <SlowNotice trans={trans} />;
  }
  if (model.server.isOutdated) {
    return (
      <div className="jp-EnvStore-trouble" role="status">
        <span>{trans.__('The page is older than the server.')}</span>
        <Link onClick={() => window.location.reload()}>{trans.__('Reload')}</Link>
      </div>
    );
  }
  return model.server.space?.low ? (
    <div className="jp-EnvStore-trouble jp-mod-bad" role="alert">
      <span>{trans.__('The disk of the server is full: nothing can be built.')}</span>
      {model.isAdmin && (
        <Link onClick={() => commands.execute(CommandIDs.freeSpace)}>{trans.__('Free up…')}</Link>
      )}
    </div>
  ) : null;
}
