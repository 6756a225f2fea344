import type { IEditorServices } from '@jupyterlab/codeeditor';
import * as React from 'react';
import type { IProps } from '../../components/props';
import type { IImport } from './imported-file';
import type { ICompleter } from './package-completer';
import { needsImport } from './pasted-text';
import { Preview } from './preview';
import { fixed } from './specification-fixes';
import type { ITextVerdict } from './text-verdict';
import type { IPreview } from './use-preview';
import { type IEditorHandle, YamlEditor } from './yaml-editor';

/** The editor of a specification; beside it, what would be installed. */
export function EditorWithPreview(
  props: IProps & {
    editors: IEditorServices;
    completer: ICompleter;
    editor: React.RefObject<IEditorHandle>;
    text: string;
    label: string;
    /** What the text is of: that of another one is not undone. */
    of?: number;
    /** Whether it can only be read: then there is no preview. */
    readOnly?: boolean;
    verdict: ITextVerdict;
    preview: IPreview;
    imported: IImport;
    /** Whether a file that is pasted replaces the text; `whole` where nothing else stands beside it. */
    isReplaced: (whole: boolean) => boolean;
    /** Told of the text as it is edited. */
    onText: (text: string) => void;
    /** Told of a text that the preview proposes; by default as of one that is edited. */
    onProposed?: (text: string) => void;
    onSubmit: () => unknown;
    /** What the preview says of a text that is not changed; null where it is changed. */
    unchanged: string | null;
    /** With which build the changes are compared, if it is not the shown one. */
    against?: string | null;
  }
): React.ReactElement {
  const { trans, editor, text, readOnly = false, verdict, imported, onText } = props;
  const onPaste = (pasted: string, whole: boolean) => {
    if (!props.isReplaced(whole) || !needsImport(pasted, whole)) {
      return false;
    }
    void imported.take(pasted, trans.__('pasted text'));
    return true;
  };
  return (
    <div className="jp-EnvStore-split">
      <YamlEditor
        ref={editor}
        editors={props.editors}
        text={text}
        of={props.of}
        label={props.label}
        faults={verdict.marked}
        readOnly={readOnly}
        completer={props.completer}
        onChange={onText}
        onSubmit={() => void props.onSubmit()}
        onPaste={onPaste}
        onFix={(fault, meant) => onText(fixed(text, fault, meant))}
      />
      {!readOnly && (
        <Preview
          {...props}
          open={verdict.open}
          goTo={line => editor.current?.goTo(line)}
          onText={props.onProposed ?? onText}
        />
      )}
    </div>
  );
}
