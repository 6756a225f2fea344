import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useLoaded } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import { copy } from '../../lab/clipboard';
import type { ITabProps } from './tab-props';

/** The address of a build's image, and what is typed to run it: with a token, since nobody else may pull it. */
export function ImageAddress(props: ITabProps): React.ReactElement {
  const { model, build, trans, commands } = props;
  const { value, error } = useLoaded(
    () => model.api.text(model.api.url(`build/${build.id}/docker/`)),
    [build.id],
    `image:${build.id}`
  );
  if (error && !value) {
    return <ErrorBox message={error.message} />;
  }
  if (!value) {
    return <Skeleton trans={trans} rows={1} />;
  }
  const address = value.trim();
  const host = address.split('/')[0]!;
  const lines: [string, string][] = [
    [trans.__('Address'), address],
    [trans.__('Log in, with a token'), `docker login -u anything ${host}`],
    [trans.__('Run'), `docker run --rm -it ${address}`]
  ];
  return (
    <div className="jp-EnvStore-image" data-testid="envstore:image-address">
      {lines.map(([title, line]) => (
        <div key={title} className="jp-EnvStore-code">
          <span className="jp-EnvStore-sub">{title}</span>
          <code>{line}</code>
          <Link label={trans.__('Copy %1', line)} onClick={() => copy(line, trans.__('Copied'))}>
            {trans.__('Copy')}
          </Link>
        </div>
      ))}
      <Link onClick={() => commands.execute(CommandIDs.openTokens)}>{trans.__('Make a token… ↗')}</Link>
    </div>
  );
}
