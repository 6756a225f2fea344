import type { CommandRegistry } from '@lumino/commands';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../model';
import { type IMark, withTree } from '../status';
import { PanelContext } from './context';

/** What every part of the panel and the views is given. */
export interface IProps {
  model: EnvStoreModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** Return the words for a button that needs the server while that is away; null while it can be pressed. */
function useIsAway(needsServer: boolean | undefined): string | null {
  const panel = React.useContext(PanelContext);
  return needsServer && panel && !panel.model.isConnected ? panel.trans.__('Not connected') : null;
}

/** A button with an icon alone, that runs a command. */
export const IconButton = React.forwardRef<
  HTMLButtonElement,
  {
    icon: LabIcon;
    label: string;
    id?: string;
    commands?: CommandRegistry;
    args?: Record<string, any>;
    disabled?: boolean;
    /** Whether it does nothing while the server is away. */
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

/** A button with words; busy while what it started goes on. */
export function TextButton(props: {
  children: React.ReactNode;
  onClick: () => unknown;
  id?: string;
  primary?: boolean;
  warn?: boolean;
  disabled?: boolean;
  /** Whether it does nothing while the server is away. */
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

/** A link that does something. */
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

/** The disc before a name: shape, colour and words. */
export function Mark({ mark }: { mark: IMark }): React.ReactElement {
  return (
    <span className="jp-EnvStore-mark" data-kind={mark.kind} title={mark.words} role="img" aria-label={mark.words}>
      {mark.shape}
      {mark.extra && <sup>{mark.extra}</sup>}
    </span>
  );
}

/** How far something is: 0 to 1, or null where that is not known. */
export function Progress(props: { part: number | null; label: string; words: string }): React.ReactElement {
  const panel = React.useContext(PanelContext);
  const moves = props.part === null && (!panel || panel.model.isConnected);
  return (
    <div
      className={`jp-EnvStore-progress ${moves ? 'jp-mod-unknown' : ''}`}
      role="progressbar"
      aria-label={props.label}
      aria-valuetext={props.words}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={props.part === null ? undefined : Math.round(props.part * 100)}
    >
      <div style={{ transform: `scaleX(${props.part ?? 0.3})` }} />
    </div>
  );
}

/** What went wrong, and the ways out. */
export function ErrorBox(props: {
  message: string;
  /** Whether it is no error: somebody wanted it so. */
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

/** Rows that stand where text will come. */
export function Skeleton({ trans, rows = 6 }: { trans: TranslationBundle; rows?: number }): React.ReactElement {
  const widths = [70, 55, 80, 45, 65, 60];
  return (
    <div aria-busy="true" aria-label={trans.__('Loading')} role="status" className="jp-EnvStore-skeleton">
      {Array.from({ length: rows }, (_, place) => (
        <div key={place} style={{ width: `${widths[place % widths.length]}%` }} />
      ))}
    </div>
  );
}
