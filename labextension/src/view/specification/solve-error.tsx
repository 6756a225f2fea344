import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';
import { firstWords, isChannelAway, SetMirror } from '../../components/channel-errors';
import { ErrorBox } from '../../components/error-box';
import type { IProps } from '../../components/props';
import { moment } from '../../presentation/formats';
import { EnvStoreError } from '../../store/errors';

const SHORT = 8;

/** Why a text could not be solved, and what can be done. */
export function SolveError(
  props: IProps & {
    error: Error;
    /** Look again, with the channels' indexes as they were read last. */
    takeLast: () => unknown;
    again: () => unknown;
    children?: React.ReactNode;
  }
): React.ReactElement {
  const { error, trans, again } = props;
  const rest = isChannelAway(error) ? [error.message] : error.message.split('\n').slice(1).filter(line => !/^no package /.test(line));
  const code = error instanceof EnvStoreError ? error.code : '';
  const conflict = isConflict(error);
  const words = conflict
    ? trans.__('These packages conflict')
    : code === 'solve_timeout'
      ? trans.__('The solver took too long. Limit more versions to make it faster, or start the build without waiting.')
      : firstWords(error, trans);
  return (
    <ErrorBox message={words}>
      {(conflict || rest.length > 0) && (
        <details open={!conflict && !isChannelAway(error) && rest.length < SHORT}>
          <summary>{trans.__('Full explanation')}</summary>
          <pre>{error.message}</pre>
        </details>
      )}
      {props.children}
      <LastIndex error={error} trans={trans} take={props.takeLast} />
      {isChannelAway(error) && <SetMirror {...props} />}
      <Link onClick={again}>{trans.__('Try again')}</Link>
    </ErrorBox>
  );
}

/** Whether the requested packages conflict; false if a package does not exist. */
export function isConflict(error: Error): boolean {
  return error instanceof EnvStoreError && error.code === 'unsatisfiable' && !/^no package/.test(error.message);
}

/** If a channel cannot be reached: when its index was last read, and a link that uses this index. */
function LastIndex(props: {
  error: Error;
  trans: TranslationBundle;
  take: () => unknown;
}): React.ReactElement | null {
  const { error, trans } = props;
  return error instanceof EnvStoreError && error.lastIndex ? (
    <>
      <span className="jp-EnvStore-sub">{trans.__('Last channel index: %1.', moment(error.lastIndex))}</span>
      <Link id="envstore:last-index" onClick={props.take}>
        {trans.__('Use it for the preview')}
      </Link>
    </>
  ) : null;
}
