import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton } from './buttons';

/** A word that can be removed; `label` says what the button does. */
export function Chip(props: { children: React.ReactNode; label: string; onRemove: () => void }): React.ReactElement {
  return (
    <span className="jp-EnvStore-chip">
      {props.children}
      <IconButton icon={closeIcon} label={props.label} onClick={props.onRemove} />
    </span>
  );
}
