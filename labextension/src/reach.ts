import type { TranslationBundle } from '@jupyterlab/translation';
import type { IArtifact } from './types';

/** Say where alone the addresses in a list of packages work; empty where they work anywhere. */
export function reachWords(artifact: Pick<IArtifact, 'reach'>, trans: TranslationBundle): string {
  switch (artifact.reach) {
    case 'here':
      return trans.__('Works on this machine alone. For others: archive or installer.');
    case 'private':
      return trans.__('Works in this network alone. For others: archive or installer.');
    default:
      return '';
  }
}
