import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { useCommitPending, useHasTyped } from '../../components/field-hooks';
import { isEnvironmentName } from '../../store/environment-names';
import type { EnvStoreModel } from '../../store/model';
import type { IEnvironment } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import type { IStart } from '../shared/view-types';
import { dateOf, type IImport } from '../specification/imported-file';
import { nameIn } from '../specification/specification-text';
import { useImport } from '../specification/use-import';
import { type IPreview, usePreview } from '../specification/use-preview';
import type { IEditorHandle } from '../specification/yaml-editor';
import type { ICreateProps, ICreateWidget } from './create-props';
import { loadNewDraft, saveNewDraft } from './new-environment-draft';
import type { Origin } from './starting-point';

/** The text that a new environment begins with. */
export const BASE = 'dependencies:\n  - python\n  - ipykernel\n';

/** The fields of the form, and how they are changed. */
export interface INewEnvironmentFields {
  name: string;
  setName: React.Dispatch<React.SetStateAction<string>>;
  /** Whether somebody typed the name: then no file gives another one. */
  isTyped: React.MutableRefObject<boolean>;
  /** The namespace that was chosen; empty for the first that the user may write. */
  namespace: string;
  setNamespace: (namespace: string) => void;
  description: string;
  setDescription: (description: string) => void;
  from: Origin;
  setFrom: (from: Origin) => void;
  text: string;
  /** The text at this moment, though the form may not be drawn with it yet. */
  latest: React.MutableRefObject<string>;
  setText: (text: string) => void;
  /** The text and description that were given, not typed by the user. */
  given: { text: string; description: string };
  setGiven: (given: { text: string; description: string }) => void;
}

/** What is written of a new environment, and what can be done with it. */
export interface INewEnvironment extends INewEnvironmentFields {
  /** The namespace that it is made in. */
  target: string;
  imported: IImport;
  preview: IPreview;
  /** Why the packages could not be changed; empty where they could. */
  error: string;
  /** Why it was not built. */
  failed: Error | null;
  /** Whether the browser has room for what is written. */
  isStored: boolean;
  /** Change the packages of the text, one change after the other. */
  edit: (add: string[], remove: string[]) => Promise<boolean>;
  /** Go on with the specification of another environment. */
  copyOf: (item: IEnvironment) => void;
  /** Build it, unless a field has to ask first. */
  build: () => Promise<void>;
}

/** Keep what is written of a new environment: in this browser, until it is built or discarded. */
export function useNewEnvironment(
  props: ICreateProps & { widget: ICreateWidget; close: () => void },
  nameField: React.RefObject<HTMLInputElement>,
  editor: React.RefObject<IEditorHandle>
): INewEnvironment {
  const { model, trans, commands, widget, close } = props;
  /** What was written here before the page was loaded anew. */
  const [kept] = React.useState(() => loadNewDraft(widget.key));
  const fields = useFields(kept);
  const { name, namespace, description, from, text, given, latest, setName, setDescription, setFrom, setText, setGiven } = fields;
  const [generation, setGeneration] = React.useState(0);
  const [error, setError] = React.useState<string>('');
  const [failed, setFailed] = React.useState<Error | null>(null);
  const commitPending = useCommitPending();
  const hasTyped = useHasTyped();
  const target = namespace || model.writable[0] || '';
  const isTouched = fields.isTyped.current || text !== given.text || description !== given.description;
  widget.isTouched = () => isTouched || hasTyped();

  const imported = useImport(model, trans, { namespace: target }, (found, fileName, again) => {
    setText(found.text);
    setGeneration(count => count + 1);
    if (again) {
      return;
    }
    setGiven({ text: found.text, description: found.description });
    if (!fields.isTyped.current) {
      setName(freeName(model, target, nameIn(found.text) ?? found.name ?? stemOf(fileName)));
    }
    setDescription(found.description);
    setFrom('file');
    editor.current?.focus();
  });
  const { excludeNewer } = imported;
  const place = { namespace: target };
  const preview = usePreview({ ...props, text, place, enabled: Boolean(target), generation, excludeNewer });

  const [isStored, setStored] = React.useState(true);
  const { fileName } = imported;
  React.useEffect(() => {
    if (!widget.isDone) {
      const file = imported.handOver();
      const isTyped = fields.isTyped.current;
      const written = { name, isTyped, namespace, description, from, text, given, ...(file ? { file } : {}) };
      setStored(saveNewDraft(widget.key, isTouched || fileName ? written : null));
    }
  }, [name, namespace, description, from, text, given, fileName, imported.text, imported.offer, imported.kept, imported.takesNewer, imported.isUndone]);

  const onStart = (what: IStart) => {
    setError('');
    setFailed(null);
    startWith(what, fields, imported);
    window.setTimeout(() => nameField.current?.focus(), 0);
  };
  useStart(widget, onStart, kept && (() => void (kept.file && imported.restore(kept.file))));

  const edits = React.useRef(Promise.resolve(true));
  return {
    ...fields,
    target,
    imported,
    preview,
    error,
    failed,
    isStored,
    edit: (add, remove) => {
      const change = async () => {
        setError('');
        try {
          setText(await model.api.edit(latest.current, add, remove));
          return true;
        } catch (reason) {
          setError((reason as Error).message);
          return false;
        }
      };
      return (edits.current = edits.current.then(change));
    },
    copyOf: item => {
      if (item.newest_build_id) {
        void model.api
          .build(item.current_build_id ?? item.newest_build_id)
          .then(build => {
            const copied = build.specification?.text ?? BASE;
            const date = dateOf(build, trans.__('build %1 of %2', build.number, item.name));
            if (date) {
              void imported.restore(date);
            } else {
              imported.forget();
            }
            setText(copied);
            setGiven({ text: copied, description: item.description });
          })
          .catch((reason: Error) => setError(reason.message));
        setName(old => old || `${item.name}-copy`);
        setDescription(item.description);
      }
    },
    build: async () => {
      if (!(await commitPending())) {
        return;
      }
      setError('');
      setFailed(null);
      const called = name.trim();
      try {
        const made = await model.api.submit(latest.current, target, called, description.trim(), excludeNewer);
        model.watch(made.build);
        await model.refresh();
        await commands.execute(CommandIDs.open, { namespace: target, name: called, tab: 'artifacts', build: made.build });
        widget.isDone = true;
        close();
      } catch (reason) {
        setFailed(reason as Error);
      }
    }
  };
}

