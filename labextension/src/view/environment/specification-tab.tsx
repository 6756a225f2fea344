import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { NoteBox } from '../../components/note-box';
import { chooseFile } from '../../lab/file-chooser';
import type { IFileDraft } from '../shared/file-draft';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import { DateNote } from '../specification/date-note';
import { useDrafts } from '../specification/drafts';
import { FileChoice } from '../specification/file-choice';
import { ImportChanges } from '../specification/import-changes';
import { dateOf } from '../specification/imported-file';
import { withUnixLineEnds } from '../specification/line-ends';
import { needsImport } from '../specification/pasted-text';
import { GpuPicker, PlatformPicker } from '../specification/platform-pickers';
import { Preview } from '../specification/preview';
import { faultsOf, fixed } from '../specification/specification-fixes';
import { SubmitError } from '../specification/submit-error';
import { useImport } from '../specification/use-import';
import { usePreview } from '../specification/use-preview';
import { type IEditorHandle, YamlEditor } from '../specification/yaml-editor';
import { FormatPicker } from './format-picker';
import type { ITabProps } from './tab-props';

/** Milliseconds that the way back from a discarded draft is offered. */
const UNDO = 15_000;
const FILE_NAMES = { lock: 'conda-lock.yml', environment: 'environment.yml' };

