import * as React from 'react';
import { ErrorBox } from '../../components/error-box';
import { NoteBox } from '../../components/note-box';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import { DateNote } from '../specification/date-note';
import { FileChoice } from '../specification/file-choice';
import { ImportChanges } from '../specification/import-changes';
import { needsImport } from '../specification/pasted-text';
import { Preview } from '../specification/preview';
import { faultsOf, fixed } from '../specification/specification-fixes';
import { SubmitError } from '../specification/submit-error';
import { usePreview } from '../specification/use-preview';
import { type IEditorHandle, YamlEditor } from '../specification/yaml-editor';
import { DraftNotices } from './draft-notices';
import { SpecificationToolbar } from './specification-toolbar';
import type { ITabProps } from './tab-props';
import { useSpecificationDraft } from './use-specification-draft';

/** The specification, changed with a preview of what would be installed, and built. */
export function SpecificationTab(props: ITabProps & { asked: IShow }): React.ReactElement {
  const { model, trans, item, build, place, show } = props;
  const may = item.permissions.includes('environment::update') || item.permissions.includes('environment:create');
  const editor = React.useRef<IEditorHandle>(null);
  const draft = useSpecificationDraft(props, editor);
  const { text, isChanged, imported, date } = draft;
  const { excludeNewer } = imported;
  useRequestedFocus(props.asked, 'editor', () => editor.current?.focus());
  const preview = usePreview({ ...props, text, enabled: may, excludeNewer, against: item.active ? item.current_build_id : null });
  const isLockfile = preview.checked?.is_lockfile ?? build.specification?.is_lockfile ?? false;
  const unchanged = !isChanged
    ? trans.__('Same as build %1. A new build installs the newest packages that fit.', build.number)
    : null;
  const faults = preview.checked?.faults ?? [];
  const isBlocked = faults.length > 0 || Boolean(preview.checked?.refused) || preview.isImpossible;
  const open = text === imported.text ? imported.open : null;
  const marked = React.useMemo(() => (open ? [] : [...faults, ...faultsOf(preview.error, text)]), [open, faults, preview.error, text]);

  const why = preview.isImpossible
    ? trans.__('The build would fail: see the preview')
    : isBlocked
      ? open ?? trans.__('Correct the marked lines first')
      : '';
  const make = async () => {
    if (isBlocked || !text.trim()) {
      editor.current?.goTo(faults[0]?.line ?? 1);
      return;
    }
    try {
      const made = await model.api.submit(text, place.namespace, place.name, undefined, excludeNewer);
      model.watch(made.build);
      show({ tab: 'artifacts', build: made.build, isNew: true });
      draft.discard();
      void model.refresh();
    } catch (reason) {
      draft.setError(reason as Error);
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
      <SpecificationToolbar
        {...props}
        draft={draft}
        may={may}
        isLockfile={isLockfile}
        isBlocked={isBlocked || !text.trim()}
        why={why}
        isUncertain={preview.error !== null && !preview.isImpossible}
        make={make}
      />
      {draft.error && <SubmitError {...props} error={draft.error} text={text} file={imported.handOver()} again={make} />}
      {imported.error && <ErrorBox message={imported.error} />}
      <DraftNotices {...props} draft={draft} />
      {may && (isChanged || (imported.dated && !isLockfile)) && <FileChoice imported={imported} text={text} trans={trans} />}
      {!may && date?.dated && (
        <NoteBox label={trans.__('Date of the packages')}>
          <DateNote dated={date.dated} source={date.of ?? ''} takesNewer={false} trans={trans} />
        </NoteBox>
      )}
      {isChanged && <ImportChanges imported={imported} text={text} trans={trans} onUndo={draft.undoImport} />}
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
          onChange={draft.change}
          onSubmit={() => void make()}
          onPaste={(pasted, whole) => {
            if (!whole || !needsImport(pasted, whole)) {
              return false;
            }
            void imported.take(pasted, trans.__('pasted text'));
            return true;
          }}
          onFix={(fault, meant) => draft.change(fixed(text, fault, meant))}
        />
        {may && (
          <Preview
            {...props}
            preview={preview}
            text={text}
            unchanged={unchanged}
            open={open}
            against={item.active && !build.active ? trans.__('Compared with the active build, %1:', item.current_build?.number ?? '') : null}
            goTo={line => editor.current?.goTo(line)}
            onText={next => {
              draft.change(next);
              editor.current?.focus();
            }}
          />
        )}
      </div>
    </div>
  );
}
