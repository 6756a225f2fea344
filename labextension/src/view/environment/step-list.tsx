import * as React from 'react';
import { ProgressBar } from '../../components/progress-bar';
import { type ArtifactTitles, linesBySteps, stepKey, stepTitle } from '../../presentation/build-steps';
import { duration, moment, size } from '../../presentation/formats';
import type { IProgress, IStep } from '../../store/types';
import type { ITabProps } from './tab-props';

const MOST = 500;

/** The steps of a build, each with its state, duration and progress; each opens to its lines. */
export function StepList(props: {
  progress: IProgress | undefined;
  trans: ITabProps['trans'];
  lines: string[];
  titles: ArtifactTitles;
  canceled: boolean;
}): React.ReactElement | null {
  const { progress, trans, lines, titles, canceled } = props;
  const sections = React.useMemo(() => linesBySteps(lines, titles), [lines, titles]);
  if (!progress?.steps.length) {
    return progress?.status === 'QUEUED' ? <p className="jp-EnvStore-sub">{trans.__('Queued')}</p> : null;
  }
  const running = progress.steps.filter(step => step.state === 'running').pop();
  return (
    <div>
      <div className="jp-EnvStore-hidden" aria-live="polite">
        {running ? stepTitle(running, trans, titles) : ''}
      </div>
      <ol className="jp-EnvStore-steps" aria-label={trans.__('Steps')}>
        {progress.steps.map((step, place) => {
          const same = progress.steps.filter(other => other.name === step.name);
          const lines = sections.get(stepKey(step.name, same.indexOf(step) + 1)) ?? [];
          const isOver = step !== same[same.length - 1]; // it was begun again, and that is what counts
          const isStopped = step.message === 'canceled' || (canceled && step.state === 'failed');
          return (
            <StepRow
              key={place}
              step={step}
              title={stepTitle(step, trans, titles)}
              trans={trans}
              lines={lines}
              canceled={isStopped}
              folded={isOver || isStopped}
            />
          );
        })}
      </ol>
    </div>
  );
}

interface IStepRowProps {
  step: IStep;
  title: string;
  trans: ITabProps['trans'];
  lines: string[];
  canceled: boolean;
  folded: boolean;
}

function StepRow(props: IStepRowProps): React.ReactElement {
  const { step, title, trans, lines, canceled, folded } = props;
  const shapes = { running: '◐', done: '✓', failed: canceled ? '⊘' : '✖' } as const;
  const kinds = { running: 'building', done: 'ready', failed: canceled ? 'canceled' : 'failed' } as const;
  const words = {
    running: trans.__('running'),
    done: trans.__('done'),
    failed: canceled ? trans.__('canceled') : trans.__('failed')
  };
  const part = step.total > 0 ? Math.min(1, step.done / step.total) : null;
  const done = step.state === 'done';
  const count = (value: number) => (step.unit === 'bytes' ? size(value) : String(value));
  const unit = step.unit === 'bytes' ? '' : ` ${step.total === 1 ? step.unit.replace(/s$/, '') : step.unit}`;
  const amount = step.total > 0 ? `${done ? '' : `${count(step.done)} / `}${count(step.total)}${unit}` : '';
  return (
    <li data-state={step.state}>
      <details open={step.state !== 'done' && !folded}>
        <summary>
          <span className="jp-EnvStore-mark" data-kind={kinds[step.state]} role="img" aria-label={words[step.state]}>
            {shapes[step.state]}
          </span>
          <span className="jp-EnvStore-stepTitle">
            {title}
            {step.attempt > 1 && <span className="jp-EnvStore-badge">{trans.__('tried again')}</span>}
          </span>
          <span className="jp-EnvStore-number" title={trans.__('Began at %1', moment(step.started_on))}>
            {duration(step.duration)}
          </span>
          <span>
            {step.state === 'running' && part !== null && <ProgressBar part={part} label={title} words={amount} />}
          </span>
          <span className="jp-EnvStore-sub">
            {amount} {step.state === 'running' ? step.message : ''}
          </span>
        </summary>
        {lines.length > 0 && <pre className="jp-EnvStore-stepLines">{lines.slice(-MOST).join('\n')}</pre>}
      </details>
    </li>
  );
}
