import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Link } from '../../components/buttons';

/** The date until which packages are used, and a link that ignores it. */
export function DateNote(props: {
  dated: string;
  /** What the date is of: a file, a build. */
  source: string;
  takesNewer: boolean;
  /** Use or ignore the date; undefined for users who cannot build. */
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
