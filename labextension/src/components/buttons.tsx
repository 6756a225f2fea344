import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { PanelContext } from './panel-context';

/** Return the tooltip of a button that is disabled because the server is not connected; null if it is enabled. */
function useIsAway(needsServer: boolean | undefined): string | null {
  const panel = React.useContext(PanelContext);
  return needsServer && panel && !panel.model.isConnected ? panel.trans.__('Not connected') : null;
}

/** A button with only an icon, that runs a command. */
export const IconButton = React.forwardRef<
  HTMLButtonElement,
  {
    icon: LabIcon;
    label: string;
    id?: string;
    commands?: CommandRegistry;
    args?: Record<string, any>;
    disabled?: boolean;
    /** Whether it is disabled while the server is not connected. */
    needsServer?: boolean;
    tabIndex?: number;
    className?: string;
    expanded?: boolean;
    onClick?: (event: React.MouseEvent) => void;
  }
>(function IconButton(props, ref): React.ReactElement {
  const { id, commands, args, label } = props;
  const isAway = useIsAway(props.needsServer);
  return (
    <button
      ref={ref}
      type="button"
      className={`jp-EnvStore-button ${props.className ?? ''}`}
      title={isAway ?? label}
      aria-label={label}
      aria-expanded={props.expanded}
      data-testid={id}
      disabled={props.disabled || isAway !== null}
      tabIndex={props.tabIndex}
      onClick={event => {
        event.stopPropagation();
        if (props.onClick) {
          props.onClick(event);
        } else if (id) {
          void commands?.execute(id, args);
        }
      }}
    >
      <props.icon.react tag="span" />
    </button>
  );
});

/** A button with text; it is busy until its action ends. */
export function TextButton(props: {
  children: React.ReactNode;
  onClick: () => unknown;
  id?: string;
  primary?: boolean;
  warn?: boolean;
  disabled?: boolean;
  /** Whether it is disabled while the server is not connected. */
  needsServer?: boolean;
  title?: string | undefined;
}): React.ReactElement {
  const isAway = useIsAway(props.needsServer);
  const [busy, setBusy] = React.useState(false);
  const there = React.useRef(true);
  React.useEffect(() => {
    there.current = true;
    return () => {
      there.current = false;
    };
  }, []);
  const kind = props.primary ? 'jp-mod-accept' : props.warn ? 'jp-mod-warn' : 'jp-mod-reject';
  return (
    <button
      type="button"
      className={`jp-EnvStore-textButton jp-mod-styled ${kind}`}
      data-testid={props.id}
      title={isAway ?? props.title}
      disabled={props.disabled || isAway !== null || busy}
      aria-busy={busy}
      onClick={event => {
        event.stopPropagation();
        const result = props.onClick();
        if (result instanceof Promise) {
          setBusy(true);
          void result.catch(() => undefined).then(() => there.current && setBusy(false));
        }
      }}
    >
      {props.children}
    </button>
  );
}

/** A button that looks like a link. */
export function Link(props: {
  children: React.ReactNode;
  onClick: () => unknown;
  id?: string;
  label?: string;
}): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-EnvStore-link"
      data-testid={props.id}
      aria-label={props.label}
      onClick={event => {
        event.stopPropagation();
        void props.onClick();
      }}
    >
      {props.children}
    </button>
  );
}
