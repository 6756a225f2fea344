import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ReadFileButton } from '../specification/file-input';
import { GpuPicker, PlatformPicker } from '../specification/platform-pickers';
import { FormatPicker } from './format-picker';
import type { ITabProps } from './tab-props';
import type { ISpecificationDraft } from './use-specification-draft';

const FILE_NAMES = { lock: 'conda-lock.yml', environment: 'environment.yml' };

interface IToolbarProps extends ITabProps {
  draft: ISpecificationDraft;
  /** Whether the user may change it, or make environments of it. */
  may: boolean;
  isLockfile: boolean;
  isBlocked: boolean;
  /** Why it cannot be built; empty where it can. */
  why: string;
  /** Whether the preview failed for a reason that a build may not have. */
  isUncertain: boolean;
  make: () => Promise<void>;
}

/** What stands above the editor: pickers, whether a draft is kept, and buttons that build or discard it. */
export function SpecificationToolbar(props: IToolbarProps): React.ReactElement {
  const { trans, draft, may, isLockfile } = props;
  const { text, isChanged } = draft;
  return (
    <div className="jp-EnvStore-bar">
      <span className="jp-EnvStore-sub">
        {isLockfile ? FILE_NAMES.lock : FILE_NAMES.environment}
      </span>
      {may && (
        <ReadFileButton id="envstore:import-here" imported={draft.imported}>
          {trans.__('Import…')}
        </ReadFileButton>
      )}
      {may && !isLockfile && (
        <>
          <PlatformPicker text={text} trans={trans} onText={draft.change} />
          <GpuPicker text={text} trans={trans} onText={draft.change} />
        </>
      )}
      {may && <FormatPicker {...props} original={draft.original} text={text} onText={draft.change} replaced={draft.tellReplaced} />}
      {!may && <ReadOnlyNote {...props} />}
      <span className="jp-EnvStore-sub" role="status">
        {isChanged &&
          (draft.drafts.isStored
            ? trans.__('Not built yet: a draft is kept in this browser')
            : trans.__('Not built yet, and too large to be kept in this browser'))}
      </span>
      {may && <BuildButtons {...props} />}
    </div>
  );
}

/** That the specification can only be read, and a way to change a copy of it. */
function ReadOnlyNote({ trans, place, commands }: IToolbarProps): React.ReactElement {
  return (
    <>
      <span className="jp-EnvStore-sub">{trans.__('You can use %1, but not change it.', place.namespace)}</span>
      {commands.isEnabled(CommandIDs.clone, { ...place }) && (
        <Link id={CommandIDs.clone} onClick={() => commands.execute(CommandIDs.clone, { ...place })}>
          {trans.__('Clone it to change it…')}
        </Link>
      )}
    </>
  );
}

/** Buttons that discard the draft, or build it. */
function BuildButtons(props: IToolbarProps): React.ReactElement {
  const { trans, draft } = props;
  return (
    <div className="jp-EnvStore-actions jp-mod-end">
      {draft.isChanged && (
        <TextButton id="envstore:discard-draft" onClick={draft.discardWithUndo}>
          {trans.__('Discard draft')}
        </TextButton>
      )}
      <TextButton
        primary
        id="envstore:create-build"
        needsServer
        disabled={props.isBlocked}
        title={props.why || trans.__('Ctrl+Enter')}
        onClick={props.make}
      >
        {props.isUncertain ? trans.__('Build anyway…') : trans.__('Create new build')}
      </TextButton>
    </div>
  );
}
