import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { usePending, useTyped } from '../../components/field-hooks';
import type { IProps } from '../../components/props';

interface ILinkProps {
  trans: IProps['trans'];
  /** Read a file; what was not read (false) is asked about again. */
  onLink: (address: string) => Promise<boolean>;
  /** Called before the field asks something, so that it can be made visible. */
  onAsk: () => void;
}

/** A field for the address of a file. */
export function LinkField(props: ILinkProps): React.ReactElement {
  const { trans } = props;
  const { address, type, read, problem, field } = useLink(props);
  const words = address.trim();
  return (
    <>
      <div className="jp-EnvStore-bar">
        <input
          ref={field}
          className="jp-mod-styled"
          type="url"
          aria-label={trans.__('Link to a file')}
          placeholder={trans.__('Link to one of these files')}
          value={address}
          aria-invalid={problem !== ''}
          onChange={event => type(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter' && words && !event.ctrlKey && !event.metaKey) {
              event.preventDefault();
              void read();
            }
          }}
        />
        <TextButton disabled={!words} onClick={read}>
          {trans.__('Read')}
        </TextButton>
      </div>
      {problem && (
        <div role="alert" className="jp-EnvStore-error">
          {problem}
        </div>
      )}
    </>
  );
}

/** A link that is typed, and what is wrong with it. */
interface ILink {
  address: string;
  type: (address: string) => void;
  read: () => Promise<void>;
  problem: string;
  field: React.RefObject<HTMLInputElement>;
}

/** Keep a link that is typed; before an action, the user is asked about a link that was not read. */
function useLink(props: ILinkProps): ILink {
  const { trans } = props;
  const [address, setAddress] = useTyped('link');
  const [taken, setTaken] = React.useState('');
  const [problem, setProblem] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  const words = address.trim();
  const ask = (what: string): false => {
    setProblem(what);
    props.onAsk();
    window.setTimeout(() => field.current?.focus(), 0); // once it is seen
    return false;
  };
  const read = async () => {
    if (!/^https?:\/\/\S+$/.test(words)) {
      ask(trans.__('“%1” is not a link. A link begins with https:// or http://', words));
      return;
    }
    setProblem('');
    if (await props.onLink(words)) {
      setTaken(words);
    }
  };
  usePending(
    () => !words || words === taken || ask(trans.__('This link was not read yet. Press Read, or clear the field.'))
  );
  const type = (next: string) => {
    setAddress(next);
    setProblem('');
  };
  return { address, type, read, problem, field };
}
