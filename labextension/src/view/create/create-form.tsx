import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { ConnectionNotice } from '../../components/connection-notice';
import { ErrorBox } from '../../components/error-box';
import { useModel } from '../../components/hooks';
import { EditorWithPreview } from '../specification/editor-with-preview';
import { FileChoice } from '../specification/file-choice';
import { readDropped } from '../specification/file-input';
import { ImportChanges } from '../specification/import-changes';
import { SubmitError } from '../specification/submit-error';
import { type ITextVerdict, useTextVerdict } from '../specification/text-verdict';
import type { IEditorHandle } from '../specification/yaml-editor';
import type { ICreateProps, ICreateWidget } from './create-props';
import { NameFields } from './name-fields';
import { BASE } from './new-environment-fields';
import { type INameVerdict, nameVerdict } from './new-environment-name';
import { StartingPoint } from './starting-point';
import { type INewEnvironment, useNewEnvironment } from './use-new-environment';

interface IFormProps extends ICreateProps {
  widget: ICreateWidget;
  close: () => void;
}

/** Name, text and preview of an environment that is not there yet. */
export function CreateForm(props: IFormProps): React.ReactElement {
  const { model, trans } = props;
  useModel(model);
  const nameField = React.useRef<HTMLInputElement>(null);
  const editor = React.useRef<IEditorHandle>(null);
  const draft = useNewEnvironment(props, nameField, editor);
  const { text, setText, imported, preview } = draft;
  const verdict = useTextVerdict(text, preview, imported);
  const naming = nameVerdict(model, draft.target, draft.name.trim());
  const blocked = needsName(naming) || !draft.target || verdict.isBlocked;
  const make = async () => {
    if (blocked) {
      (needsName(naming) ? nameField.current : editor.current)?.focus();
    } else {
      await draft.build();
    }
  };
  if (model.permissions && model.writable.length === 0) {
    return <ErrorBox message={trans.__('There is no namespace in which you can create environments. Ask an admin for a role in one.')} />;
  }
  return (
    <form
      className="jp-EnvStore-create"
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          void make();
        }
      }}
      onSubmit={event => event.preventDefault()}
      onDragOver={event => event.preventDefault()}
      onDrop={event => readDropped(event, imported)}
    >
      <ConnectionNotice model={model} trans={trans} />
      <FormHeader {...props} draft={draft} naming={naming} verdict={verdict} blocked={blocked} make={make} />
      <DraftProblems {...props} draft={draft} make={make} />
      <NameFields {...props} ref={nameField} draft={draft} verdict={naming} />
      <StartingPoint {...props} {...draft} choose={draft.setFrom} checked={preview.checked} />
      <FileChoice imported={imported} text={text} trans={trans} />
      <ImportChanges imported={imported} text={text} trans={trans} onUndo={setText} />
      <EditorWithPreview
        {...props}
        {...{ editor, text, verdict, preview, imported }}
        label={trans.__('Specification')}
        isReplaced={whole => whole || text === BASE}
        onText={setText}
        onSubmit={make}
        unchanged={null}
      />
    </form>
  );
}

/** Whether something else has to be typed as the name first. */
function needsName({ isEmpty, isBad, taken }: INameVerdict): boolean {
  return isEmpty || isBad || Boolean(taken);
}

/** What the form is for, and the buttons that end it. */
function FormHeader(
  props: IFormProps & {
    draft: INewEnvironment;
    naming: INameVerdict;
    verdict: ITextVerdict;
    blocked: boolean;
    make: () => Promise<void>;
  }
): React.ReactElement {
  const { trans, draft } = props;
  const { preview } = draft;
  return (
    <div className="jp-EnvStore-bar">
      <h2>{trans.__('New environment')}</h2>
      <div className="jp-EnvStore-actions jp-mod-end">
        <TextButton onClick={props.close}>{trans.__('Cancel')}</TextButton>
        <TextButton
          primary
          id="envstore:create"
          needsServer
          disabled={props.blocked}
          title={whyBlocked(props) || trans.__('Ctrl+Enter')}
          onClick={props.make}
        >
          {preview.error && !preview.isImpossible ? trans.__('Create anyway…') : trans.__('Create')}
        </TextButton>
      </div>
    </div>
  );
}

/** Return what has to be done before it can be built; empty where it can. */
function whyBlocked(props: IFormProps & { draft: INewEnvironment; naming: INameVerdict; verdict: ITextVerdict }): string {
  const { trans, draft, naming, verdict } = props;
  if (naming.isEmpty) {
    return trans.__('It needs a name');
  }
  if (needsName(naming)) {
    return trans.__('Choose another name');
  }
  if (verdict.open !== null) {
    return verdict.open;
  }
  if (verdict.faults.length) {
    return trans.__('Correct the marked lines first');
  }
  return draft.preview.isImpossible ? trans.__('The build would fail: see the preview') : '';
}

/** Why what is written is not stored or was not built, or why something could not be put into it. */
function DraftProblems(props: IFormProps & { draft: INewEnvironment; make: () => Promise<void> }): React.ReactElement {
  const { trans, draft, make } = props;
  const { imported } = draft;
  const problem = draft.error || imported.error;
  return (
    <>
      {!draft.isStored && (
        <div className="jp-EnvStore-sub" role="status">
          {trans.__('This is too large to be kept in this browser. It will be lost when the page is reloaded.')}
        </div>
      )}
      {draft.failed && (
        <SubmitError
          {...props}
          error={draft.failed}
          place={{ namespace: draft.target, name: draft.name.trim() }}
          text={draft.text}
          file={imported.handOver()}
          again={make}
        />
      )}
      {problem && <ErrorBox message={problem} />}
    </>
  );
}
