import { InputDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { Link } from '../../components/buttons';
import { useLoaded } from '../../components/hooks';
import type { ITabProps } from './tab-props';

/** How many builds are kept ready; changed by those who may. */
export function RetentionSetting(props: ITabProps): React.ReactElement | null {
  const { model, trans, item, place } = props;
  const may = item.permissions.includes('setting::read');
  const { value, reload } = useLoaded(
    may ? () => model.api.settingsOf(place) : null,
    [place.namespace, place.name],
    `settings:${place.namespace}/${place.name}`
  );
  const [refused, setRefused] = React.useState('');
  const number = Number(value?.['retention_builds'] ?? 0);
  if (!value) {
    return null;
  }
  const change = async () => {
    const answer = await InputDialog.getNumber({
      title: trans.__('Number of builds of %1 that are kept ready', item.name),
      label: trans.__('Older builds are packed away. Their lockfile is kept, so you can bring them back. 0 keeps all builds.'),
      value: number,
      okLabel: trans.__('Change')
    });
    if (answer.button.accept && answer.value !== null) {
      setRefused('');
      await model.api
        .changeSettings({ retention_builds: answer.value }, place)
        .catch((reason: Error) => setRefused(reason.message));
      reload();
    }
  };
  return (
    <span className="jp-EnvStore-sub">
      {number === 0
        ? trans.__('All builds are kept ready')
        : trans._n('The newest %1 build is kept ready', 'The newest %1 builds are kept ready', number)}{' '}
      {item.permissions.includes('setting::update') && (
        <Link id="envstore:change-kept" onClick={change}>
          {trans.__('Change…')}
        </Link>
      )}{' '}
      {refused && <span className="jp-EnvStore-error">{refused}</span>}
    </span>
  );
}
