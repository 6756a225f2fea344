import * as React from 'react';
import { Link, TextButton } from '../../components/buttons';
import { Chip } from '../../components/chip';
import { NoteBox } from '../../components/note-box';
import type { IContent } from '../../store/types';
import { PackageChanges } from '../specification/package-changes';
import { IndexFrom } from '../specification/preview';
import { SolveError } from '../specification/solve-error';
import { stagedWords } from './staged-changes';
import type { ITabProps } from './tab-props';
import type { IPackageChanges, IStagedProps } from './use-package-changes';

interface IStagedBoxProps extends ITabProps, IStagedProps {
  changes: IPackageChanges;
  /** All packages of the build: what a change starts from. */
  contents: readonly IContent[];
}

/** The changes that are staged, with buttons to preview, build or discard them. */
export function StagedChangesBox(
  props: IStagedBoxProps & {
    /** Told when all changes were discarded: the focus needs another place. */
    onDiscarded: () => void;
  }
): React.ReactElement {
  const { trans, changes } = props;
  const { preview } = changes;
  return (
    <div className="jp-EnvStore-staged" role="region" aria-label={trans.__('Changes')}>
      <div className="jp-EnvStore-stagedLine">
        <b>{trans._n('%1 change', '%1 changes', changes.count)}</b>
        <StagedChips {...props} />
        <span className="jp-EnvStore-actions">
          <TextButton
            id="envstore:discard-changes"
            onClick={() => {
              changes.discard();
              props.onDiscarded(); // the button is gone
            }}
          >
            {trans.__('Discard')}
          </TextButton>
          <TextButton id="envstore:preview-changes" needsServer onClick={() => changes.look()}>
            {trans.__('Preview')}
          </TextButton>
          <TextButton primary id="envstore:build-changes" needsServer onClick={changes.make}>
            {trans.__('Build')}
          </TextButton>
        </span>
      </div>
      <StartedOnOther {...props} />
      {preview?.error && (
        <SolveError {...props} error={preview.error} takeLast={() => changes.look(true)} again={() => changes.look()} />
      )}
      {preview?.solved && <IndexFrom solved={preview.solved} trans={trans} />}
      {preview?.solved?.changes && <PackageChanges changes={preview.solved.changes} trans={trans} />}
    </div>
  );
}

/** One chip for each change, which takes it back. */
function StagedChips(props: IStagedBoxProps): React.ReactElement {
  const { trans, build, staged, changes, contents } = props;
  return (
    <>
      {staged.add.map(spec => (
        <Chip key={spec} label={trans.__('Take back %1', spec)} onRemove={() => changes.takeBack(spec)}>
          {stagedWords(spec, contents)}
        </Chip>
      ))}
      {staged.remove.map(spec => (
        <Chip key={spec} label={trans.__('Take back removing %1', spec)} onRemove={() => changes.takeBack(spec)}>
          − {spec}
        </Chip>
      ))}
      {changes.liftsDate && (
        <Chip label={trans.__('Leave out newer packages')} onRemove={() => changes.takeNewer(false)}>
          {trans.__('newer than %1', build.exclude_newer ?? '')}
        </Chip>
      )}
    </>
  );
}

/** That the changes were started on another build than the one they will be applied to. */
function StartedOnOther(props: ITabProps & IStagedProps): React.ReactElement | null {
  const { trans, build, show, staged, setStaged } = props;
  const { begun } = staged;
  if (!begun || begun.id === build.id) {
    return null;
  }
  return (
    <NoteBox row>
      <span>
        {trans.__('These changes were started on build %1. They will be applied to build %2.', begun.number, build.number)}
      </span>
      <Link onClick={() => show({ tab: 'builds', compare: [begun.id, build.id] })}>
        {trans.__('Compare')}
      </Link>
      <Link
        id="envstore:staged-seen"
        onClick={() => setStaged(old => ({ ...old, begun: { id: build.id, number: build.number } }))}
      >
        {trans.__('OK')}
      </Link>
    </NoteBox>
  );
}
