import { type Diagnostic, lintGutter, lintKeymap, previousDiagnostic, setDiagnostics } from '@codemirror/lint';
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { CodeEditor, type IEditorServices } from '@jupyterlab/codeeditor';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';
import * as React from 'react';
import type { IFault } from '../../store/types';
import { withUnixLineEnds } from './line-ends';
import type { ICompleter } from './package-completer';
import { completion } from './yaml-completion';

/** A handle on the editor: go to a line. */
export interface IEditorHandle {
  goTo(line: number): void;
  focus(): void;
}

interface IEditorProps {
  editors: IEditorServices;
  text: string;
  label: string;
  faults?: IFault[];
  readOnly?: boolean;
  mimeType?: string;
  completer?: ICompleter;
  /** What the text is of: that of another one is not undone. */
  of?: number;
  onChange?: (text: string) => void;
  onSubmit?: () => void;
  /** Take a text that is pasted elsewhere; `whole` where nothing else stands beside it. False lets it be pasted. */
  onPaste?: (text: string, whole: boolean) => boolean;
  /** Put the wrong word of a line right. */
  onFix?: (fault: IFault, meant: string) => void;
}

/** Lab's own editor, in YAML mode, with faults marked at their lines and packages completed. */
export const YamlEditor = React.forwardRef<IEditorHandle, IEditorProps>(function YamlEditor(props, ref): React.ReactElement {
  const host = React.useRef<HTMLDivElement>(null);
  const made = React.useRef<CodeEditor.IEditor | null>(null);
  const shownOf = React.useRef(props.of);
  const latest = React.useRef(props);
  latest.current = props;

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

  React.useEffect(() => {
    const view = (made.current as CodeMirrorEditor | null)?.editor;
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

  React.useEffect(() => {
    const view = (made.current as CodeMirrorEditor | null)?.editor;
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

  React.useImperativeHandle(ref, () => ({
    goTo(line: number) {
      const view = (made.current as CodeMirrorEditor | null)?.editor;
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

/** Return what the editor does beyond Lab's own: undo, paste, keys, and completion where it can be edited. */
function editorExtensions(
  model: CodeEditor.Model,
  latest: React.MutableRefObject<IEditorProps>,
  isEditable: boolean
): Extension[] {
  const back = () => {
    model.sharedModel.undo();
    return true;
  };
  const forth = () => {
    model.sharedModel.redo();
    return true;
  };
  return [
    // left alone, the browser undoes what it believes was typed, and mixes it with what was written since
    EditorView.domEventHandlers({
      paste: (event, view) => {
        const pasted = event.clipboardData?.getData('text/plain') ?? '';
        const { from, to } = view.state.selection.main;
        const whole = !(view.state.sliceDoc(0, from) + view.state.sliceDoc(to)).trim();
        if (view.state.readOnly || !pasted.trim() || !latest.current.onPaste?.(pasted, whole)) {
          return false;
        }
        event.preventDefault();
        return true;
      },
      beforeinput: event => {
        if (event.inputType === 'historyUndo' || event.inputType === 'historyRedo') {
          event.preventDefault();
          return event.inputType === 'historyUndo' ? back() : forth();
        }
        return false;
      }
    }),
    EditorView.contentAttributes.of({ 'aria-label': latest.current.label }),
    Prec.highest(
      keymap.of([
        { key: 'Mod-z', run: back, preventDefault: true },
        { key: 'Mod-y', mac: 'Mod-Shift-z', run: forth, preventDefault: true },
        { key: 'Mod-Shift-z', run: forth, preventDefault: true },
        {
          key: 'Mod-Enter',
          run: () => {
            latest.current.onSubmit?.();
            return true;
          }
        },
        {
          key: 'Mod-.',
          run: view => {
            const line = view.state.doc.lineAt(view.state.selection.main.head).number;
            const faults = (latest.current.faults ?? []).filter(fault => fault.fix);
            const fault = faults.find(found => found.line === line) ?? faults[0];
            if (fault) {
              latest.current.onFix?.(fault, fault.fix!.meant[0]!);
            }
            return Boolean(fault);
          }
        }
      ])
    ),
    ...(isEditable
      ? [lintGutter(), keymap.of([...lintKeymap, { key: 'Shift-F8', run: previousDiagnostic }]), completion(latest)]
      : [])
  ];
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
