import * as React from 'react';
import { withTree } from '../presentation/error-text';
import { PanelContext } from './panel-context';

/** An error message, and what can be done. */
export function ErrorBox(props: {
  message: string;
  /** Whether it is not an error, because the user wanted it. */
  calm?: boolean;
  children?: React.ReactNode;
}): React.ReactElement {
  const panel = React.useContext(PanelContext);
  const { before, tree, after } = withTree(props.message);
  return (
    <div role={props.calm ? 'status' : 'alert'} className={`jp-EnvStore-box ${props.calm ? 'jp-mod-calm' : 'jp-mod-error'}`}>
      <div className={props.calm ? '' : 'jp-EnvStore-error'}>{before}</div>
      {tree && (
        <details>
          <summary>{panel?.trans.__('Full explanation')}</summary>
          <pre>{tree}</pre>
        </details>
      )}
      {after && <div>{after}</div>}
      {props.children && <div className="jp-EnvStore-actions">{props.children}</div>}
    </div>
  );
}
