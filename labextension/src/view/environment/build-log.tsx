import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useLoaded, useStale } from '../../components/hooks';
import { copy } from '../../lab/clipboard';
import { type ArtifactTitles, stepTitle } from '../../presentation/build-steps';
import { duration } from '../../presentation/formats';
import { isUnfinished } from '../../store/accessors';
import type { IProgress } from '../../store/types';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import { StepList } from './step-list';
import type { ITabProps } from './tab-props';
import { useLogLines } from './use-log-lines';

const WINDOW = 2000;
const NEAR = 40;

interface IBuildLogProps extends ITabProps {
  asked: IShow;
  titles: ArtifactTitles;
}

/** The log of a build: steps that fold, live while it runs, the error on top where it failed. */
export function BuildLog(props: IBuildLogProps): React.ReactElement {
  const { model, build, trans, titles } = props;
  const whole = React.useRef<HTMLElement>(null);
  useRequestedFocus(props.asked, 'log', () => whole.current?.focus());
  const steps = useLoaded(() => model.api.progress(build.id), [build.id, build.status], `progress:${build.id}`);
  useStale(model, build.id, steps.reload);
  const live = model.progress(build.id) ?? steps.value;
  const busy = isUnfinished(build.status) || Boolean(steps.value?.busy);
  const { lines, error } = useLogLines(model, build, busy);
  const log = useFollowed(lines);
  return (
    <section ref={whole} className="jp-EnvStore-log" aria-label={trans.__('Log')} tabIndex={-1}>
      <LogActions {...props} lines={lines} log={log} />
      {(build.status === 'FAILED' || build.status === 'CANCELED') && <EndBox {...props} progress={live} />}
      <StepList progress={live} trans={trans} lines={lines} titles={titles} canceled={build.status === 'CANCELED'} />
      {error && !busy && lines.length === 0 && (
        <p className="jp-EnvStore-error">{trans.__('The log cannot be loaded now: %1', error.message)}</p>
      )}
      {error && busy && <p className="jp-EnvStore-error">{trans.__('The connection to the log was lost. It continues in a moment.')}</p>}
      <details open={isUnfinished(build.status)}>
        <summary>{trans._n('The whole log, %1 line', 'The whole log, %1 lines', lines.length)}</summary>
        <LogLines lines={lines} log={log} trans={trans} />
      </details>
      {!log.follow && lines.length > log.seen && (
        <Link onClick={() => log.setFollow(true)}>
          {trans._n('↓ %1 new line', '↓ %1 new lines', lines.length - log.seen)}
        </Link>
      )}
    </section>
  );
}

/** Whether the end of a log is followed as it grows. */
interface IFollowed {
  follow: boolean;
  setFollow: (follow: boolean) => void;
  /** How many lines there were when its end was shown last. */
  seen: number;
  /** The box that scrolls. */
  box: React.RefObject<HTMLDivElement>;
  onScroll: () => void;
}

/** Scroll to the end of a log as it grows, until the user scrolls away from it. */
function useFollowed(lines: readonly string[]): IFollowed {
  const [follow, setFollow] = React.useState(true);
  const [seen, setSeen] = React.useState(0);
  const box = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    const node = box.current;
    if (node && follow) {
      node.scrollTop = node.scrollHeight;
      setSeen(lines.length);
    }
  }, [lines, follow]);
  const onScroll = () => {
    const node = box.current;
    if (node) {
      setFollow(node.scrollHeight - node.scrollTop - node.clientHeight < NEAR);
    }
  };
  return { follow, setFollow, seen, box, onScroll };
}

/** What can be done with a log, and with the build while it runs. */
function LogActions(props: ITabProps & { lines: readonly string[]; log: IFollowed }): React.ReactElement {
  const { model, build, trans, commands, item, lines, log } = props;
  return (
    <div className="jp-EnvStore-bar">
      <h3>{trans.__('Log')}</h3>
      <label className="jp-EnvStore-check">
        <input type="checkbox" checked={log.follow} onChange={event => log.setFollow(event.target.checked)} />
        {trans.__('Follow')}
      </label>
      <Link onClick={() => copy(lines.join('\n') + '\n', trans.__('Copied'))}>{trans.__('Copy')}</Link>
      <Link onClick={() => window.open(model.api.url(`build/${build.id}/logs/`), '_blank', 'noopener')}>
        {trans.__('Open in new tab ↗')}
      </Link>
      <a className="jp-EnvStore-link" href={model.api.url(`build/${build.id}/logs/?download=1`)} download>
        {trans.__('Download')}
      </a>
      {isUnfinished(build.status) && item.permissions.includes('build::cancel') && (
        <TextButton id={CommandIDs.cancel} onClick={() => commands.execute(CommandIDs.cancel, { build: build.id })}>
          {trans.__('Cancel build')}
        </TextButton>
      )}
    </div>
  );
}

/** The last lines of a log, and earlier ones if they are asked for. */
function LogLines(props: { lines: readonly string[]; log: IFollowed; trans: ITabProps['trans'] }): React.ReactElement {
  const { lines, log, trans } = props;
  const [earlier, setEarlier] = React.useState(0);
  const shown = lines.slice(-(WINDOW + earlier)); // some thousand more at a time: all at once would stop the page
  const hidden = lines.length - shown.length;
  return (
    <div
      ref={log.box}
      role="log"
      aria-live="off"
      aria-label={trans.__('Lines of the log')}
      tabIndex={0}
      className="jp-EnvStore-logLines"
      onScroll={log.onScroll}
    >
      {hidden > 0 && (
        <Link id="envstore:earlier-lines" onClick={() => setEarlier(earlier + WINDOW)}>
          {hidden > WINDOW
            ? trans.__('Show %1 of %2 earlier lines', WINDOW, hidden)
            : trans._n('Show %1 earlier line', 'Show %1 earlier lines', hidden)}
        </Link>
      )}
      {shown.map((line, place) => (
        <div key={hidden + place}>{line}</div>
      ))}
    </div>
  );
}

/** That a build failed or was canceled, and the ways on. */
function EndBox(props: IBuildLogProps & { progress: IProgress | undefined }): React.ReactElement {
  const { build, trans, commands, place, item, progress, titles } = props;
  const args = { ...place, build: build.id };
  return (
    <ErrorBox
      calm={build.status === 'CANCELED'}
      message={build.status === 'FAILED' ? failure(progress, build.status_info, trans, titles) : trans.__('This build was canceled.')}
    >
      {item.permissions.includes('environment::update') && (
        <>
          <TextButton
            id="envstore:retry"
            onClick={async () => {
              const made = await commands.execute(CommandIDs.rebuild, args);
              if (made) {
                props.show({ tab: 'artifacts', build: Number(made) });
              }
            }}
          >
            {build.status === 'FAILED' ? trans.__('Retry') : trans.__('Build again')}
          </TextButton>
          <TextButton onClick={() => props.show({ tab: 'specification', build: build.id })}>
            {trans.__('Edit')}
          </TextButton>
        </>
      )}
    </ErrorBox>
  );
}

function failure(
  progress: IProgress | undefined,
  reason: string | null,
  trans: ITabProps['trans'],
  titles: ArtifactTitles
): string {
  const step = progress?.steps.filter(item => item.state === 'failed').pop();
  const where = step
    ? trans.__('Failed in “%1” after %2', stepTitle(step, trans, titles), duration(step.duration))
    : trans.__('Failed');
  return reason ? `${where}: ${reason}` : where;
}
