import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { NoteBox } from '../../components/note-box';
import { StatusMark } from '../../components/status-mark';
import { moment } from '../../presentation/formats';
import { builtOn } from '../../presentation/status';
import { isUnfinished } from '../../store/accessors';
import type { IBuild, IEnvironment } from '../../store/types';
import type { IShow } from '../shared/view-types';
import type { IViewProps } from './tab-props';
import type { IShownBuild } from './use-shown-build';

interface INoticeProps extends IViewProps {
  item: IEnvironment;
  shown: IShownBuild;
  show: (what: IShow) => void;
}

/** What is to know of the build that is shown: another one was deleted, or it is not the active one. */
export function BuildNotices(props: INoticeProps): React.ReactElement {
  const { trans, item, shown, show } = props;
  const { build, isThere, isGone, lost } = shown;
  return (
    <>
      {lost !== null && isThere && (
        <NoteBox row>
          <span>{trans.__('Build %1 was deleted. This is build %2.', lost, build?.number ?? '')}</span>
          <Link onClick={() => show({ tab: 'builds' })}>{trans.__('Show builds')}</Link>
          <Link onClick={shown.forgetLost}>{trans.__('OK')}</Link>
        </NoteBox>
      )}
      {build && isThere && item.active && !build.active && !isGone && !isUnfinished(build.status) && (
        <OtherBuildNotice {...props} build={build} />
      )}
    </>
  );
}

/** That the build that is shown is not the active one, and what can be done with it. */
function OtherBuildNotice(props: INoticeProps & { build: IBuild }): React.ReactElement {
  const { trans, commands, place, item, build, show } = props;
  const { choose } = props.shown;
  const current = item.current_build_id;
  return (
    <NoteBox row>
      <span>
        {trans.__('You are looking at build %1 from %2.', build.number, moment(builtOn(build)))}
      </span>
      {build.status === 'COMPLETED' && item.permissions.includes('environment::update') && (
        <TextButton
          needsServer
          id={CommandIDs.makeActive}
          onClick={() => commands.execute(CommandIDs.makeActive, { ...place, build: build.id })}
        >
          {trans.__('Make active')}
        </TextButton>
      )}
      {build.status === 'COMPLETED' && current && (
        <TextButton onClick={() => show({ tab: 'builds', compare: [build.id, current] })}>
          {trans.__('Compare with active')}
        </TextButton>
      )}
      {build.specification && (
        <TextButton onClick={() => show({ tab: 'specification', build: build.id })}>
          {trans.__('Edit as new build')}
        </TextButton>
      )}
      <TextButton onClick={() => choose(null)}>
        {trans.__('Back to %1', item.current_build?.number ?? '')}
      </TextButton>
    </NoteBox>
  );
}

/** That the build that is wanted is not there yet, or cannot be loaded. */
export function LoadingNotices({ shown, trans }: Pick<INoticeProps, 'shown' | 'trans'>): React.ReactElement {
  const { detail, isLoaded, isMaking } = shown;
  return (
    <>
      {detail.error && !isLoaded && (
        <ErrorBox message={isMaking ? trans.__('The new build was created, but it cannot be shown now: %1', detail.error.message) : trans.__('Another build cannot be shown now: %1', detail.error.message)}>
          <TextButton onClick={detail.reload}>{trans.__('Try again')}</TextButton>
        </ErrorBox>
      )}
      {isMaking && !detail.error && (
        <p role="status">
          <StatusMark mark={{ shape: '◌', kind: 'queued', words: trans.__('Queued') }} /> {trans.__('The new build is queued.')}
        </p>
      )}
    </>
  );
}
