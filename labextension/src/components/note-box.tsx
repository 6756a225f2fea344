import * as React from 'react';

/** A box with a notice about what is below it, and with actions. */
export function NoteBox(props: {
  children: React.ReactNode;
  /** Whether text and actions are on one line, if there is room. */
  row?: boolean;
  /** The label of a group of fields; without it, the box is announced to screen readers. */
  label?: string;
  className?: string;
}): React.ReactElement {
  const { children, row, label, className = '' } = props;
  return (
    <div
      className={`jp-EnvStore-box ${row ? 'jp-mod-row' : ''} ${className}`}
      role={label ? 'group' : 'status'}
      aria-label={label}
    >
      {children}
    </div>
  );
}
