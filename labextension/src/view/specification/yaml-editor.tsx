import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import type { EditorView } from '@codemirror/view';
import { CodeEditor, type IEditorServices } from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import * as React from 'react';
import { withUnixLineEnds } from './line-ends';
import { editorExtensions, type IEditorActions } from './yaml-editor-extensions';

/** A handle on the editor: go to a line. */
export interface IEditorHandle {
  goTo(line: number): void;
  focus(): void;
}

interface IEditorProps extends IEditorActions {
  editors: IEditorServices;
  text: string;
  readOnly?: boolean;
  mimeType?: string;
  /** What the text is of: that of another one is not undone. */
  of?: number;
  onChange?: (text: string) => void;
}

/** Lab's own editor, in YAML mode, with faults marked at their lines and packages completed. */
export const YamlEditor = React.forwardRef<IEditorHandle, IEditorProps>(function YamlEditor(props, ref): React.ReactElement {
  const host = React.useRef<HTMLDivElement>(null);
  const latest = React.useRef(props);
  latest.current = props;
  const made = useEditor(host, props, latest);
  useGivenText(made, props);
  useFaultMarks(made, props, latest);

  React.useImperativeHandle(ref, () => ({
    goTo(line: number) {
      const view = viewOf(made);
      if (view) {
        const found = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
        view.dispatch({ selection: { anchor: found.from, head: found.to }, scrollIntoView: true });
        view.focus();
      }
    },
    focus() {
      made.current?.focus();
    }
  }));
  return <div ref={host} className="jp-EnvStore-editor" />;
});

type MadeEditor = React.RefObject<CodeEditor.IEditor | null>;

/** Return the view of the editor; undefined before it is made. */
function viewOf(made: MadeEditor): EditorView | undefined {
  return (made.current as CodeMirrorEditor | null)?.editor;
}

/** Make the editor in a part of the page. */
function useEditor(host: React.RefObject<HTMLElement>, props: IEditorProps, latest: React.MutableRefObject<IEditorProps>): MadeEditor {
  const made = React.useRef<CodeEditor.IEditor | null>(null);
  React.useEffect(() => {
    const model = new CodeEditor.Model({ mimeType: props.mimeType ?? 'text/x-yaml' });
    model.sharedModel.setSource(withUnixLineEnds(latest.current.text));
    model.sharedModel.clearUndoHistory(); // what it begins with is not undone
    const editor = props.editors.factoryService.newDocumentEditor({
      host: host.current!,
      model,
      config: { lineNumbers: true, scrollPastEnd: false, tabSize: 2, indentUnit: '2', readOnly: props.readOnly ?? false },
      extensions: editorExtensions(model, latest, !props.readOnly)
    });
    made.current = editor;
    const slot = () => latest.current.onChange?.(model.sharedModel.getSource());
    model.sharedModel.changed.connect(slot);
    return () => {
      model.sharedModel.changed.disconnect(slot);
      made.current = null;
      editor.dispose();
      model.dispose();
    };
  }, [props.editors, props.readOnly, props.mimeType]);
  return made;
}

/** Put the text that is given into the editor, where it is another one than what is there. */
function useGivenText(made: MadeEditor, props: IEditorProps): void {
  const shownOf = React.useRef(props.of);
  React.useEffect(() => {
    const view = viewOf(made);
    const text = withUnixLineEnds(props.text);
    if (view && view.state.doc.toString() !== text) {
      // as an edit of its own, of no more than what differs: undo takes it back, and the cursor stays
      const { undoManager } = made.current?.model.sharedModel as { undoManager?: { stopCapturing(): void } };
      undoManager?.stopCapturing();
      view.dispatch({ changes: difference(view.state.doc.toString(), text), userEvent: 'input.replace' });
      undoManager?.stopCapturing();
      if (shownOf.current !== props.of) {
        made.current?.model.sharedModel.clearUndoHistory(); // the text of another build is no edit of this one
      }
    }
    shownOf.current = props.of;
  }, [props.text, props.of]);
}

/** Mark the lines of faults, each with ways to put it right. */
function useFaultMarks(made: MadeEditor, props: IEditorProps, latest: React.MutableRefObject<IEditorProps>): void {
  React.useEffect(() => {
    const view = viewOf(made);
    if (!view || props.readOnly) {
      return;
    }
    const diagnostics: Diagnostic[] = (props.faults ?? []).map(fault => {
      const line = view.state.doc.line(Math.min(Math.max(fault.line ?? 1, 1), view.state.doc.lines));
      const indent = line.text.length - line.text.trimStart().length;
      const from = Math.min(line.from + indent, line.to);
      const actions = fault.fix?.meant.map(meant => ({ name: meant, apply: () => latest.current.onFix?.(fault, meant) }));
      return { from, to: line.to, severity: 'error', message: fault.message, ...(actions ? { actions } : {}) };
    });
    view.dispatch(setDiagnostics(view.state, diagnostics));
  }, [props.faults, props.readOnly]);
}

/** Return the one change that makes a text of another. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) {
    from++;
  }
  let same = 0;
  while (same < most - from && before[before.length - 1 - same] === after[after.length - 1 - same]) {
    same++;
  }
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
