import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ProgressBar } from '../../components/progress-bar';
import { StatusMark } from '../../components/status-mark';
import { copy } from '../../lab/clipboard';
import { artifactWords, reachWords } from '../../presentation/artifacts';
import { duration, moment, size } from '../../presentation/formats';
import type { IMark } from '../../presentation/status';
import type { IArtifact, IProgress } from '../../store/types';
import { ImageAddress } from './image-address';
import type { ITabProps } from './tab-props';

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

interface IArtifactProps extends ITabProps {
  artifact: IArtifact;
  progress: IProgress | undefined;
}

/** One artifact: its state, and buttons that make it and hand it on. */
export function ArtifactRow(props: IArtifactProps): React.ReactElement {
  const { artifact, build, trans, commands, place, item } = props;
  const words = artifactWords(artifact.type, trans, artifact.title);
  const args = { ...place, build: build.id, type: artifact.type, variant: artifact.variant };
  const ready = artifact.state === 'ready';
  const may = item.permissions.includes('environment::update');
  const making = artifact.state === 'pending' || artifact.state === 'building';
  const isImage = artifact.type === 'docker';
  const [shown, setShown] = React.useState(false);
  const reach = reachWords(artifact, trans);
  const title = artifact.variant ? `${words.title} (${artifact.variant})` : words.title;
  return (
    <li className="jp-EnvStore-artifact" data-type={artifact.type} data-state={artifact.state}>
      <div className="jp-EnvStore-artifactLine">
        <StatusMark mark={artifactMark(artifact, trans)} />
        <span className="jp-EnvStore-artifactTitle">{title}</span>
        <span className="jp-EnvStore-number">{ready ? size(artifact.size) : ''}</span>
        <span className="jp-EnvStore-actions">
          {ready && isImage && (
            <TextButton id="envstore:show-docker" onClick={() => setShown(!shown)}>
              {shown ? trans.__('Hide Docker image') : words.show}
            </TextButton>
          )}
          {ready && <ReadyButtons {...props} />}
          {making && <MakingProgress {...props} title={title} />}
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
      {ready && <ArtifactDetails {...props} title={title} />}
    </li>
  );
}

/** Buttons that show, copy and download an artifact that is ready. */
function ReadyButtons(props: IArtifactProps): React.ReactElement {
  const { artifact, build, trans, commands, place } = props;
  const words = artifactWords(artifact.type, trans);
  const args = { ...place, build: build.id, type: artifact.type, variant: artifact.variant };
  const isImage = artifact.type === 'docker';
  return (
    <>
      {words.show && !isImage && (
        <>
          <TextButton
            id={`envstore:show-${artifact.type}`}
            onClick={() => commands.execute(CommandIDs.showArtifact, args)}
          >
            {words.show} ↗
          </TextButton>
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
      <TextButton
        id={`envstore:download-${artifact.type}`}
        onClick={() => commands.execute(CommandIDs.download, args)}
      >
        {words.download ?? trans.__('Download')}
      </TextButton>
    </>
  );
}

/** How far an artifact is that is being made, and a button that stops it. */
function MakingProgress(props: IArtifactProps & { title: string }): React.ReactElement {
  const { artifact, build, trans, commands, item, title } = props;
  const step = props.progress?.steps
    .filter(found => found.name === `artifact-${artifact.type}` && found.state === 'running')
    .pop();
  const part = step && step.total > 0 ? Math.min(1, step.done / step.total) : null;
  return (
    <>
      <span className="jp-EnvStore-sub" role="status">
        {part === null ? trans.__('Being made…') : trans.__('Making… %1 %', Math.floor(part * 100))}
      </span>
      {part !== null && <ProgressBar part={part} label={title} words="" />}
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
  );
}

/** How an artifact is used on another machine, its hash, and how it was made. */
function ArtifactDetails(props: IArtifactProps & { title: string }): React.ReactElement {
  const { artifact, build, trans, commands, place, title } = props;
  const args = { ...place, build: build.id, type: artifact.type, variant: artifact.variant };
  const uses = artifactWords(artifact.type, trans).use(artifact.file_name, place.name, artifact.tools);
  return (
    <details className="jp-EnvStore-more">
      <summary>{trans.__('How to use it on another machine')}</summary>
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
  );
}
