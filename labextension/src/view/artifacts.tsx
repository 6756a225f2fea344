import * as React from 'react';
import { CommandIDs } from '../commands';
import { copy } from '../commands/context';
import { ErrorBox, Link, Mark, Progress, Skeleton, TextButton } from '../components/basics';
import { useLoaded, useStale } from '../components/hooks';
import { reachWords } from '../reach';
import { type IMark, duration, moment, size } from '../status';
import type { IArtifact, IProgress } from '../types';
import type { ITabProps } from './tab-props';
import { ImageAddress } from './image';
import { Log } from './log';
import type { IShow } from './views';

/** How an artifact is shown: its words, and how it is used on the other side. */
interface IWords {
  title: string;
  show?: string;
  download?: string;
  purpose: string;
  use: (file: string, name: string, tools: Record<string, string>) => string[];
}

/** Return the words for an artifact of this type. */
export function wordsOf(type: string, trans: ITabProps['trans']): IWords {
  const known: Record<string, IWords> = {
    yaml: {
      title: trans.__('YAML, pinned'),
      show: trans.__('Show yml file'),
      purpose: trans.__('to read, or for conda env create'),
      use: file => [`conda env create -f ${file}`, `jupyter envstore build ${file}`]
    },
    lockfile: {
      title: trans.__('Lockfile'),
      show: trans.__('Show lockfile'),
      purpose: trans.__('exact; for conda-lock, and to build again'),
      use: (file, name) => [`conda-lock install -n ${name} ${file}`, `jupyter envstore build ${file} --name ${name}`]
    },
    explicit: {
      title: trans.__('Explicit list'),
      show: trans.__('Show explicit list'),
      purpose: trans.__('exact, one platform; for plain conda'),
      use: (file, name) => [`conda create -n ${name} --file ${file}`]
    },
    archive: {
      title: trans.__('Archive'),
      download: trans.__('Download archive'),
      purpose: trans.__('unpack it and it runs, no conda needed'),
      use: (file, name) => [
        `mkdir ${name} && tar -xf ${file} -C ${name}`,
        `source ${name}/bin/activate && conda-unpack`,
        `${name}/bin/python`
      ]
    },
    installer: {
      title: trans.__('Installer'),
      download: trans.__('Download installer'),
      purpose: trans.__('one file to run, no network needed'),
      use: (file, name, tools) =>
        file.endsWith('.exe')
          ? [`start /wait "" ${file} /S /D=%USERPROFILE%\\${name}`]
          : file.endsWith('.pkg')
            ? [`installer -pkg ${file} -target CurrentUserHomeDirectory`]
            : tools.maker === 'constructor'
              ? [`sh ${file} -b -p ~/${name}`, `~/${name}/bin/python`, `rm -rf ~/${name}`]
              : [`sh ${file} -b -p ~/${name}`, `. ~/${name}/bin/activate`, `sh ~/${name}/uninstall.sh`]
    },
    docker: {
      title: trans.__('Docker image'),
      show: trans.__('Show Docker image'),
      download: trans.__('Download image'),
      purpose: trans.__('to run in a container'),
      use: file => [`docker load < ${file}`, `skopeo copy oci-archive:${file} docker://REGISTRY/NAME:TAG`]
    }
  };
  return known[type] ?? { title: type, download: trans.__('Download'), purpose: '', use: () => [] };
}

/** The log of a build and what it was turned into. */
export function ArtifactsTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { build } = props;
  return (
    <div className="jp-EnvStore-artifactsTab">
      <Log key={build.id} {...props} />
      <Artifacts {...props} />
    </div>
  );
}

function Artifacts(props: ITabProps): React.ReactElement {
  const { model, build, trans } = props;
  const { value, error, reload } = useLoaded(() => model.api.artifacts(build.id), [build.id, build.status], `artifacts:${build.id}`);
  useStale(model, build.id, reload);
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
  const order = ['yaml', 'lockfile', 'explicit', 'archive', 'installer', 'docker'];
  const rank = (item: IArtifact) => (order.indexOf(item.type) + 1 || order.length + 1) * 2 + (item.variant ? 1 : 0);
  const sorted = [...(value ?? [])].sort((a, b) => rank(a) - rank(b));
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
            ? trans.__('No artifacts are made here.')
            : trans.__('Artifacts are made of builds that are ready.')}
        </p>
      )}
      <ul>
        {sorted.map(item => (
          <ArtifactRow key={`${item.type}/${item.variant}`} {...props} artifact={item} progress={progress} />
        ))}
      </ul>
    </section>
  );
}

function artifactMark(item: IArtifact, trans: ITabProps['trans']): IMark {
  switch (item.state) {
    case 'ready':
      return { shape: '●', kind: 'ready', words: trans.__('Ready') };
    case 'failed':
      return { shape: '✖', kind: 'failed', words: trans.__('Failed') };
    case 'pending':
    case 'building':
      return { shape: '◐', kind: 'building', words: trans.__('Being made') };
    case 'dropped':
      return { shape: '▣', kind: 'packed', words: trans.__('Dropped to save space') };
    case 'absent':
      return { shape: '○', kind: 'queued', words: trans.__('Not made yet') };
  }
}

