import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import { useLoaded } from '../../components/hooks';
import { Skeleton } from '../../components/skeleton';
import { copy } from '../../lab/clipboard';
import type { IBuild, IPackageChange } from '../../store/types';
import { PackageChanges } from '../specification/package-changes';
import type { ITabProps } from './tab-props';

/** Two builds side by side: packages added, changed, removed; what was typed. */
export function BuildComparison(props: ITabProps & { first: number; second: number; back: () => void }): React.ReactElement {
  const { first, second, trans, model, item, place, commands } = props;
  const { value, error } = useLoaded(
    () => Promise.all([model.api.diff(first, second), model.api.build(first), model.api.build(second)]),
    [first, second],
    `compare:${first}:${second}`
  );
  if (error && !value) {
    return (
      <ErrorBox message={error.message}>
        <TextButton onClick={props.back}>{trans.__('Back')}</TextButton>
      </ErrorBox>
    );
  }
  if (!value) {
    return <Skeleton trans={trans} />;
  }
  const [changes, before, after] = value;
  const title = `${before.number} → ${after.number}`;
  return (
    <section className="jp-EnvStore-compare" aria-label={trans.__('Builds compared')}>
      <div className="jp-EnvStore-bar">
        <h3>{title}</h3>
        <TextButton onClick={props.back}>{trans.__('All builds')}</TextButton>
        <TextButton onClick={() => copy(asMarkdown(`${place.namespace}/${place.name} ${title}`, changes), trans.__('Copied'))}>
          {trans.__('Copy as Markdown')}
        </TextButton>
        {before.status === 'COMPLETED' && before.id !== item.current_build_id && item.permissions.includes('environment::update') && (
          <TextButton
            id="envstore:roll-back"
            onClick={() => commands.execute(CommandIDs.makeActive, { ...place, build: before.id })}
          >
            {trans.__('Roll back to %1', before.number)}
          </TextButton>
        )}
      </div>
      <PackageChanges changes={changes} trans={trans} all />
      {before.exclude_newer !== after.exclude_newer && <DatesCompared before={before} after={after} trans={trans} />}
      {before.specification && after.specification && before.specification.text !== after.specification.text && (
        <TextsCompared before={before} after={after} trans={trans} />
      )}
    </section>
  );
}

interface IComparedProps {
  before: IBuild;
  after: IBuild;
  trans: ITabProps['trans'];
}

/** From which date on each build leaves out packages. */
function DatesCompared({ before, after, trans }: IComparedProps): React.ReactElement {
  return (
    <p>
      {[before, after]
        .map(build =>
          build.exclude_newer
            ? trans.__('Build %1 leaves out packages uploaded after %2.', build.number, build.exclude_newer)
            : trans.__('Build %1 takes packages of any date.', build.number)
        )
        .join(' ')}
    </p>
  );
}

/** The specifications of two builds side by side, with the lines marked that only one of them has. */
function TextsCompared({ before, after, trans }: IComparedProps): React.ReactElement {
  const [old, next] = [before.specification?.text ?? '', after.specification?.text ?? ''];
  return (
    <>
      <h4>{trans.__('Specification')}</h4>
      <div className="jp-EnvStore-sideBySide">
        <LineDiff text={old} other={next} title={trans.__('Build %1', before.number)} kind="removed" />
        <LineDiff text={next} other={old} title={trans.__('Build %1', after.number)} kind="added" />
      </div>
    </>
  );
}

/** Return changes as a table in Markdown. */
function asMarkdown(title: string, changes: readonly IPackageChange[]): string {
  return (
    [`**${title}**`, '', '| package | from | to |', '| --- | --- | --- |']
      .concat(changes.map(change => `| ${change.name} | ${change.from} | ${change.to} |`))
      .join('\n') + '\n'
  );
}

function LineDiff(props: { text: string; other: string; title: string; kind: string }): React.ReactElement {
  const known = new Set(props.other.split('\n').map(line => line.trimEnd()));
  return (
    <figure>
      <figcaption className="jp-EnvStore-sub">{props.title}</figcaption>
      <pre tabIndex={0}>
        {props.text.split('\n').map((line, place) => (
          <div key={place} data-diff={known.has(line.trimEnd()) ? undefined : props.kind}>
            {line || ' '}
          </div>
        ))}
      </pre>
    </figure>
  );
}
