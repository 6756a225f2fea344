import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import * as React from 'react';
import { CommandIDs } from '../../command-ids';
import { useLoaded } from '../../components/hooks';
import type { Action } from '../../components/menus';
import { size } from '../../presentation/formats';
import type { EnvStoreModel } from '../../store/model';
import type { IBuild } from '../../store/types';

/** Return what is known of a build's kept packages, in a few words; empty where none are kept. */
export function keptWords(row: IBuild, trans: TranslationBundle, percent?: number): string {
  const { state, size: bytes, missing } = row.kept_packages;
  switch (state) {
    case 'keeping':
      return percent === undefined ? trans.__('keeping packages…') : trans.__('keeping packages… %1 %', percent);
    case 'kept':
      return trans.__('kept with its packages, %1', size(bytes));
    case 'partly':
      return trans._n('kept, except for %1 package', 'kept, except for %1 packages', missing);
    case 'failed':
      return trans.__('packages not kept');
    default:
      return '';
  }
}

/** Return what may be done about the packages of a build: keep them, try again, let them go. */
export function keepActions(
  row: IBuild,
  args: ReadonlyPartialJSONObject,
  commands: CommandRegistry,
  trans: TranslationBundle,
  refused: string | undefined
): Action[] {
  const { state } = row.kept_packages;
  const act = (packages: boolean) => () => void commands.execute(CommandIDs.keepPackages, { ...args, packages });
  const stop = { label: trans.__('Stop Keeping Packages'), run: act(false), refused };
  if (state === 'kept' || state === 'keeping') {
    return [stop];
  }
  const again = state !== 'no';
  const keep = {
    label: again ? trans.__('Try Again to Keep Packages') : trans.__('Keep Packages'),
    run: act(true),
    refused: refused ?? (row.status === 'COMPLETED' ? undefined : trans.__('It is not ready'))
  };
  return again ? [keep, stop] : [keep];
}

/** Says that a build is kept with its packages, how far that is, or what is missing. */
export function KeptBadge(props: { row: IBuild; model: EnvStoreModel; trans: TranslationBundle }): React.ReactElement | null {
  const { row, model, trans } = props;
  const { state } = row.kept_packages;
  const busy = state === 'keeping';
  const loaded = useLoaded(busy ? () => model.api.progress(row.id) : null, [row.id, busy]);
  const { reload } = loaded;
  React.useEffect(() => {
    if (!busy) {
      return undefined;
    }
    const timer = setInterval(reload, 1000);
    return () => clearInterval(timer);
  }, [busy, reload]);
  const step = loaded.value?.steps.filter(found => found.name === 'keep' && found.state === 'running').pop();
  const percent = step?.total ? Math.floor((100 * step.done) / step.total) : undefined;
  const words = keptWords(row, trans, percent);
  if (!words) {
    return null;
  }
  const why = trans.__('The files of its packages are stored. It can be brought back exactly, even if its channels disappear.');
  const being = trans.__('The files of its packages are being stored.');
  const lacking = trans.__('It can be brought back as long as its channels have the packages that could not be stored. The log shows the reasons.');
  return (
    <span className="jp-EnvStore-badge" title={state === 'kept' ? why : busy ? being : lacking}>
      {words}
    </span>
  );
}
