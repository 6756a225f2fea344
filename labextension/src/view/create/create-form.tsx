import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { ConnectionNotice } from '../../components/connection-notice';
import { ErrorBox } from '../../components/error-box';
import { useCommitPending, useHasTyped } from '../../components/field-hooks';
import { useModel } from '../../components/hooks';
import type { IFileDraft } from '../shared/file-draft';
import type { IStart } from '../shared/view-types';
import { leaveDraft } from '../specification/drafts';
import { FileChoice } from '../specification/file-choice';
import { ImportChanges } from '../specification/import-changes';
import { dateOf } from '../specification/imported-file';
import { needsImport } from '../specification/pasted-text';
import { Preview } from '../specification/preview';
import { faultsOf, fixed } from '../specification/specification-fixes';
import { SubmitError } from '../specification/submit-error';
import { useImport } from '../specification/use-import';
import { usePreview } from '../specification/use-preview';
import { type IEditorHandle, YamlEditor } from '../specification/yaml-editor';
import type { ICreateProps, ICreateWidget } from './create-props';
import { NameFields } from './name-fields';
import { loadNewDraft, saveNewDraft } from './new-environment-draft';
import { type Origin, StartingPoint } from './starting-point';

const BASE = 'dependencies:\n  - python\n  - ipykernel\n';
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/;

