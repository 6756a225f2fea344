import * as React from 'react';
import { type IProps, TextButton } from '../components/basics';

/** A field for the address of a file. */
export function LinkField(props: { trans: IProps['trans']; onLink: (address: string) => void }): React.ReactElement {
  const { trans } = props;
  const [address, setAddress] = React.useState('');
  const good = /^https?:\/\/\S+$/.test(address.trim());
  return (
    <div className="jp-EnvStore-bar">
      <input
        className="jp-mod-styled"
        type="url"
        aria-label={trans.__('Link to a file')}
        placeholder={trans.__('Link to a lockfile or an environment.yml')}
        value={address}
        onChange={event => setAddress(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && good) {
            event.preventDefault();
            props.onLink(address.trim());
          }
        }}
      />
      <TextButton disabled={!good} onClick={() => props.onLink(address.trim())}>
        {trans.__('Read')}
      </TextButton>
    </div>
  );
}
