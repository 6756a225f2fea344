import * as React from 'react';

/**
 * A column: its title; `hidden` shows the title to screen readers only, `wide` hides the column if there is little
 * room.
 */
export interface IColumn {
  title: string;
  hidden?: boolean;
  wide?: boolean;
}

/** A table with titled columns; the rows are its children. */
export function Table(props: { columns: (string | IColumn)[]; children: React.ReactNode }): React.ReactElement {
  return (
    <table className="jp-EnvStore-table">
      <thead>
        <tr>
          {props.columns.map(column => {
            const { title, hidden, wide }: IColumn = typeof column === 'string' ? { title: column } : column;
            return (
              <th key={title} scope="col" className={wide ? 'jp-mod-wide' : undefined}>
                {hidden ? <span className="jp-EnvStore-hidden">{title}</span> : title}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  );
}
