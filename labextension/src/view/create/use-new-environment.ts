import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { useCommitPending, useHasTyped } from '../../components/field-hooks';
import type { EnvStoreModel } from '../../store/model';
import type { IChecked, IEnvironment } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import type { IStart } from '../shared/view-types';
import { dateOf, type IImport } from '../specification/imported-file';
import { nameIn } from '../specification/specification-text';
import { useImport } from '../specification/use-import';
import { type IPreview, usePreview } from '../specification/use-preview';
import type { IEditorHandle } from '../specification/yaml-editor';
import type { ICreateProps, ICreateWidget } from './create-props';
import { loadNewDraft, saveNewDraft } from './new-environment-draft';
import { BASE, type INewEnvironmentFields, useFields } from './new-environment-fields';
import { freeName, stemOf } from './new-environment-name';

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
  copyOf: (item: IEnvironment) => Promise<void>;
  /** Build it, unless a field has to ask first. */
  build: () => Promise<void>;
}

/** Keep what is written of a new environment: in this browser, until it is built or discarded. */
export function useNewEnvironment(
  props: ICreateProps & { widget: ICreateWidget; close: () => void },
  nameField: React.RefObject<HTMLInputElement>,
  editor: React.RefObject<IEditorHandle>
): INewEnvironment {
  const { model, trans, widget } = props;
  /** What was written here before the page was loaded anew. */
  const [kept] = React.useState(() => loadNewDraft(widget.key));
  const fields = useFields(kept);
  const { text, namespace } = fields;
  const [generation, setGeneration] = React.useState(0);
  const [error, setError] = React.useState<string>('');
  const [failed, setFailed] = React.useState<Error | null>(null);
  const target = namespace || model.writable[0] || '';
  const imported = useImport(model, trans, { namespace: target }, (found, fileName, again) => {
    fields.setText(found.text);
    setGeneration(count => count + 1);
    if (!again) {
      goOnWithRead(found, freeName(model, target, nameIn(found.text) ?? found.name ?? stemOf(fileName)), fields);
      editor.current?.focus();
    }
  });
  const { excludeNewer } = imported;
  const place = { namespace: target };
  const preview = usePreview({ ...props, text, place, enabled: Boolean(target), generation, excludeNewer });
  const isStored = useKept(widget, fields, imported);
  const onStart = (what: IStart) => {
    setError('');
    setFailed(null);
    startWith(what, fields, imported);
    window.setTimeout(() => nameField.current?.focus(), 0);
  };
  useStart(widget, onStart, kept && (() => void (kept.file && imported.restore(kept.file))));
  const edit = useEdits(model, fields, setError);
  const commitPending = useCommitPending();
  return {
    ...fields,
    ...{ target, imported, preview, error, failed, isStored, edit },
    copyOf: item => copyEnvironment(item, props, fields, imported).catch((reason: Error) => setError(reason.message)),
    build: async () => {
      if (!(await commitPending())) {
        return;
      }
      setError('');
      setFailed(null);
      try {
        await submitNew(props, fields, target, excludeNewer);
      } catch (reason) {
        setFailed(reason as Error);
      }
    }
  };
}

/** Keep what is written in this browser, and tell the widget whether something is. False without room for it. */
function useKept(widget: ICreateWidget, fields: INewEnvironmentFields, imported: IImport): boolean {
  const { name, isTyped, namespace, description, from, text, given } = fields;
  const { fileName } = imported;
  const hasTyped = useHasTyped();
  const isTouched = isTyped.current || text !== given.text || description !== given.description;
  widget.isTouched = () => isTouched || hasTyped();
  const [isStored, setStored] = React.useState(true);
  React.useEffect(() => {
    if (!widget.isDone) {
      const file = imported.handOver();
      const written = { name, isTyped: isTyped.current, namespace, description, from, text, given, ...(file ? { file } : {}) };
      setStored(saveNewDraft(widget.key, isTouched || fileName ? written : null));
    }
  }, [name, namespace, description, from, text, given, fileName, imported.text, imported.offer, imported.kept, imported.takesNewer, imported.isUndone]);
  return isStored;
}

/** Return what changes the packages of the text, one change after the other; false where one is refused. */
function useEdits(
  model: EnvStoreModel,
  { latest, setText }: INewEnvironmentFields,
  setError: (error: string) => void
): INewEnvironment['edit'] {
  const edits = React.useRef(Promise.resolve(true));
  return (add, remove) => {
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

/** Build the environment, and turn to its view. */
async function submitNew(
  { model, commands, widget, close }: ICreateProps & { widget: ICreateWidget; close: () => void },
  fields: INewEnvironmentFields,
  namespace: string,
  excludeNewer: string | null
): Promise<void> {
  const name = fields.name.trim();
  const made = await model.api.submit(fields.latest.current, namespace, name, fields.description.trim(), excludeNewer);
  model.watch(made.build);
  await model.refresh();
  await commands.execute(CommandIDs.open, { namespace, name, tab: 'artifacts', build: made.build });
  widget.isDone = true;
  close();
}

/** Go on with a file that was read; a name that somebody typed stays. */
function goOnWithRead(found: IChecked, name: string, fields: INewEnvironmentFields): void {
  fields.setGiven({ text: found.text, description: found.description });
  if (!fields.isTyped.current) {
    fields.setName(name);
  }
  fields.setDescription(found.description);
  fields.setFrom('file');
}

/** Go on with the specification of another environment. */
async function copyEnvironment(
  item: IEnvironment,
  { model, trans }: ICreateProps,
  fields: INewEnvironmentFields,
  imported: IImport
): Promise<void> {
  if (!item.newest_build_id) {
    return;
  }
  fields.setName(old => old || `${item.name}-copy`);
  fields.setDescription(item.description);
  const build = await model.api.build(item.current_build_id ?? item.newest_build_id);
  const copied = build.specification?.text ?? BASE;
  const date = dateOf(build, trans.__('build %1 of %2', build.number, item.name));
  if (date) {
    void imported.restore(date);
  } else {
    imported.forget();
  }
  fields.setText(copied);
  fields.setGiven({ text: copied, description: item.description });
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
