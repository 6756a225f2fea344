import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { usePending, useTyped } from '../../components/field-hooks';
import { useLoaded } from '../../components/hooks';
import type { IContent } from '../../store/types';
import type { ITabProps } from './tab-props';

/** A version, or bounds with commas between them. */
const BOUNDS = /^(?:[<>=!~]{1,2}\s*)?[0-9*][\w.!+*-]*(?:\s*[,|]\s*(?:[<>=!~]{1,2}\s*)?[0-9*][\w.!+*-]*)*$/;

interface IVersionProps extends Pick<ITabProps, 'trans' | 'completer'> {
  found: IContent;
  bound: string;
  channels: string[];
  /** Take what was typed; `isDone` where the user goes on in the row. */
  take: (bound: string, isDone: boolean) => void;
  leave: () => void;
}

/** Ask for the version of a package, below its row: Enter takes it, Escape leaves it. */
export function VersionField(props: IVersionProps): React.ReactElement {
  const { found, trans, completer, channels } = props;
  const { text, type, take, problem, field } = useVersion(props);
  const list = React.useId();
  const known = useLoaded(
    found.manager === 'conda' ? () => completer.versions(found.name, channels).catch(() => []) : null,
    [found.name]
  );
  return (
    <form
      className="jp-EnvStore-details jp-EnvStore-actions"
      onSubmit={event => {
        event.preventDefault();
        take(true);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.leave();
        }
      }}
    >
      <label>
        {trans.__('Version of %1', found.name)}{' '}
        <input
          ref={field}
          className="jp-mod-styled"
          autoFocus
          list={list}
          value={text}
          placeholder={trans.__('the newest that fits')}
          onFocus={event => event.target.select()}
          onChange={event => type(event.target.value)}
        />
      </label>
      <datalist id={list}>{(known.value ?? []).map(version => <option key={version} value={version} />)}</datalist>
      <TextButton primary onClick={() => void take(true)}>
        {trans.__('Change')}
      </TextButton>
      <TextButton onClick={props.leave}>{trans.__('Cancel')}</TextButton>
      {problem && (
        <span role="alert" className="jp-EnvStore-error">
          {problem}
        </span>
      )}
      <span className="jp-EnvStore-sub">
        {trans.__('For example: %1 or <2. Leave it empty for the newest that fits.', found.version)}
      </span>
    </form>
  );
}

/** What is typed as a version, and why it cannot be taken. */
interface ITypedVersion {
  text: string;
  type: (text: string) => void;
  /** Take it; false where it is not a version. */
  take: (isDone: boolean) => boolean;
  problem: string;
  field: React.RefObject<HTMLInputElement>;
}

/** Keep what is typed as a version; it is taken before an action that needs it, too. */
function useVersion(props: IVersionProps): ITypedVersion {
  const { found, trans } = props;
  const [text, setText] = React.useState(props.bound);
  const setTyped = useTyped('version')[1]; // for actions elsewhere that would leave it out
  React.useEffect(() => () => setTyped(''), [setTyped]);
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const take = (isDone: boolean): boolean => {
    const bound = text.trim();
    if (bound === props.bound) {
      if (isDone) {
        props.leave();
      }
    } else if (bound && !BOUNDS.test(bound)) {
      setProblem(trans.__('“%1” is not a version or a range. For example: %2, <2, >=1,<2', bound, found.version));
      field.current?.focus();
      return false;
    } else {
      props.take(bound, isDone);
      setTyped('');
    }
    return true;
  };
  usePending(() => take(false));
  const type = (next: string) => {
    setText(next);
    setTyped(next.trim() === props.bound ? '' : `${found.name} ${next.trim()}`);
    setProblem('');
  };
  return { text, type, take, problem, field };
}
