import * as React from 'react';
import { ErrorBox } from '../../components/error-box';
import { NoteBox } from '../../components/note-box';
import { useRequestedFocus } from '../shared/requested-focus';
import type { IShow } from '../shared/view-types';
import { DateNote } from '../specification/date-note';
import { EditorWithPreview } from '../specification/editor-with-preview';
import { FileChoice } from '../specification/file-choice';
import { readDropped } from '../specification/file-input';
import { ImportChanges } from '../specification/import-changes';
import { SubmitError } from '../specification/submit-error';
import { type ITextVerdict, useTextVerdict } from '../specification/text-verdict';
import { type IPreview, usePreview } from '../specification/use-preview';
import type { IEditorHandle } from '../specification/yaml-editor';
import { DraftNotices } from './draft-notices';
import { useAskAboutPackages } from './left-in-packages';
import { SpecificationToolbar } from './specification-toolbar';
import type { ITabProps } from './tab-props';
import type { IStagedProps } from './use-package-changes';
import { type ISpecificationDraft, useSpecificationDraft } from './use-specification-draft';

/** The specification, changed with a preview of what would be installed, and built. */
export function SpecificationTab(props: ITabProps & IStagedProps & { asked: IShow }): React.ReactElement {
  const { trans, item, build, place } = props;
  const may = item.permissions.includes('environment::update') || item.permissions.includes('environment:create');
  const editor = React.useRef<IEditorHandle>(null);
  const draft = useSpecificationDraft(props, editor);
  const askAboutPackages = useAskAboutPackages(props);
  const { text, isChanged, imported } = draft;
  const { excludeNewer } = imported;
  useRequestedFocus(props.asked, 'editor', () => editor.current?.focus());
  const preview = usePreview({ ...props, text, enabled: may, excludeNewer, against: item.active ? item.current_build_id : null });
  const isLockfile = preview.checked?.is_lockfile ?? build.specification?.is_lockfile ?? false;
  const unchanged = !isChanged
    ? trans.__('Same as build %1. A new build installs the newest packages that fit.', build.number)
    : null;
  const verdict = useTextVerdict(text, preview, imported);
  const isBlocked = verdict.isBlocked || !text.trim();
  const make = async () => {
    if (isBlocked) {
      editor.current?.goTo(verdict.faults[0]?.line ?? 1);
    } else if (await askAboutPackages()) {
      await buildDraft(props, draft);
    }
  };
  const onDrop = (event: React.DragEvent) => may && readDropped(event, imported);
  return (
    <div className="jp-EnvStore-specification" onDrop={onDrop} onDragOver={event => event.preventDefault()}>
      <SpecificationToolbar
        {...props}
        draft={draft}
        may={may}
        isLockfile={isLockfile}
        isBlocked={isBlocked}
        why={whyBlocked(verdict, preview, trans)}
        isUncertain={preview.error !== null && !preview.isImpossible}
        make={make}
      />
      {draft.error && <SubmitError {...props} error={draft.error} text={text} file={imported.handOver()} again={make} />}
      {imported.error && <ErrorBox message={imported.error} />}
      <DraftNotices {...props} draft={draft} />
      <FileNotices {...props} draft={draft} may={may} isLockfile={isLockfile} />
      <EditorWithPreview
        {...props}
        {...{ editor, text, verdict, preview, imported, unchanged }}
        label={trans.__('Specification of %1', place.name)}
        of={build.id}
        readOnly={!may}
        isReplaced={whole => whole}
        onText={draft.change}
        onProposed={next => {
          draft.change(next);
          editor.current?.focus();
        }}
        onSubmit={make}
        against={item.active && !build.active ? trans.__('Compared with the active build, %1:', item.current_build?.number ?? '') : null}
      />
    </div>
  );
}

/** Return why a text cannot be built; empty where it can. */
function whyBlocked(verdict: ITextVerdict, preview: IPreview, trans: ITabProps['trans']): string {
  if (preview.isImpossible) {
    return trans.__('The build would fail: see the preview');
  }
  return verdict.isBlocked ? verdict.open ?? trans.__('Correct the marked lines first') : '';
}

/** Build the text of a draft, and turn to that build; the draft is kept if it is refused. */
async function buildDraft({ model, place, show }: ITabProps, draft: ISpecificationDraft): Promise<void> {
  const { text, imported } = draft;
  try {
    const made = await model.api.submit(text, place.namespace, place.name, undefined, imported.excludeNewer);
    model.watch(made.build);
    show({ tab: 'artifacts', build: made.build, isNew: true });
    draft.discard();
    void model.refresh();
  } catch (reason) {
    draft.setError(reason as Error);
  }
}

/** What is used of the file that the text came from, and what was changed in it; without a file, the build's date. */
function FileNotices(
  props: ITabProps & { draft: ISpecificationDraft; may: boolean; isLockfile: boolean }
): React.ReactElement {
  const { trans, draft, may, isLockfile } = props;
  const { text, isChanged, imported, date } = draft;
  return (
    <>
      {may && (isChanged || (imported.dated && !isLockfile)) && <FileChoice imported={imported} text={text} trans={trans} />}
      {!may && date?.dated && (
        <NoteBox label={trans.__('Date of the packages')}>
          <DateNote dated={date.dated} source={date.of ?? ''} takesNewer={false} trans={trans} />
        </NoteBox>
      )}
      {isChanged && <ImportChanges imported={imported} text={text} trans={trans} onUndo={draft.undoImport} />}
    </>
  );
}
