import * as React from 'react';

/** A box that tells something about what stands below it, with ways to go on. */
export function NoteBox(props: {
  children: React.ReactNode;
  /** Whether words and ways out stand on one line, where there is room. */
  row?: boolean;
  /** Words for a group of fields; without them it is told as it appears. */
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
