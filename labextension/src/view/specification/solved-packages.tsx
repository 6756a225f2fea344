import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { size } from '../../presentation/formats';
import type { IChecked, IFoundPackage, ISolved } from '../../store/types';
import { nameOf } from './requirements';

/** The packages that a text would install: those that it asks for, then what they need. */
export function SolvedPackages(props: { solved: ISolved; checked: IChecked | null; trans: TranslationBundle }): React.ReactElement {
  const { solved, checked, trans } = props;
  const asked = new Set((checked?.conda ?? []).map(nameOf));
  const byName = [...solved.packages].sort((a, b) => a.name.localeCompare(b.name));
  const wanted = byName.filter(item => asked.has(item.name.toLowerCase()));
  const needed = byName.filter(item => !asked.has(item.name.toLowerCase()));
  const pip = checked?.pip ?? [];
  return (
    <dl className="jp-EnvStore-changes">
      {wanted.length + pip.length > 0 && <dt>{trans.__('Asked for %1', wanted.length + pip.length)}</dt>}
      {wanted.map(item => (
        <Line key={item.name} item={item} />
      ))}
      {pip.map(line => (
        <dd key={line}>
          <span className="jp-EnvStore-package">{line}</span> <span className="jp-EnvStore-sub">{trans.__('PyPI')}</span>
        </dd>
      ))}
      {needed.length > 0 && (
        <dd className="jp-EnvStore-needed">
          <details>
            <summary>{trans._n('and %1 that they need', 'and %1 that they need', needed.length)}</summary>
            <dl className="jp-EnvStore-changes">
              {needed.map(item => (
                <Line key={item.name} item={item} />
              ))}
            </dl>
          </details>
        </dd>
      )}
    </dl>
  );
}

function Line({ item }: { item: IFoundPackage }): React.ReactElement {
  const channel = item.channel_id.replace(/\/+$/, '').split('/').pop() ?? '';
  return (
    <dd title={`${item.build} · ${item.channel_id}`}>
      <span className="jp-EnvStore-package">{item.name}</span> {item.version}{' '}
      <span className="jp-EnvStore-sub">{[channel, item.size ? size(item.size) : ''].filter(word => word).join(' · ')}</span>
    </dd>
  );
}
