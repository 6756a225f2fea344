import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { ConnectionNotice } from '../../components/connection-notice';
import { ErrorBox } from '../../components/error-box';
import { useModel } from '../../components/hooks';
import { leaveDraft } from '../specification/drafts';
import { FileChoice } from '../specification/file-choice';
import { ImportChanges } from '../specification/import-changes';
import { needsImport } from '../specification/pasted-text';
import { Preview } from '../specification/preview';
import { faultsOf, fixed } from '../specification/specification-fixes';
import { SubmitError } from '../specification/submit-error';
import { type IEditorHandle, YamlEditor } from '../specification/yaml-editor';
import type { ICreateProps, ICreateWidget } from './create-props';
import { NameFields } from './name-fields';
import { StartingPoint } from './starting-point';
import { BASE, nameProblem, useNewEnvironment } from './use-new-environment';

/** Name, text and preview of an environment that is not there yet. */
export function CreateForm(props: ICreateProps & { widget: ICreateWidget; close: () => void }): React.ReactElement {
  const { model, trans, commands } = props;
  useModel(model);
  const nameField = React.useRef<HTMLInputElement>(null);
  const editor = React.useRef<IEditorHandle>(null);
  const draft = useNewEnvironment(props, nameField, editor);
  const { text, setText, target, imported, preview } = draft;
  const problem = draft.error || imported.error;
  const trimmed = draft.name.trim();
  const { isBad, taken } = nameProblem(model, target, trimmed);
  const faults = preview.checked?.faults ?? [];
  const open = text === imported.text ? imported.open : null;
  const marked = React.useMemo(() => (open ? [] : [...faults, ...faultsOf(preview.error, text)]), [open, faults, preview.error, text]);
  const needsName = !trimmed || isBad || Boolean(taken);
  const blocked = needsName || !target || faults.length > 0 || Boolean(preview.checked?.refused) || preview.isImpossible;
  const why = !trimmed
    ? trans.__('It needs a name')
    : needsName
      ? trans.__('Choose another name')
      : open ?? (faults.length
        ? trans.__('Correct the marked lines first')
        : preview.isImpossible
          ? trans.__('The build would fail: see the preview')
          : '');
  const make = async () => {
    if (blocked) {
      (needsName ? nameField.current : editor.current)?.focus();
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
      onDrop={event => {
        const file = event.dataTransfer.files[0];
        if (file) {
          event.preventDefault();
          event.stopPropagation();
          void imported.readFile(file);
        }
      }}
    >
      <ConnectionNotice model={model} trans={trans} />
      <div className="jp-EnvStore-bar">
        <h2>{trans.__('New environment')}</h2>
        <div className="jp-EnvStore-actions jp-mod-end">
          <TextButton onClick={props.close}>{trans.__('Cancel')}</TextButton>
          <TextButton
            primary
            id="envstore:create"
            needsServer
            disabled={blocked}
            title={why || trans.__('Ctrl+Enter')}
            onClick={make}
          >
            {preview.error && !preview.isImpossible ? trans.__('Create anyway…') : trans.__('Create')}
          </TextButton>
        </div>
      </div>
      {!draft.isStored && (
        <div className="jp-EnvStore-sub" role="status">
          {trans.__('This is too large to be kept in this browser. It will be lost when the page is reloaded.')}
        </div>
      )}
      {draft.failed && (
        <SubmitError
          {...props}
          error={draft.failed}
          place={{ namespace: target, name: trimmed }}
          text={text}
          file={imported.handOver()}
          again={make}
        />
      )}
      {problem && <ErrorBox message={problem} />}
      <NameFields
        {...props}
        ref={nameField}
        name={draft.name}
        setName={next => {
          draft.isTyped.current = next !== '';
          draft.setName(next);
        }}
        isBad={isBad}
        taken={taken}
        namespace={target}
        setNamespace={draft.setNamespace}
        description={draft.description}
        setDescription={draft.setDescription}
        buildOfTaken={item => {
          if (text.trim() && text !== BASE) {
            leaveDraft(item, text, imported.handOver());
          }
          void commands.execute(CommandIDs.open, { namespace: target, name: item.name, tab: 'specification' });
        }}
      />
      <StartingPoint
        {...props}
        from={draft.from}
        choose={draft.setFrom}
        text={text}
        checked={preview.checked}
        imported={imported}
        edit={draft.edit}
        copyOf={draft.copyOf}
      />
      <FileChoice imported={imported} text={text} trans={trans} />
      <ImportChanges imported={imported} text={text} trans={trans} onUndo={setText} />
      <div className="jp-EnvStore-split">
        <YamlEditor
          ref={editor}
          editors={props.editors}
          text={text}
          label={trans.__('Specification')}
          faults={marked}
          completer={props.completer}
          onChange={setText}
          onSubmit={() => void make()}
          onPaste={(pasted, whole) => {
            if (!needsImport(pasted, whole) || !(whole || text === BASE)) {
              return false;
            }
            void imported.take(pasted, trans.__('pasted text'));
            return true;
          }}
          onFix={(fault, meant) => setText(fixed(text, fault, meant))}
        />
        <Preview {...props} preview={preview} text={text} unchanged={null} open={open} goTo={line => editor.current?.goTo(line)} onText={setText} />
      </div>
    </form>
  );
}
