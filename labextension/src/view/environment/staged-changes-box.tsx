import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { IconButton, Link, TextButton } from '../../components/buttons';
import { NoteBox } from '../../components/note-box';
import type { IContent } from '../../store/types';
import { PackageChanges } from '../specification/package-changes';
import { IndexFrom } from '../specification/preview';
import { SolveError } from '../specification/solve-error';
import { stagedWords } from './staged-changes';
import type { ITabProps } from './tab-props';
import type { IPackageChanges, IStagedProps } from './use-package-changes';

/** The changes that are staged, with buttons to preview, build or discard them. */
export function StagedChangesBox(
  props: ITabProps &
    IStagedProps & {
      changes: IPackageChanges;
      /** All packages of the build: what a change starts from. */
      contents: readonly IContent[];
      /** Told when all changes were discarded: the focus needs another place. */
      onDiscarded: () => void;
    }
): React.ReactElement {
  const { trans, build, show, staged, setStaged, changes, contents } = props;
  const { preview } = changes;
  return (
    <div className="jp-EnvStore-staged" role="region" aria-label={trans.__('Changes')}>
      <div className="jp-EnvStore-stagedLine">
        <b>{trans._n('%1 change', '%1 changes', changes.count)}</b>
        {staged.add.map(spec => (
          <span key={spec} className="jp-EnvStore-chip">
            {stagedWords(spec, contents)}
            <IconButton
              icon={closeIcon}
              label={trans.__('Take back %1', spec)}
              onClick={() => changes.takeBack(spec)}
            />
          </span>
        ))}
        {staged.remove.map(spec => (
          <span key={spec} className="jp-EnvStore-chip">
            − {spec}
            <IconButton
              icon={closeIcon}
              label={trans.__('Take back removing %1', spec)}
              onClick={() => changes.takeBack(spec)}
            />
          </span>
        ))}
        {changes.liftsDate && (
          <span className="jp-EnvStore-chip">
            {trans.__('newer than %1', build.exclude_newer ?? '')}
            <IconButton icon={closeIcon} label={trans.__('Leave out newer packages')} onClick={() => changes.takeNewer(false)} />
          </span>
        )}
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
      {staged.begun && staged.begun.id !== build.id && (
        <NoteBox row>
          <span>
            {trans.__('These changes were started on build %1. They will be applied to build %2.', staged.begun.number, build.number)}
          </span>
          <Link onClick={() => show({ tab: 'builds', compare: [staged.begun!.id, build.id] })}>
            {trans.__('Compare')}
          </Link>
          <Link
            id="envstore:staged-seen"
            onClick={() => setStaged(old => ({ ...old, begun: { id: build.id, number: build.number } }))}
          >
            {trans.__('OK')}
          </Link>
        </NoteBox>
      )}
      {preview?.error && (
        <SolveError {...props} error={preview.error} takeLast={() => changes.look(true)} again={() => changes.look()} />
      )}
      {preview?.solved && <IndexFrom solved={preview.solved} trans={trans} />}
      {preview?.solved?.changes && <PackageChanges changes={preview.solved.changes} trans={trans} />}
    </div>
  );
}
