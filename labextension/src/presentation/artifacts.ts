import type { TranslationBundle } from '@jupyterlab/translation';
import type { IArtifact } from '../store/types';

/** Say where the addresses in a list of packages work; empty if they work everywhere. */
export function reachWords(artifact: Pick<IArtifact, 'reach'>, trans: TranslationBundle): string {
  switch (artifact.reach) {
    case 'here':
      return trans.__('Works only on this machine. Elsewhere, use an archive or an installer.');
    case 'private':
      return trans.__('Works only in this network. Elsewhere, use an archive or an installer.');
    default:
      return '';
  }
}
/** Say the same in a few words, for a menu. */
export function reachMark(artifact: Pick<IArtifact, 'reach'>, trans: TranslationBundle): string {
  switch (artifact.reach) {
    case 'here':
      return trans.__('only on this machine');
    case 'private':
      return trans.__('only in this network');
    default:
      return '';
  }
}
/** How an artifact is shown: its title and buttons, and how it is used on another machine. */
interface IArtifactWords {
  title: string;
  show?: string;
  download?: string;
  purpose: string;
  use: (file: string, name: string, tools: Record<string, string>) => string[];
}
/** Return title, buttons and usage of an artifact type; only the title is known of a type from another package. */
export function artifactWords(type: string, trans: TranslationBundle, title = type): IArtifactWords {
  const known = { ...wordsForPeople(trans), ...wordsForOtherTools(trans) };
  return known[type] ?? { title, download: trans.__('Download'), purpose: '', use: () => [] };
}

/** Return the words for files that bring a whole environment. */
function wordsForPeople(trans: TranslationBundle): Record<string, IArtifactWords> {
  return {
    yaml: {
      title: trans.__('YAML, pinned'),
      show: trans.__('Show yml file'),
      purpose: trans.__('to read, or for conda env create'),
      use: file => [`conda env create -f ${file}`, `jupyter envstore build ${file}`]
    },
    lockfile: {
      title: trans.__('Lockfile'),
      show: trans.__('Show lockfile'),
      purpose: trans.__('exact; for conda-lock, or to build it again'),
      use: (file, name) => [`conda-lock install -n ${name} ${file}`, `jupyter envstore build ${file} --name ${name}`]
    },
    explicit: {
      title: trans.__('Explicit list'),
      show: trans.__('Show explicit list'),
      purpose: trans.__('exact, one platform; for plain conda'),
      use: (file, name) => [`conda create -n ${name} --file ${file}`]
    },
    archive: {
      title: trans.__('Archive'),
      download: trans.__('Download archive'),
      purpose: trans.__('runs once it is unpacked; conda is not needed'),
      use: (file, name) => [
        `mkdir ${name} && tar -xf ${file} -C ${name}`,
        `source ${name}/bin/activate && conda-unpack`,
        `${name}/bin/python`
      ]
    },
    installer: {
      title: trans.__('Installer'),
      download: trans.__('Download installer'),
      purpose: trans.__('one file to run; a network is not needed'),
      use: (file, name, tools) => file.endsWith('.exe')
        ? [`start /wait "" ${file} /S /D=%USERPROFILE%\\${name}`]
        : file.endsWith('.pkg')
          ? [`installer -pkg ${file} -target CurrentUserHomeDirectory`]
          : tools.maker === 'constructor'
            ? [`sh ${file} -b -p ~/${name}`, `~/${name}/bin/python`, `rm -rf ~/${name}`]
            : [`sh ${file} -b -p ~/${name}`, `. ~/${name}/bin/activate`, `sh ~/${name}/uninstall.sh`]
    },
    docker: {
      title: trans.__('Docker image'),
      show: trans.__('Show Docker image'),
      download: trans.__('Download image'),
      purpose: trans.__('to run in a container'),
      use: file => [`docker load < ${file}`, `skopeo copy oci-archive:${file} docker://REGISTRY/NAME:TAG`]
    }
  };
}

/** Return the words for files that other tools read. */
function wordsForOtherTools(trans: TranslationBundle): Record<string, IArtifactWords> {
  return {
    pixi: {
      title: trans.__('pixi workspace'),
      download: trans.__('Download pixi workspace'),
      purpose: trans.__('exact; pixi.toml and pixi.lock'),
      use: (file, name) => [`unzip ${file} && cd ${name}`, 'pixi install --locked']
    },
    pylock: {
      title: trans.__('pylock.toml'),
      show: trans.__('Show pylock.toml'),
      purpose: trans.__('PyPI packages, exact, one platform; for uv and pip'),
      use: file => [`uv pip sync ${file}`]
    },
    requirements: {
      title: trans.__('requirements.txt'),
      show: trans.__('Show requirements.txt'),
      purpose: trans.__('PyPI packages with hashes, one platform; for pip'),
      use: file => [`pip install --no-deps --require-hashes -r ${file}`]
    },
    sbom: {
      title: trans.__('Bill of materials'),
      show: trans.__('Show bill of materials'),
      purpose: trans.__('CycloneDX; for scanners'),
      use: (file, name) => [`jupyter envstore build --fix ${file} --name ${name}`]
    }
  };
}
