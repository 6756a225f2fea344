import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import type { IBuild, IEnvironment } from '../../store/types';
import { asArgs } from '../shared/view-types';
import { useDrafts } from '../specification/drafts';
import { dateOf } from '../specification/imported-file';
import type { IViewProps } from './tab-props';

/** What is left of an environment that was deleted: its text, or the draft that was made of it. */
export function DeletedEnvironment(props: IViewProps & { item: IEnvironment; build: IBuild }): React.ReactElement | null {
  const { trans, commands, place, build, item } = props;
  const { draft, others } = useDrafts(item, build);
  const kept = draft ?? others[0]?.[1];
  const date = dateOf(build, trans.__('build %1', build.number));
  const text = kept?.text ?? build.specification?.text;
  return text ? (
    <>
      <div className="jp-EnvStore-actions">
        {item.permissions.includes('environment::delete') && (
          <TextButton id={CommandIDs.undelete} onClick={() => commands.execute(CommandIDs.undelete, { ...place })}>
            {trans.__('Undo the deletion')}
          </TextButton>
        )}
        <TextButton
          id="envstore:create-again"
          onClick={() => commands.execute(CommandIDs.create, asArgs({ ...place, text, file: kept ? kept.file : date }))}
        >
          {trans.__('Create again from this text')}
        </TextButton>
      </div>
      <pre className="jp-EnvStore-code" tabIndex={0} aria-label={trans.__('Specification')}>
        {text}
      </pre>
    </>
  ) : null;
}
