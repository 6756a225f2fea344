import * as React from 'react';
import type { IProps } from './props';

/** The state of the connection, in a view; the sidebar, which shows more, may be closed. */
export function ConnectionNotice({ model, trans }: Pick<IProps, 'model' | 'trans'>): React.ReactElement | null {
  if (model.isSlow) {
    return <SlowNotice trans={trans} />;
  }
  return model.connection === 'lost' && model.lastSeen ? (
    <div className="jp-EnvStore-trouble" role="status">
      <span>{trans.__('Not connected. Last update: %1.', model.lastSeen.toLocaleTimeString())}</span>
    </div>
  ) : null;
}

/** A notice that the server is slow. */
export function SlowNotice({ trans }: Pick<IProps, 'trans'>): React.ReactElement {
  return (
    <div className="jp-EnvStore-trouble" role="status" data-testid="envstore:slow">
      {trans.__('Waiting for the server…')}
    </div>
  );
}
