import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { TextButton } from '../../components/buttons';
import { ErrorBox } from '../../components/error-box';
import type { IBuild, IEnvironment } from '../../store/types';
import { asArgs } from '../shared/view-types';
import { useDrafts } from '../specification/drafts';
import { dateOf } from '../specification/imported-file';
import type { IViewProps } from './tab-props';

interface IProps extends IViewProps {
  item: IEnvironment;
  /** The build that was shown; undefined if the environment was deleted before one was loaded. */
  build: IBuild | undefined;
  close: () => void;
}

/** The view of an environment that was deleted: its deletion can be undone, and its text can be copied. */
export function DeletedEnvironment(props: IProps): React.ReactElement {
  const { trans, place, build, close } = props;
  const name = `${place.namespace}/${place.name}`;
  return (
    <>
      <ErrorBox
        message={
          build ? trans.__('%1 was deleted. Its text can still be copied here.', name) : trans.__('%1 was deleted.', name)
        }
      >
        <TextButton onClick={close}>{trans.__('Close')}</TextButton>
      </ErrorBox>
      {build ? (
        <WhatIsLeft {...props} build={build} />
      ) : (
        <div className="jp-EnvStore-actions">
          <Undo {...props} />
        </div>
      )}
    </>
  );
}

/** A button that undoes the deletion, for those who could delete. */
function Undo({ trans, commands, place, item }: IProps): React.ReactElement | null {
  return item.permissions.includes('environment::delete') ? (
    <TextButton id={CommandIDs.undelete} onClick={() => commands.execute(CommandIDs.undelete, { ...place })}>
      {trans.__('Undo the deletion')}
    </TextButton>
  ) : null;
}

/** The text of the build that was shown, or the draft that was made of it. */
function WhatIsLeft(props: IProps & { build: IBuild }): React.ReactElement {
  const { trans, commands, place, build, item } = props;
  const { draft, others } = useDrafts(item, build);
  const kept = draft ?? others[0]?.[1];
  const date = dateOf(build, trans.__('build %1', build.number));
  const text = kept?.text ?? build.specification?.text;
  return (
    <>
      <div className="jp-EnvStore-actions">
        <Undo {...props} />
        {text && (
          <TextButton
            id="envstore:create-again"
            onClick={() => commands.execute(CommandIDs.create, asArgs({ ...place, text, file: kept ? kept.file : date }))}
          >
            {trans.__('Create again from this text')}
          </TextButton>
        )}
      </div>
      {text && (
        <pre className="jp-EnvStore-code" tabIndex={0} aria-label={trans.__('Specification')}>
          {text}
        </pre>
      )}
    </>
  );
}