/** The fields of the form, as they were written before the page was loaded anew. */
function useFields(kept: ReturnType<typeof loadNewDraft>): INewEnvironmentFields {
  const [from, setFrom] = React.useState<Origin>(kept?.from ?? 'packages');
  const [name, setName] = React.useState(kept?.name ?? '');
  const [namespace, setNamespace] = React.useState(kept?.namespace ?? '');
  const [description, setDescription] = React.useState(kept?.description ?? '');
  const [text, show] = React.useState(kept?.text ?? BASE);
  const [given, setGiven] = React.useState(kept?.given ?? { text: BASE, description: '' });
  const isTyped = React.useRef(kept?.isTyped ?? false);
  const latest = React.useRef(text); // what is taken a moment before a build must be in it
  const setText = (next: string) => {
    latest.current = next;
    show(next);
  };
  return {
    ...{ name, setName, isTyped, namespace, setNamespace, description, setDescription },
    ...{ from, setFrom, text, latest, setText, given, setGiven }
  };
}

/** Begin with what the widget was asked to begin with, now and later; with a draft, go on with that instead. */
function useStart(widget: ICreateWidget, onStart: (what: IStart) => void, goOn: (() => void) | undefined): void {
  const latest = React.useRef(onStart);
  latest.current = onStart;
  React.useEffect(() => {
    if (goOn) {
      goOn();
    } else {
      latest.current(widget.last);
    }
    const slot = (_: unknown, what: IStart) => latest.current(what);
    widget.started.connect(slot);
    return () => {
      widget.started.disconnect(slot);
    };
  }, [widget]);
}

/** Put what a form begins with into its fields. */
function startWith(what: IStart, fields: INewEnvironmentFields, imported: IImport): void {
  if (what.namespace) {
    fields.setNamespace(what.namespace);
  }
  if (what.name) {
    fields.setName(what.name);
  }
  if (what.text !== undefined && what.file) {
    goOnWithFile(what.text, what.file, fields, imported);
  } else if (what.text !== undefined) {
    void imported.take(what.text, what.fileName ?? 'environment.yml').then(() => what.name && fields.setName(what.name));
  }
}

/** Go on with a text that came of a file, elsewhere. */
function goOnWithFile(text: string, file: IFileDraft, fields: INewEnvironmentFields, imported: IImport): void {
  fields.setText(text);
  fields.setGiven({ text: BASE, description: '' });
  fields.setFrom('file');
  void imported.restore(file);
}

/** Return a name, with a number behind it where there is an environment of this name. */
function freeName(model: EnvStoreModel, namespace: string, wanted: string): string {
  for (let number = 2, next = wanted; ; number++) {
    if (!model.find({ namespace, name: next })) {
      return next;
    }
    next = `${wanted.slice(0, 60)}-${number}`;
  }
}

/** Return a name for an environment that comes of a file. */
function stemOf(fileName: string): string {
  return fileName
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9_.+-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
}

/** Whether a name can be used: its letters, and whether it is free. */
export function nameProblem(model: EnvStoreModel, namespace: string, name: string): { isBad: boolean; taken: IEnvironment | undefined } {
  const wanted = name.toLowerCase();
  return {
    isBad: name !== '' && !isEnvironmentName(name),
    taken: name
      ? model.environments.find(item => item.namespace.name === namespace && item.name.toLowerCase() === wanted)
      : undefined
  };
}
