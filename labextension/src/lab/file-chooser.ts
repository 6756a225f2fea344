import type { TranslationBundle } from '@jupyterlab/translation';

/** The largest size of a specification, in bytes. */
export const MAX_FILE = 4_000_000;

/** Extensions of files that an environment can be read from. */
const ACCEPTED = '.yml,.yaml,.json,.txt,.toml,.lock,.in,.py,.ipynb';

/** Name the files that an environment can be read from. */
export function acceptedFiles(trans: TranslationBundle): string {
  return trans.__(
    'environment.yml, conda-lock.yml, pixi.toml, pixi.lock, pyproject.toml, pylock.toml, uv.lock, requirements.txt, explicit list, CycloneDX bill of materials, or a Python script or notebook with a script block'
  );
}

/** Let the user choose an environment file; null if they choose none. */
export function chooseFile(): Promise<File | null> {
  return new Promise(resolve => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = ACCEPTED;
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.addEventListener('cancel', () => resolve(null));
    input.click();
  });
}
