import { lintGutter, lintKeymap, previousDiagnostic } from '@codemirror/lint';
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type * as React from 'react';
import type { IFault } from '../../store/types';
import type { ICompleter } from './package-completer';
import { completion } from './yaml-completion';

/** What the editor of a specification is for, beyond Lab's own. */
export interface IEditorActions {
  label: string;
  faults?: IFault[];
  completer?: ICompleter;
  onSubmit?: () => void;
  /** Take a text that is pasted elsewhere; `whole` where nothing else stands beside it. False lets it be pasted. */
  onPaste?: (text: string, whole: boolean) => boolean;
  /** Put the wrong word of a line right. */
  onFix?: (fault: IFault, meant: string) => void;
}

/** Return what the editor does beyond Lab's own: undo, paste, keys, and completion where it can be edited. */
export function editorExtensions(
  model: CodeEditor.Model,
  latest: React.MutableRefObject<IEditorActions>,
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
      paste: (event, view) => paste(event, view, latest.current),
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
        { key: 'Mod-.', run: view => fixNearest(view, latest.current) }
      ])
    ),
    ...(isEditable
      ? [lintGutter(), keymap.of([...lintKeymap, { key: 'Shift-F8', run: previousDiagnostic }]), completion(latest)]
      : [])
  ];
}

/** Take a text that is pasted, if it is one that replaces what is there. */
function paste(event: ClipboardEvent, view: EditorView, actions: IEditorActions): boolean {
  const pasted = event.clipboardData?.getData('text/plain') ?? '';
  const { from, to } = view.state.selection.main;
  const whole = !(view.state.sliceDoc(0, from) + view.state.sliceDoc(to)).trim();
  if (view.state.readOnly || !pasted.trim() || !actions.onPaste?.(pasted, whole)) {
    return false;
  }
  event.preventDefault();
  return true;
}

/** Put right the wrong word of the line of the cursor or, without one there, the first one. */
function fixNearest(view: EditorView, actions: IEditorActions): boolean {
  const line = view.state.doc.lineAt(view.state.selection.main.head).number;
  const faults = (actions.faults ?? []).filter(fault => fault.fix);
  const fault = faults.find(found => found.line === line) ?? faults[0];
  if (fault) {
    actions.onFix?.(fault, fault.fix!.meant[0]!);
  }
  return Boolean(fault);
}