/** The specification, changed with a preview of what would be installed, and built. */
export function SpecificationTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { model, trans, item, build, place, show } = props;
  const original = withUnixLineEnds(build.specification?.text ?? '');
  const may = item.permissions.includes('environment::update') || item.permissions.includes('environment:create');
  const drafts = useDrafts(item, build);
  const { draft } = drafts;
  const [error, setError] = React.useState<Error | null>(null);
  const editor = React.useRef<IEditorHandle>(null);
  const text = draft?.text ?? original;
  useRequestedFocus(props.asked, 'editor', () => editor.current?.focus());
  const date = dateOf(build, trans.__('build %1', build.number));
  const counting = (file = date) => (file && !file.takesNewer ? file.dated : null);
  /** Whether a text, with the date of the file that it came from, is not what the build was made of. */
  const differs = (next: string, file?: IFileDraft) => next !== original || counting(file) !== counting();
  const changed = draft !== null && differs(draft.text, draft.file);
  const change = (next: string) => {
    if (next === text) {
      return;
    }
    drafts.keep(differs(next, draft?.file) ? next : null, draft ? undefined : date);
    setError(null);
  };
  const taken = (found: { text: string }, _: string, again: boolean, kept: IFileDraft) => {
    drafts.keep(differs(found.text, kept) ? found.text : null, kept);
    setError(null);
    if (!again) {
      editor.current?.focus();
    }
  };
  const imported = useImport(model, trans, place, taken, kept =>
    drafts.keep(differs(text, kept) ? text : null, kept)
  );
  const { excludeNewer } = imported;
  const ofDraft = `${item.id} ${build.id} ${draft?.number ?? ''}`;
  const goOn = (begun: IFileDraft | undefined) => (begun ? void imported.restore(begun) : imported.forget());
  // with another draft comes another file; not as one types
  React.useEffect(() => {
    const begun = draft?.file ?? date;
    if (begun?.text !== imported.text || (begun.fileName || begun.of) !== imported.source) {
      goOn(begun);
    }
  }, [ofDraft]);
  const discard = () => {
    drafts.keep(null);
    setError(null);
    goOn(date);
  };
  const undone = (next: string) => drafts.keep(next === original ? null : next, null);
  /** Tell that what was typed is gone, with a way back. */
  const replaced = (words: string) => {
    const callback = drafts.snapshot();
    Notification.info(words, { autoClose: UNDO, actions: [{ label: trans.__('Undo'), callback }] });
  };
  const discardMine = () => {
    replaced(trans.__('The draft of %1 was discarded.', place.name));
    discard();
    editor.current?.focus();
  };
  const preview = usePreview({ ...props, text, enabled: may, excludeNewer, against: item.active ? item.current_build_id : null });
  const isLockfile = preview.checked?.is_lockfile ?? build.specification?.is_lockfile ?? false;
  const newest = item.newest_build ?? item.current_build;
  const newer = draft && item.newest_build_id !== null && draft.base !== item.newest_build_id;
  const unchanged = !changed
    ? trans.__('Same as build %1. Building again takes the newest packages that fit.', build.number)
    : null;
  const faults = preview.checked?.faults ?? [];
  const cannot = preview.isImpossible;
  const blocked = faults.length > 0 || Boolean(preview.checked?.refused) || cannot;
  const open = text === imported.text ? imported.open : null;
  const marked = React.useMemo(() => (open ? [] : [...faults, ...faultsOf(preview.error, text)]), [open, faults, preview.error, text]);

  const make = async () => {
    if (blocked || !text.trim()) {
      editor.current?.goTo(faults[0]?.line ?? 1);
      return;
    }
    try {
      const made = await model.api.submit(text, place.namespace, place.name, undefined, excludeNewer);
      model.watch(made.build);
      show({ tab: 'artifacts', build: made.build, isNew: true });
      discard();
      void model.refresh();
    } catch (reason) {
      setError(reason as Error);
    }
  };
  const onDrop = (event: React.DragEvent) => {
    const file = event.dataTransfer.files[0];
    if (file && may) {
      event.preventDefault();
      event.stopPropagation();
      void imported.readFile(file);
    }
  };
  return (
    <div className="jp-EnvStore-specification" onDrop={onDrop} onDragOver={event => event.preventDefault()}>
      <div className="jp-EnvStore-bar">
        <span className="jp-EnvStore-sub">
          {isLockfile ? FILE_NAMES.lock : FILE_NAMES.environment}
        </span>
        {may && (
          <TextButton
            id="envstore:import-here"
            onClick={async () => {
              const file = await chooseFile();
              if (file) {
                await imported.readFile(file);
              }
            }}
          >
            {trans.__('Import…')}
          </TextButton>
        )}
        {may && !isLockfile && (
          <>
            <PlatformPicker text={text} trans={trans} onText={change} />
            <GpuPicker text={text} trans={trans} onText={change} />
          </>
        )}
        {may && <FormatPicker {...props} original={original} text={text} onText={change} replaced={replaced} />}
        {!may && (
          <>
            <span className="jp-EnvStore-sub">{trans.__('You may use %1, not change it.', place.namespace)}</span>
            {props.commands.isEnabled(CommandIDs.clone, { ...place }) && (
              <Link id={CommandIDs.clone} onClick={() => props.commands.execute(CommandIDs.clone, { ...place })}>
                {trans.__('Clone it to change it…')}
              </Link>
            )}
          </>
        )}
        <span className="jp-EnvStore-sub" role="status">
          {changed &&
            (drafts.isStored
              ? trans.__('Not built yet: a draft is kept in this browser')
              : trans.__('Not built yet, and too large to be kept in this browser'))}
        </span>
        {may && (
          <div className="jp-EnvStore-actions jp-mod-end">
            {changed && (
              <TextButton id="envstore:discard-draft" onClick={discardMine}>
                {trans.__('Discard draft')}
              </TextButton>
            )}
            <TextButton
              primary
              id="envstore:create-build"
              needsServer
              disabled={blocked || !text.trim()}
              title={
                cannot
                  ? trans.__('It would fail: see the preview')
                  : blocked
                    ? open ?? trans.__('Some lines need attention first')
                    : trans.__('Ctrl+Enter')
              }
              onClick={make}
            >
              {preview.error && !preview.isImpossible ? trans.__('Build anyway…') : trans.__('Create new build')}
            </TextButton>
          </div>
        )}
      </div>
      {error && <SubmitError {...props} error={error} text={text} file={imported.handOver()} again={make} />}
      {imported.error && <ErrorBox message={imported.error} />}
      {drafts.others.map(([id, other]) => (
        <NoteBox key={id} row>
          <span>{trans.__('A draft that began with build %1 is kept in this browser.', other.number)}</span>
          <Link id="envstore:open-draft" onClick={() => drafts.open(id)}>
            {trans.__('Open it')}
          </Link>
        </NoteBox>
      ))}
      {newer && (
        <NoteBox row>
          <span>
            {newest?.created_by
              ? trans.__('%1 made build %2 while you edited build %3.', newest.created_by, newest.number, draft.number)
              : trans.__('Build %1 was made while you edited build %2.', newest?.number ?? '', draft.number)}
          </span>
          <Link onClick={() => show({ tab: 'builds', compare: [draft.base, item.newest_build_id!] })}>
            {trans.__('Compare')}
          </Link>
          <Link id="envstore:keep-mine" onClick={drafts.keepMine}>
            {trans.__('Keep mine')}
          </Link>
          <Link onClick={discardMine}>{trans.__('Discard my draft')}</Link>
        </NoteBox>
      )}
      {!newer && drafts.followedFrom !== null && (
        <NoteBox row>
          <span>{trans.__('Your draft began with build %1. Build %2 is active now.', drafts.followedFrom, build.number)}</span>
          <Link id="envstore:keep-mine" onClick={drafts.keepMine}>
            {trans.__('Keep mine')}
          </Link>
          <Link onClick={discardMine}>{trans.__('Discard my draft')}</Link>
        </NoteBox>
      )}
      {may && (changed || (imported.dated && !isLockfile)) && <FileChoice imported={imported} text={text} trans={trans} />}
      {!may && date?.dated && (
        <NoteBox label={trans.__('Date of the packages')}>
          <DateNote dated={date.dated} source={date.of ?? ''} takesNewer={false} trans={trans} />
        </NoteBox>
      )}
      {changed && <ImportChanges imported={imported} text={text} trans={trans} onUndo={undone} />}
      <div className="jp-EnvStore-split">
        <YamlEditor
          ref={editor}
          editors={props.editors}
          text={text}
          of={build.id}
          label={trans.__('Specification of %1', place.name)}
          faults={marked}
          readOnly={!may}
          completer={props.completer}
          onChange={change}
          onSubmit={() => void make()}
          onPaste={(pasted, whole) => {
            if (!whole || !needsImport(pasted, whole)) {
              return false;
            }
            void imported.take(pasted, trans.__('pasted text'));
            return true;
          }}
          onFix={(fault, meant) => change(fixed(text, fault, meant))}
        />
        {may && (
          <Preview
            {...props}
            preview={preview}
            text={text}
            unchanged={unchanged}
            open={open}
            against={item.active && !build.active ? trans.__('Against the active build, %1:', item.current_build?.number ?? '') : null}
            goTo={line => editor.current?.goTo(line)}
            onText={next => {
              change(next);
              editor.current?.focus();
            }}
          />
        )}
      </div>
    </div>
  );
}
