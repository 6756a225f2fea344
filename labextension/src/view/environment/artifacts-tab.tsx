import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { type ILoaded, useLoaded, useStale } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import { artifactTitles } from '../../presentation/build-steps';
import type { IArtifact } from '../../store/types';
import type { IShow } from '../shared/view-types';
import { ArtifactRow } from './artifact-row';
import { BuildLog } from './build-log';
import type { ITabProps } from './tab-props';

const MAIN = ['yaml', 'lockfile', 'explicit', 'archive', 'installer', 'docker'];
const FOR_OTHERS = ['pixi', 'pylock', 'requirements', 'sbom'];

/** The log of a build and what it was turned into. */
export function ArtifactsTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { model, build } = props;
  const loaded = useLoaded(() => model.api.artifacts(build.id), [build.id, build.status], `artifacts:${build.id}`);
  useStale(model, build.id, loaded.reload);
  const titles = React.useMemo(() => artifactTitles(loaded.value ?? []), [loaded.value]);
  return (
    <div className="jp-EnvStore-artifactsTab">
      <BuildLog key={build.id} {...props} titles={titles} />
      <Artifacts {...props} loaded={loaded} />
    </div>
  );
}

function Artifacts(props: ITabProps & { loaded: ILoaded<IArtifact[]> }): React.ReactElement {
  const { model, build, trans } = props;
  const { value, error, reload } = props.loaded;
  const busy = value?.some(item => item.state === 'pending' || item.state === 'building');
  const steps = useLoaded(busy ? () => model.api.progress(build.id) : null, [build.id, busy]);
  React.useEffect(() => {
    if (busy) {
      const look = () => {
        reload(); // where the socket is away
        steps.reload();
      };
      const timer = window.setInterval(look, 1500);
      return () => window.clearInterval(timer);
    }
    return undefined;
  }, [busy, reload, steps.reload]);
  const progress = busy ? model.progress(build.id) ?? steps.value : undefined;
  const order = [...MAIN, ...FOR_OTHERS];
  const rank = (item: IArtifact) => (order.indexOf(item.type) + 1 || order.length + 1) * 2 + (item.variant ? 1 : 0);
  const sorted = [...(value ?? [])].sort((a, b) => rank(a) - rank(b));
  const main = sorted.filter(item => !FOR_OTHERS.includes(item.type));
  const others = sorted.filter(item => FOR_OTHERS.includes(item.type));
  const row = (item: IArtifact) => (
    <ArtifactRow key={`${item.type}/${item.variant}`} {...props} artifact={item} progress={progress} />
  );
  return (
    <section className="jp-EnvStore-artifacts" aria-label={trans.__('Artifacts')}>
      <h3>{trans.__('Artifacts')}</h3>
      {error && !value && (
        <ErrorBox message={error.message}>
          <TextButton onClick={reload}>{trans.__('Try again')}</TextButton>
        </ErrorBox>
      )}
      {!value && !error && <Skeleton trans={trans} rows={4} />}
      {value && value.length === 0 && (
        <p className="jp-EnvStore-sub">
          {build.status === 'COMPLETED'
            ? trans.__('No artifacts are made for this environment.')
            : trans.__('Artifacts can be made once the build is ready.')}
        </p>
      )}
      <ul>{main.map(row)}</ul>
      {others.length > 0 && <h4>{trans.__('For other tools')}</h4>}
      {others.length > 0 && <ul>{others.map(row)}</ul>}
    </section>
  );
}
