import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import type { IFileDraft } from '../shared/file-draft';
import { type IDrafts, useDrafts } from '../specification/drafts';
import { type IImport, dateOf } from '../specification/imported-file';
import { withUnixLineEnds } from '../specification/line-ends';
import { useImport } from '../specification/use-import';
import type { IEditorHandle } from '../specification/yaml-editor';
import type { ITabProps } from './tab-props';

/** Milliseconds that the way back from a discarded draft is offered. */
const UNDO = 15_000;

/** The specification of a build, as it is edited. */
export interface ISpecificationDraft {
  /** What the build was made of. */
  original: string;
  text: string;
  /** Whether the text, or its date, is not what the build was made of. */
  isChanged: boolean;
  drafts: IDrafts;
  /** The file that the text came from. */
  imported: IImport;
  /** The date of the build, as what a text goes on with; nothing where it has none. */
  date: IFileDraft | undefined;
  /** Why the text was not built. */
  error: Error | null;
  setError: (error: Error | null) => void;
  change: (text: string) => void;
  /** Go on with the text as it was before a file was repaired. */
  undoImport: (text: string) => void;
  discard: () => void;
  /** Discard the draft, with a way back. */
  discardWithUndo: () => void;
  /** Tell that what was typed is gone, with a way back. */
  tellReplaced: (words: string) => void;
}

/** Keep what is typed as a draft, in this browser, with the file that it came from. */
export function useSpecificationDraft(props: ITabProps, editor: React.RefObject<IEditorHandle>): ISpecificationDraft {
  const { model, trans, item, build, place } = props;
  const original = withUnixLineEnds(build.specification?.text ?? '');
  const drafts = useDrafts(item, build);
  const { draft } = drafts;
  const [error, setError] = React.useState<Error | null>(null);
  const text = draft?.text ?? original;
  const date = dateOf(build, trans.__('build %1', build.number));
  const counting = (file = date) => (file && !file.takesNewer ? file.dated : null);
  /** Whether a text, with the date of the file that it came from, is not what the build was made of. */
  const differs = (next: string, file?: IFileDraft) => next !== original || counting(file) !== counting();
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
  const tellReplaced = (words: string) => {
    const callback = drafts.snapshot();
    Notification.info(words, { autoClose: UNDO, actions: [{ label: trans.__('Undo'), callback }] });
  };
  return {
    ...{ original, text, drafts, imported, date, error, setError, discard, tellReplaced },
    isChanged: draft !== null && differs(draft.text, draft.file),
    change: next => {
      if (next !== text) {
        drafts.keep(differs(next, draft?.file) ? next : null, draft ? undefined : date);
        setError(null);
      }
    },
    undoImport: next => drafts.keep(next === original ? null : next, null),
    discardWithUndo: () => {
      tellReplaced(trans.__('The draft of %1 was discarded.', place.name));
      discard();
      editor.current?.focus();
    }
  };
}
