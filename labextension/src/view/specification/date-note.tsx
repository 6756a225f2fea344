import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';

/** Until when packages count in a build, and the way to have it otherwise. */
export function DateNote(props: {
  dated: string;
  /** What the date is of: a file, a build. */
  source: string;
  takesNewer: boolean;
  /** Let the date count, or not; nothing for those who build nothing. */
  setTakesNewer?: (takes: boolean) => void;
  trans: TranslationBundle;
}): React.ReactElement {
  const { dated, source, takesNewer, setTakesNewer, trans } = props;
  return (
    <div role="status">
      {takesNewer
        ? trans.__('The date %1 of %2 (exclude-newer) is ignored.', dated, source)
        : trans.__('Packages uploaded after %1 are left out, as in %2 (exclude-newer).', dated, source)}{' '}
      {setTakesNewer && (
        <Link id="envstore:take-newer" onClick={() => setTakesNewer(!takesNewer)}>
          {takesNewer ? trans.__('Leave out newer packages') : trans.__('Include newer packages')}
        </Link>
      )}
    </div>
  );
}