/** Name, text and preview of an environment that is not there yet. */
export function CreateForm(props: ICreateProps & { widget: ICreateWidget; close: () => void }): React.ReactElement {
  const { model, trans, commands, widget, close } = props;
  useModel(model);
  /** What was written here before the page was loaded anew. */
  const [kept] = React.useState(() => loadNewDraft(widget.key));
  const settle = useCommitPending();
  const hasTyped = useHasTyped();
  const [from, setFrom] = React.useState<Origin>(kept?.from ?? 'packages');
  const [name, setName] = React.useState(kept?.name ?? '');
  const [namespace, setNamespace] = React.useState(kept?.namespace ?? '');
  const [description, setDescription] = React.useState(kept?.description ?? '');
  const [text, show] = React.useState(kept?.text ?? BASE);
  const latest = React.useRef(text); // what is taken a moment before a build must be in it
  const setText = (next: string) => {
    latest.current = next;
    show(next);
  };
  /** What nobody typed: it can be had again. */
  const [given, setGiven] = React.useState(kept?.given ?? { text: BASE, description: '' });
  const [generation, setGeneration] = React.useState(0);
  const [error, setError] = React.useState<string>('');
  const [failed, setFailed] = React.useState<Error | null>(null);
  const nameField = React.useRef<HTMLInputElement>(null);
  const editor = React.useRef<IEditorHandle>(null);
  const target = namespace || model.writable[0] || '';
  const isTyped = React.useRef(kept?.isTyped ?? false);
  const isTouched = isTyped.current || text !== given.text || description !== given.description;
  widget.isTouched = () => isTouched || hasTyped();
  /** Return a name, with a number behind it where there is one of this name. */
  const free = (wanted: string) => {
    for (let number = 2, next = wanted; ; number++) {
      if (!model.find({ namespace: target, name: next })) {
        return next;
      }
      next = `${wanted.slice(0, 60)}-${number}`;
    }
  };
  const imported = useImport(model, trans, { namespace: target }, (found, fileName, again) => {
    setText(found.text);
    setGeneration(count => count + 1);
    if (again) {
      return;
    }
    setGiven({ text: found.text, description: found.description });
    const stem = fileName.replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9_.+-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
    if (!isTyped.current) {
      setName(free(nameIn(found.text) ?? found.name ?? stem.slice(0, 64)));
    }
    setDescription(found.description);
    setFrom('file');
    editor.current?.focus();
  });
  const { excludeNewer } = imported;
  const place = { namespace: target };
  const preview = usePreview({ ...props, text, place, enabled: Boolean(target), generation, excludeNewer });
  const { checked } = preview;
  const take = React.useRef(imported.take);
  take.current = imported.take;
  /** Go on with a text that came of a file, elsewhere. */
  const goOn = (what: string, file: IFileDraft) => {
    setText(what);
    setGiven({ text: BASE, description: '' });
    setFrom('file');
    void imported.restore(file);
  };
  const going = React.useRef(goOn);
  going.current = goOn;
  const begin = React.useCallback(
    (what: IStart) => {
      setError('');
      setFailed(null);
      if (what.namespace) {
        setNamespace(what.namespace);
      }
      if (what.name) {
        setName(what.name);
      }
      if (what.text !== undefined && what.file) {
        going.current(what.text, what.file);
      } else if (what.text !== undefined) {
        void take
          .current(what.text, what.fileName ?? 'environment.yml')
          .then(() => what.name && setName(what.name));
      }
      window.setTimeout(() => nameField.current?.focus(), 0);
    },
    []
  );
  const [isStored, setStored] = React.useState(true);
  const { fileName } = imported;
  React.useEffect(() => {
    if (!widget.isDone) {
      const file = imported.handOver();
      const written = { name, isTyped: isTyped.current, namespace, description, from, text, given, ...(file ? { file } : {}) };
      setStored(saveNewDraft(widget.key, isTouched || fileName ? written : null));
    }
  }, [name, namespace, description, from, text, given, fileName, imported.text, imported.offer, imported.kept, imported.takesNewer, imported.isUndone]);
  React.useEffect(() => {
    if (!kept) {
      begin(widget.last);
    } else if (kept.file) {
      void imported.restore(kept.file);
    }
    const slot = (_: unknown, what: IStart) => begin(what);
    widget.started.connect(slot);
    return () => {
      widget.started.disconnect(slot);
    };
  }, [widget, begin]);

  const edits = React.useRef(Promise.resolve(true));
  /** Change the packages of the text, one change after the other. */
  const edit = (add: string[], remove: string[]): Promise<boolean> => {
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
  const trimmed = name.trim();
  const taken = trimmed ? model.environments.find(
    item => item.namespace.name === target && item.name.toLowerCase() === trimmed.toLowerCase()
  ) : undefined;
  const bad = trimmed !== '' && !NAME.test(trimmed);
  const faults = checked?.faults ?? [];
  const blocked = !trimmed || bad || Boolean(taken) || !target || faults.length > 0 || Boolean(checked?.refused) || preview.isImpossible;
  const open = text === imported.text ? imported.open : null;
  const marked = React.useMemo(() => (open ? [] : [...faults, ...faultsOf(preview.error, text)]), [open, faults, preview.error, text]);
  const why = !trimmed
    ? trans.__('It needs a name')
    : bad || taken
      ? trans.__('Choose another name')
      : open ?? (faults.length
        ? trans.__('Some lines need attention first')
        : preview.isImpossible
          ? trans.__('It would fail: see the preview')
          : '');
  const make = async () => {
    if (blocked) {
      (trimmed && !bad && !taken ? editor.current : nameField.current)?.focus();
      return;
    }
    if (!(await settle())) {
      return;
    }
    setError('');
    setFailed(null);
    try {
      const made = await model.api.submit(latest.current, target, trimmed, description.trim(), excludeNewer);
      model.watch(made.build);
      await model.refresh();
      await commands.execute(CommandIDs.open, { namespace: target, name: trimmed, tab: 'artifacts', build: made.build });
      widget.isDone = true;
      close();
    } catch (reason) {
      setFailed(reason as Error);
    }
  };
  if (model.permissions && model.writable.length === 0) {
    return <ErrorBox message={trans.__('You may make environments in no namespace. Ask an admin for a role in one.')} />;
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
          <TextButton onClick={close}>{trans.__('Cancel')}</TextButton>
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
      {!isStored && (
        <div className="jp-EnvStore-sub" role="status">
          {trans.__('This is too large to be kept in this browser: it is lost when the page is loaded anew.')}
        </div>
      )}
      {failed && (
        <SubmitError
          {...props}
          error={failed}
          place={{ namespace: target, name: trimmed }}
          text={text}
          file={imported.handOver()}
          again={make}
        />
      )}
      {(error || imported.error) && <ErrorBox message={error || imported.error} />}
      <NameFields
        {...props}
        ref={nameField}
        name={name}
        setName={next => {
          isTyped.current = next !== '';
          setName(next);
        }}
        isBad={bad}
        taken={taken}
        namespace={target}
        setNamespace={setNamespace}
        description={description}
        setDescription={setDescription}
        buildOfTaken={item => {
          if (text.trim() && text !== BASE) {
            leaveDraft(item, text, imported.handOver());
          }
          void commands.execute(CommandIDs.open, { namespace: target, name: item.name, tab: 'specification' });
        }}
      />
      <StartingPoint
        {...props}
        from={from}
        choose={setFrom}
        text={text}
        checked={checked}
        imported={imported}
        edit={edit}
        copyOf={item => {
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
        }}
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

/** Return the name that a specification gives itself, where it is one that can be used. */
function nameIn(text: string): string | undefined {
  const found = /^name:\s*(?:"([^"]*)"|'([^']*)'|([^#\n]*))/m.exec(text);
  const name = (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
  return NAME.test(name) ? name : undefined;
}
