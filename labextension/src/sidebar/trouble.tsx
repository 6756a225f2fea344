import * as React from 'react';
import { copy } from '../commands/context';
import { CommandIDs } from '../commands';
import { type IProps, Link } from '../components/basics';

const ENABLE = 'jupyter server extension enable jupyter_envstore';

/** What is wrong between the panel and the server, and what can be done. */
export function Trouble({ model, trans, commands }: IProps): React.ReactElement | null {
  const again = <Link onClick={() => commands.execute(CommandIDs.refresh)}>{trans.__('Try now')}</Link>;
  switch (model.connection) {
    case 'lost':
      return (
        <div className="jp-EnvStore-trouble" role="alert">
          <span>
            {model.lastSeen
              ? trans.__('Not connected. Showing %1.', model.lastSeen.toLocaleTimeString())
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
            {trans.__('The server part is not running.')} <code>{ENABLE}</code>
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
      return null;
  }
}