function ArtifactRow(props: ITabProps & { artifact: IArtifact; progress: IProgress | undefined }): React.ReactElement {
  const { artifact, build, trans, commands, place, item } = props;
  const words = wordsOf(artifact.type, trans);
  const args = { ...place, build: build.id, type: artifact.type, variant: artifact.variant };
  const ready = artifact.state === 'ready';
  const may = item.permissions.includes('environment::update');
  const making = artifact.state === 'pending' || artifact.state === 'building';
  const step = making ? props.progress?.steps.filter(found => found.name === `artifact-${artifact.type}` && found.state === 'running').pop() : undefined;
  const part = step && step.total > 0 ? Math.min(1, step.done / step.total) : null;
  const uses = words.use(artifact.file_name, place.name, artifact.tools);
  const isImage = artifact.type === 'docker';
  const [shown, setShown] = React.useState(false);
  const reach = reachWords(artifact, trans);
  const title = artifact.variant ? `${words.title} (${artifact.variant})` : words.title;
  return (
    <li className="jp-EnvStore-artifact" data-type={artifact.type} data-state={artifact.state}>
      <div className="jp-EnvStore-artifactLine">
        <Mark mark={artifactMark(artifact, trans)} />
        <span className="jp-EnvStore-artifactTitle">{title}</span>
        <span className="jp-EnvStore-number">{ready ? size(artifact.size) : ''}</span>
        <span className="jp-EnvStore-actions">
          {ready && isImage && (
            <TextButton id="envstore:show-docker" onClick={() => setShown(!shown)}>
              {shown ? trans.__('Hide Docker image') : words.show}
            </TextButton>
          )}
          {ready && words.show && !isImage && (
            <TextButton
              id={`envstore:show-${artifact.type}`}
              onClick={() => commands.execute(CommandIDs.showArtifact, args)}
            >
              {words.show} ↗
            </TextButton>
          )}
          {ready && words.show && !isImage && (
            <>
              <TextButton
                id={`envstore:open-${artifact.type}`}
                onClick={() => commands.execute(CommandIDs.openArtifact, args)}
              >
                {trans.__('Open here')}
              </TextButton>
              <TextButton
                id={`envstore:copy-${artifact.type}`}
                onClick={() => commands.execute(CommandIDs.copyArtifact, args)}
              >
                {trans.__('Copy')}
              </TextButton>
            </>
          )}
          {ready && (
            <TextButton
              id={`envstore:download-${artifact.type}`}
              onClick={() => commands.execute(CommandIDs.download, args)}
            >
              {words.download ?? trans.__('Download')}
            </TextButton>
          )}
          {making && (
            <>
              <span className="jp-EnvStore-sub" role="status">
                {part === null ? trans.__('Being made…') : trans.__('Making… %1 %', Math.floor(part * 100))}
              </span>
              {part !== null && <Progress part={part} label={title} words="" />}
              {item.permissions.includes('build::cancel') && (
                <TextButton
                  id={`envstore:stop-${artifact.type}`}
                  needsServer
                  onClick={() => commands.execute(CommandIDs.cancel, { build: build.id, isMaking: true })}
                >
                  {trans.__('Stop')}
                </TextButton>
              )}
            </>
          )}
          {!ready && !making && may && build.status === 'COMPLETED' && (
            <TextButton
              id={`envstore:make-${artifact.type}`}
              onClick={() => commands.execute(CommandIDs.makeArtifact, args)}
            >
              {artifact.state === 'failed' ? trans.__('Retry') : trans.__('Make now')}
            </TextButton>
          )}
        </span>
        <span className="jp-EnvStore-sub jp-EnvStore-purpose">{words.purpose}</span>
      </div>
      {ready && reach && (
        <div className="jp-EnvStore-reach" data-testid={`envstore:reach-${artifact.type}`}>
          <span className="jp-EnvStore-warningMark" aria-hidden="true">
            ⚠
          </span>{' '}
          {reach}
        </div>
      )}
      {artifact.state === 'failed' && <div className="jp-EnvStore-error">{artifact.reason}</div>}
      {ready && isImage && shown && <ImageAddress {...props} />}
      {ready && (
        <details className="jp-EnvStore-more">
          <summary>{trans.__('How to use it on the other side')}</summary>
          {uses.map(line => (
            <div key={line} className="jp-EnvStore-code">
              <code>{line}</code>
              <Link label={trans.__('Copy %1', line)} onClick={() => copy(line, trans.__('Copied'))}>
                {trans.__('Copy')}
              </Link>
            </div>
          ))}
          <div className="jp-EnvStore-code">
            <span className="jp-EnvStore-sub">{trans.__('SHA-256')}</span>
            <code className="jp-EnvStore-hash">{artifact.sha256}</code>
            <Link
              label={trans.__('Copy the SHA-256 of %1', title)}
              onClick={() => copy(artifact.sha256 ?? '', trans.__('Copied'))}
            >
              {trans.__('Copy')}
            </Link>
          </div>
          <div className="jp-EnvStore-sub">
            {trans.__('Made %1 in %2', moment(artifact.made_on), duration(artifact.duration))}
            {Object.entries(artifact.tools).map(([tool, version]) => ` · ${tool} ${version}`)}
          </div>
          <div className="jp-EnvStore-actions">
            <span className="jp-EnvStore-sub">{trans.__('Copy as code:')}</span>
            <Link
              id={`envstore:copy-python-${artifact.type}`}
              onClick={() => commands.execute(CommandIDs.copyCode, { ...args, language: 'python' })}
            >
              {trans.__('Python')}
            </Link>
            <Link
              id={`envstore:copy-shell-${artifact.type}`}
              onClick={() => commands.execute(CommandIDs.copyCode, { ...args, language: 'shell' })}
            >
              {trans.__('Shell')}
            </Link>
          </div>
        </details>
      )}
    </li>
  );
}
