import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import type { Action } from '../../components/menus';
import { Picker } from '../specification/platform-pickers';
import type { ITabProps } from './tab-props';

/** A button that goes on with what a build became in place of what was typed for it: every version, or every package. */
export function FormatPicker(
  props: ITabProps & {
    original: string;
    text: string;
    onText: (text: string) => void;
    /** Tell, before it happens, that what was typed is replaced. */
    replaced: (words: string) => void;
  }
): React.ReactElement {
  const { model, trans, build, original, text, onText, replaced } = props;
  const latest = React.useRef({ text, build: build.id });
  latest.current = { text, build: build.id };
  const there = React.useRef(true);
  React.useEffect(() => {
    there.current = true;
    return () => {
      there.current = false;
    };
  }, []);
  const replace = (next: string) => {
    if (text !== original && next !== text) {
      replaced(trans.__('What you wrote was replaced.'));
    }
    onText(next);
  };
  const take = (type: string) => async () => {
    try {
      const found = (await model.api.artifacts(build.id)).find(item => item.type === type && !item.variant);
      if (!found?.url || found.state !== 'ready') {
        throw new Error(found?.reason || trans.__('It is not made yet. See “Logs and artifacts”.'));
      }
      const taken = await model.api.text(found.url);
      if (!there.current || latest.current.text !== text || latest.current.build !== build.id) {
        return; // somebody typed on meanwhile
      }
      replace(taken);
    } catch (error) {
      Notification.error((error as Error).message, { autoClose: 8000 });
    }
  };
  const refused = build.status === 'COMPLETED' ? undefined : trans.__('This build is not ready');
  const actions: Action[] = [
    {
      label: text === original ? trans.__('✓ Original text of build %1', build.number) : trans.__('Original text of build %1', build.number),
      run: () => replace(original)
    },
    { label: trans.__('Pinned: each version as in build %1', build.number), run: take('yaml'), refused },
    { label: trans.__('Lockfile: each package as in build %1', build.number), run: take('lockfile'), refused }
  ];
  return (
    <Picker
      id="envstore:format"
      title={trans.__('Replace the text by exact versions or exact packages')}
      label={trans.__('Format ▾')}
      actions={actions}
    />
  );
}
