import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { Link } from '../../components/buttons';
import { isChannelAway, SetMirror } from '../../components/channel-errors';
import { ErrorBox } from '../../components/error-box';
import type { IProps } from '../../components/props';
import { copy } from '../../lab/clipboard';
import { EnvStoreError } from '../../store/errors';
import type { IPlace } from '../../store/types';
import type { IFileDraft } from '../shared/file-draft';
import { asArgs } from '../shared/view-types';

/** Why a text was not built, and what can be done. */
export function SubmitError(
  props: IProps & { error: Error; place: IPlace; text: string; file?: IFileDraft; again: () => unknown }
): React.ReactElement {
  const { error, place, text, file, trans, commands, model } = props;
  const status = error instanceof EnvStoreError ? error.status : 0;
  const own = model.permissions?.primary_namespace;
  if (status === 403) {
    const request = trans.__('Please give me a role in %1 that lets me build %2.', place.namespace, place.name);
    return (
      <ErrorBox message={trans.__('You can use %1, but not change it. Your text is kept. (%2)', place.namespace, error.message)}>
        {own && own !== place.namespace && model.writable.includes(own) && (
          <Link
            id="envstore:save-to-own"
            onClick={() => commands.execute(CommandIDs.create, asArgs({ namespace: own, name: place.name, text, file }))}
          >
            {trans.__('Save to my namespace')}
          </Link>
        )}
        <Link onClick={() => copy(request, trans.__('Copied: send it to an admin of %1', place.namespace))}>
          {trans.__('Ask an admin')}
        </Link>
      </ErrorBox>
    );
  }
  return (
    <ErrorBox message={status === 0 || status >= 500 ? trans.__('Not built. Your text is kept. %1', error.message) : error.message}>
      {(status === 0 || status >= 500 || status === 409 || status === 429) && (
        <Link id="envstore:build-again" onClick={props.again}>
          {trans.__('Try again')}
        </Link>
      )}
      {isChannelAway(error) && <SetMirror {...props} />}
      <Link onClick={() => copy(text, trans.__('Copied'))}>{trans.__('Copy my text')}</Link>
    </ErrorBox>
  );
}
