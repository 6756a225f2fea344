import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { type Action, openActions } from '../../components/menus';
import { cudaOf, listedPlatforms, withCuda, withPlatforms } from './specification-text';

const PLATFORMS = ['linux-64', 'linux-aarch64', 'osx-arm64', 'osx-64', 'win-64'];
const CUDA_VERSIONS = ['11.8', '12.4', '12.6', '12.8', '12.9', '13.0'];

interface IPickerProps {
  text: string;
  trans: TranslationBundle;
  onText: (text: string) => void;
}

/** A button with a menu of what a specification may say. */
export function Picker(props: { id: string; title: string; label: string; actions: readonly Action[] }): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-EnvStore-link"
      aria-haspopup="menu"
      data-testid={props.id}
      title={props.title}
      onClick={event => openActions(props.actions, event.currentTarget)}
    >
      {props.label}
    </button>
  );
}

/** A button that says which platforms a specification is locked for, and changes them. */
export function PlatformPicker(props: IPickerProps): React.ReactElement {
  const { text, trans, onText } = props;
  const listed = listedPlatforms(text);
  const known = [...new Set([...PLATFORMS, ...listed])];
  const actions: Action[] = [
    {
      label: trans.__('✓ The server’s own'),
      run: () => undefined,
      refused: trans.__('The lockfile always includes the platform of the server')
    },
    ...known.map(platform => ({
      label: listed.includes(platform) ? `✓ ${platform}` : platform,
      run: () =>
        onText(
          withPlatforms(
            text,
            known.filter(other => listed.includes(other) !== (other === platform))
          )
        )
    }))
  ];
  return (
    <Picker
      id="envstore:platforms"
      title={trans.__('Platforms in the lockfile')}
      label={
        listed.length
          ? trans.__('Platforms: the server’s own, %1 ▾', listed.join(', '))
          : trans.__('Platforms: the server’s own ▾')
      }
      actions={actions}
    />
  );
}

/** A button that says which CUDA a specification takes for granted, where it will run on another machine than this. */
export function GpuPicker(props: IPickerProps): React.ReactElement {
  const { text, trans, onText } = props;
  const cuda = cudaOf(text);
  const known = [...new Set([...CUDA_VERSIONS, ...(cuda ? [cuda] : [])])];
  const marked = (isChosen: boolean, words: string) => (isChosen ? `✓ ${words}` : words);
  const actions: Action[] = [
    { label: marked(!cuda, trans.__('Same as the server')), run: () => onText(withCuda(text, '')) },
    ...known.map(version => ({
      label: marked(version === cuda, trans.__('CUDA %1', version)),
      run: () => onText(withCuda(text, version))
    }))
  ];
  return (
    <Picker
      id="envstore:gpu"
      title={trans.__('Packages are chosen for a machine with this version of CUDA, even if the server has another one')}
      label={cuda ? trans.__('GPU: CUDA %1 ▾', cuda) : trans.__('GPU: as the server ▾')}
      actions={actions}
    />
  );
}

