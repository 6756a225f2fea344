import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A part of the sidebar that can be folded. */
export function Section(props: {
  title: string;
  count?: number | string;
  children: React.ReactNode;
}): React.ReactElement {
  const [open, setOpen] = React.useState(true);
  const id = React.useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section className="jp-EnvStore-section" aria-labelledby={id}>
      <h3 className="jp-EnvStore-sectionTitle">
        <button type="button" id={id} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Caret.react tag="span" />
          <span>{props.title}</span>
          {props.count !== undefined && <span className="jp-EnvStore-count">{props.count}</span>}
        </button>
      </h3>
      {open && props.children}
    </section>
  );
}
