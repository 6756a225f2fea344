import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { IconButton, Link, TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useCommitPending, useTyped } from '../../components/field-hooks';
import { useLoaded } from '../../components/hooks';
import { NoteBox } from '../../components/note-box';
import { Skeleton } from '../../components/skeleton';
import { Table } from '../../components/table';
import { isUnsettled } from '../../store/model';
import type { IContent, ISolved } from '../../store/types';
import { DateNote } from '../specification/date-note';
import { PackageChanges } from '../specification/package-changes';
import { PackageSearch } from '../specification/package-search';
import { IndexFrom } from '../specification/preview';
import { nameOf, specOf } from '../specification/requirements';
import { SolveError } from '../specification/solve-error';
import type { IShow } from '../shared/view-types';
import { PackageRow } from './package-row';
import { isChanged, type IStaged, stagedWords } from './staged-changes';
import type { ITabProps } from './tab-props';

type Which = 'asked' | 'all' | 'updates';

/** What the shown build has; packages added, changed and removed without YAML. */
export function PackagesTab(
  props: ITabProps & {
    asked: IShow;
    staged: IStaged;
    setStaged: React.Dispatch<React.SetStateAction<IStaged>>;
  }
): React.ReactElement {
  const { model, trans, item, build, place, show, staged, setStaged } = props;
  const radios = React.useId();
  const [which, setWhich] = React.useState<Which>('asked');
  const [filter, setFilter] = useTyped('filter');
  const settle = useCommitPending();
  /** Names of packages whose row asks for something: they are shown whatever is filtered. */
  const [asking, setAsking] = React.useState<ReadonlySet<string>>(new Set());
  const [known, setKnown] = React.useState<IContent | null>(null);
  const [preview, setPreview] = React.useState<{ solved?: ISolved; error?: Error } | null>(null);
  const hasLock = build.status === 'COMPLETED' || build.package_count > 0;
  const contents = useLoaded(hasLock ? () => model.api.contents(build.id) : null, [build.id, build.status], `contents:${build.id}`);
  const text = build.specification?.text ?? '';
  const editable =
    item.permissions.includes('environment::update') && Boolean(text) && !build.specification?.is_lockfile;
  const [lastIndex, setLastIndex] = React.useState(false);
  const excludeNewer = staged.takesNewer ? null : (build.exclude_newer ?? null);
  const updates = useLoaded(
    which === 'updates' && editable ? () => model.api.solve(text, place, { lastIndex, excludeNewer }) : null,
    [which, build.id, lastIndex, excludeNewer]
  );
  const newer = new Map(
    (updates.value?.changes ?? []).filter(change => change.change === 'changed').map(change => [change.name, change.to])
  );
  const isLock = build.specification?.is_lockfile;
  const asked = contents.value?.filter(found => found.requested !== null || isLock) ?? [];
  const shown = (contents.value ?? []).filter(
    found =>
      asking.has(found.name) ||
      ((which !== 'asked' || found.requested !== null || isLock) &&
        (which !== 'updates' || newer.has(found.name)) &&
        found.name.toLowerCase().includes(filter.trim().toLowerCase()))
  );
  const gathered = React.useRef(staged); // what is staged a moment before a build must be in it
  gathered.current = staged;
  const put = ({ begun = { id: build.id, number: build.number }, ...changes }: IStaged) => {
    const next = isChanged(changes) ? { ...changes, begun } : changes;
    gathered.current = next;
    setPreview(null); // it was of other changes
    setStaged(next);
  };
  const stage = (add: string[], remove: string[]) => {
    const old = gathered.current;
    const names = new Set([...add, ...remove].map(nameOf));
    put({
      ...old,
      add: [...old.add.filter(spec => !names.has(nameOf(spec))), ...add],
      remove: [...old.remove.filter(spec => !names.has(nameOf(spec))), ...remove]
    });
  };
  const add = (specs: string[]) => {
    const thereAs = (spec: string) =>
      contents.value?.find(
        found =>
          found.requested !== null && specOf(found) === spec.toLowerCase() && !staged.remove.includes(specOf(found))
      );
    const wanted = specs.filter(spec => !thereAs(spec));
    setKnown(specs.map(thereAs).find(found => found) ?? null);
    if (wanted.length > 0) {
      stage(wanted, []);
    }
  };
  const takeBack = (spec: string) => {
    const old = gathered.current;
    const add = old.add.filter(other => other !== spec);
    const remove = old.remove.filter(other => other !== spec);
    put({ ...old, add, remove });
  };
  const edited = () => model.api.edit(text, gathered.current.add, gathered.current.remove);
  const look = async (withLast = false) => {
    if (!(await settle())) {
      return;
    }
    try {
      setPreview({ solved: await model.api.solve(await edited(), place, { lastIndex: withLast, excludeNewer }) });
    } catch (error) {
      setPreview({ error: error as Error });
    }
  };
  const make = async () => {
    if (!(await settle())) {
      return;
    }
    try {
      const made = await model.api.submit(await edited(), place.namespace, place.name, undefined, excludeNewer);
      model.watch(made.build);
      show({ tab: 'artifacts', build: made.build, isNew: true });
      put({ add: [], remove: [] });
      void model.refresh();
    } catch (error) {
      setPreview({ error: error as Error });
    }
  };
  React.useEffect(() => setPreview(null), [build.id]); // it was of changes to another build
  const lifts = staged.takesNewer === true && Boolean(build.exclude_newer);
  const takeNewer = (takesNewer: boolean) => put({ ...gathered.current, takesNewer });
  const count = staged.add.length + staged.remove.length + Number(lifts);
  const field = React.useRef<HTMLInputElement>(null);
  return (
    <div
      className="jp-EnvStore-packages"
      onKeyDown={event => {
        if (event.key === '/' && !(event.target instanceof HTMLInputElement)) {
          field.current?.focus();
          event.preventDefault();
        }
      }}
    >
      <div className="jp-EnvStore-bar">
        {editable && (
          <PackageSearch {...props} specification={text} onAdd={add} />
        )}
        {known && (
          <span role="status" className="jp-EnvStore-sub">
            {trans.__('%1 is asked for already: %2', known.name, known.requested ?? '')}
          </span>
        )}
        <input
          ref={field}
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Filter packages')}
          aria-label={trans.__('Filter packages')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
        <div role="radiogroup" aria-label={trans.__('Which packages')} className="jp-EnvStore-radios">
          {(
            [
              ['asked', trans.__('Asked for %1', contents.value ? asked.length : '')],
              ['all', trans.__('All %1', contents.value?.length ?? '')],
              ['updates', trans.__('Updates %1', updates.value ? newer.size : '')]
            ] as const
          )
            .filter(([name]) => name !== 'updates' || editable)
            .map(([name, words]) => (
              <label key={name}>
                <input type="radio" name={radios} checked={which === name} onChange={() => setWhich(name)} />
                {words}
              </label>
            ))}
        </div>
      </div>
      {build.exclude_newer && !isLock && (
        <NoteBox label={trans.__('Date of the packages')}>
          <DateNote
            dated={build.exclude_newer}
            source={trans.__('build %1', build.number)}
            takesNewer={editable && lifts}
            trans={trans}
            {...(editable ? { setTakesNewer: takeNewer } : {})}
          />
        </NoteBox>
      )}
      {count > 0 && (
        <div className="jp-EnvStore-staged" role="region" aria-label={trans.__('Changes')}>
          <div className="jp-EnvStore-stagedLine">
            <b>{trans._n('%1 change', '%1 changes', count)}</b>
            {staged.add.map(spec => (
              <span key={spec} className="jp-EnvStore-chip">
                {stagedWords(spec, contents.value ?? [])}
                <IconButton
                  icon={closeIcon}
                  label={trans.__('Take back %1', spec)}
                  onClick={() => takeBack(spec)}
                />
              </span>
            ))}
            {staged.remove.map(spec => (
              <span key={spec} className="jp-EnvStore-chip">
                − {spec}
                <IconButton
                  icon={closeIcon}
                  label={trans.__('Take back removing %1', spec)}
                  onClick={() => takeBack(spec)}
                />
              </span>
            ))}
            {lifts && (
              <span className="jp-EnvStore-chip">
                {trans.__('newer than %1', build.exclude_newer ?? '')}
                <IconButton icon={closeIcon} label={trans.__('Leave newer ones out')} onClick={() => takeNewer(false)} />
              </span>
            )}
            <span className="jp-EnvStore-actions">
              <TextButton
                id="envstore:discard-changes"
                onClick={() => {
                  put({ add: [], remove: [] });
                  field.current?.focus(); // the button is gone
                }}
              >
                {trans.__('Discard')}
              </TextButton>
              <TextButton id="envstore:preview-changes" needsServer onClick={() => look()}>
                {trans.__('Preview')}
              </TextButton>
              <TextButton primary id="envstore:build-changes" needsServer onClick={make}>
                {trans.__('Build')}
              </TextButton>
            </span>
          </div>
          {staged.begun && staged.begun.id !== build.id && (
            <NoteBox row>
              <span>
                {trans.__('Begun on build %1. They are made to build %2 now.', staged.begun.number, build.number)}
              </span>
              <Link onClick={() => show({ tab: 'builds', compare: [staged.begun!.id, build.id] })}>
                {trans.__('Compare')}
              </Link>
              <Link
                id="envstore:staged-seen"
                onClick={() => setStaged(old => ({ ...old, begun: { id: build.id, number: build.number } }))}
              >
                {trans.__('OK')}
              </Link>
            </NoteBox>
          )}
          {preview?.error && (
            <SolveError {...props} error={preview.error} takeLast={() => look(true)} again={() => look()} />
          )}
          {preview?.solved && <IndexFrom solved={preview.solved} trans={trans} />}
          {preview?.solved?.changes && <PackageChanges changes={preview.solved.changes} trans={trans} />}
        </div>
      )}
      {isLock && (
        <p className="jp-EnvStore-sub">
          {trans.__('This build is exactly a lockfile. To change packages, begin with a specification.')}
        </p>
      )}
      {!hasLock && (
        <p className="jp-EnvStore-sub">
          {isUnsettled(build.status) ? trans.__('This build has no packages yet.') : trans.__('This build has no packages.')}
        </p>
      )}
      {contents.error && !contents.value && (
        <ErrorBox message={contents.error.message}>
          <TextButton onClick={contents.reload}>{trans.__('Try again')}</TextButton>
        </ErrorBox>
      )}
      {which === 'updates' && !updates.value && !updates.error && <Skeleton trans={trans} rows={3} />}
      {which === 'updates' && updates.error && (
        <SolveError
          {...props}
          error={updates.error}
          takeLast={() => setLastIndex(true)}
          again={() => {
            setLastIndex(false);
            updates.reload();
          }}
        />
      )}
      {which === 'updates' && updates.value && !updates.error && <IndexFrom solved={updates.value} trans={trans} />}
      {which === 'updates' && updates.value && newer.size === 0 && (
        <p role="status">{trans.__('Nothing newer fits the specification.')}</p>
      )}
      {which === 'updates' && updates.value && newer.size > 0 && (
        <p className="jp-EnvStore-actions">
          <TextButton
            primary
            needsServer
            id="envstore:build-updates"
            onClick={async () => {
              if (!(await settle())) {
                return;
              }
              if (isChanged(gathered.current)) {
                await make(); // with the newest that fits, too
                return;
              }
              const made = await props.commands.execute(CommandIDs.rebuild, { ...props.place, build: build.id });
              if (made) {
                show({ tab: 'artifacts', build: Number(made), isNew: true });
              }
            }}
          >
            {count > 0
              ? trans._n('Build with the updates and %1 change', 'Build with the updates and %1 changes', count)
              : trans.__('Build with the updates')}
          </TextButton>
          {count === 0 && (
            <span className="jp-EnvStore-sub">
              {trans.__('The specification stays as it is; the newest that fits it is taken.')}
            </span>
          )}
        </p>
      )}
      {hasLock && !contents.value && !contents.error && <Skeleton trans={trans} />}
      {shown.length > 0 && (
        <Table columns={[
            trans.__('Package'),
            trans.__('Version'),
            ...(which === 'updates' ? [trans.__('Update')] : []),
            { title: trans.__('From'), wide: true },
            { title: trans.__('Size'), wide: true },
            { title: trans.__('Why'), wide: true },
            { title: trans.__('Actions'), hidden: true }
          ]}>
            {shown.map((found, place) => (
              <PackageRow
                key={`${found.manager}/${found.name}`}
                {...props}
                found={found}
                contents={contents.value ?? []}
                update={which === 'updates' ? newer.get(found.name) ?? '' : null}
                editable={editable}
                isFirst={place === 0}
                removed={staged.remove.includes(specOf(found))}
                stage={stage}
                asks={isAsking =>
                  setAsking(old => new Set([...old].filter(name => name !== found.name).concat(isAsking ? found.name : [])))
                }
              />
            ))}
          </Table>
      )}
      {contents.value && shown.length === 0 && which !== 'updates' && (
        <p className="jp-EnvStore-note">{trans.__('No package matches.')}</p>
      )}
    </div>
  );
}
