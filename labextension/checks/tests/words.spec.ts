import { nullTranslator } from '@jupyterlab/translation';
import { specificationText } from '../../src/commands/kernel-packages';
import { firstWords } from '../../src/components/channel-errors';
import { artifactTitles, linesBySteps, step, stepTitle } from '../../src/presentation/build-steps';
import { clause, withTree } from '../../src/presentation/error-text';
import { age, duration, inLine, size } from '../../src/presentation/formats';
import { buildMark, mark, tookSeconds } from '../../src/presentation/status';
import { newestFirst } from '../../src/presentation/versions';
import { containsWords } from '../../src/sidebar/environment-filter';
import { EnvStoreError } from '../../src/store/errors';
import type { IBuild, IEnvironment, IProgress } from '../../src/store/types';
import { stagedWords } from '../../src/view/environment/staged-changes';
import { changeWords, isMajor, joined } from '../../src/view/specification/package-changes';
import { distance } from '../../src/view/specification/package-completer';
import { boundedSpec, bounds, isSpec, nameOf } from '../../src/view/specification/requirements';
import { faultsOf, fixed, withChannel } from '../../src/view/specification/specification-fixes';
import { cudaOf, listedPlatforms, withCuda, withPlatforms } from '../../src/view/specification/specification-text';
import { surroundings } from '../../src/view/specification/yaml-completion';

const trans = nullTranslator.load('jupyter_envstore');
const NOW = new Date('2026-11-24T12:00:00Z');

function environment(more: object): IEnvironment {
  return { active: true, newest_build_status: 'COMPLETED', current_build: {}, ...more } as unknown as IEnvironment;
}

describe('what is said of an environment', () => {
  it('keeps apart whether it can be used and how the newest build went', () => {
    expect(mark(environment({}), trans).words).toBe('Ready');
    expect(mark(environment({ newest_build_status: 'FAILED' }), trans).kind).toBe('warning');
    expect(mark(environment({ active: false, newest_build_status: 'FAILED' }), trans).kind).toBe('failed');
    expect(mark(environment({ current_build: { packed_away: true } }), trans).words).toBe('Packed away');
    expect(mark(environment({ newest_build_status: 'BUILDING' }), trans).kind).toBe('ready');
    expect(mark(environment({ active: false, newest_build_status: 'BUILDING' }), trans).kind).toBe('building');
  });

  it('does not pretend to know what runs when the connection is lost', () => {
    const builds = { active: false, newest_build_status: 'BUILDING' };
    expect(mark(environment(builds), trans, false).kind).toBe('unknown');
    expect(mark(environment({}), trans, false).kind).toBe('ready');
  });

  it('tells ages in one short word', () => {
    expect(age('2026-11-24T11:59:30', NOW, trans)).toBe('now');
    expect(age('2026-11-24T11:57:00', NOW, trans)).toBe('3 min');
    expect(age('2026-11-24T10:00:00', NOW, trans)).toBe('2 h');
    expect(age('2026-11-22T12:00:00', NOW, trans)).toBe('2 d');
    expect(age('2024-11-24T12:00:00', NOW, trans)).toBe('2 y');
    expect(age(null, NOW, trans)).toBe('');
  });

  it('tells bytes and durations for people', () => {
    expect([0, 999, 1234, 67_400_000, 319_000_000].map(size)).toEqual(['0 B', '999 B', '1.2 kB', '67.4 MB', '319 MB']);
    expect([0.04, 12.4, 75].map(duration)).toEqual(['0.0 s', '12 s', '1:15 min']);
    expect(duration(null)).toBe('');
  });
});

describe('what is said of a build', () => {
  const build = { status: 'COMPLETED', started_on: '2026-11-24T12:00:00', ended_on: '2026-11-24T12:00:12.5' };

  it('tells its state and how long it took', () => {
    expect(buildMark(build as IBuild, trans).words).toBe('Ready');
    expect(buildMark({ ...build, packed_away: true } as IBuild, trans).words).toBe('Packed away');
    expect(tookSeconds(build as IBuild)).toBe(12.5);
    expect(tookSeconds({ ...build, ended_on: null } as IBuild)).toBeNull();
  });

  it('tells which step runs and how far it is', () => {
    const running = { name: 'fetch', state: 'running', done: 61, total: 100 };
    const progress = { status: 'BUILDING', steps: [{ name: 'solve', state: 'done' }, running] };
    expect(step(progress as unknown as IProgress, trans)).toEqual({ words: 'Downloading 61 %', part: 0.61 });
    expect(step(undefined, trans).part).toBeNull();
  });

  it('gives the lines of a log to their steps', () => {
    const lines = [
      '10:00:00 Find versions',
      '10:00:00 channels: conda-forge',
      '10:00:01 Find versions: done in 0.4 s',
      '10:00:01 Download packages',
      '10:00:02 Make lockfile: done in 0.1 s'
    ];
    const found = linesBySteps(lines);
    expect(found.get('solve')).toEqual(lines.slice(0, 3));
    expect(found.get('fetch')).toEqual([lines[3]]);
    expect(found.get('artifact-lockfile')).toEqual([lines[4]]);
    const again = linesBySteps(['Make installer', 'half', 'Make installer', 'Make installer: done in 2.8 s']);
    expect(again.get('artifact-installer')).toEqual(['Make installer', 'half']);
    expect(again.get('artifact-installer#2')).toEqual(['Make installer', 'Make installer: done in 2.8 s']);
  });

  it('names the step of an artifact that another package makes by its title, and finds its lines', () => {
    const titles = artifactTitles([{ type: 'names', title: trans.__('list of names') }]);
    const made = { name: 'artifact-names' };
    expect(stepTitle(made, trans, titles)).toBe('Make list of names');
    expect(stepTitle(made, trans)).toBe('Make names');
    expect(stepTitle({ name: 'artifact-yaml' }, trans, titles)).toBe('Make pinned YAML');
    const lines = ['Link packages', 'Link packages: done in 0.4 s', 'Make list of names', 'Make list of names: done in 0.1 s'];
    const found = linesBySteps(lines, titles);
    expect(found.get('link')).toEqual(lines.slice(0, 2));
    expect(found.get('artifact-names')).toEqual(lines.slice(2));
    const running = { ...made, state: 'running', done: 0, total: 0 };
    expect(step({ status: 'COMPLETED', steps: [running] } as unknown as IProgress, trans).words).toBe('Make names');
  });

  it('tells the reason of a failure in one clause', () => {
    expect(clause('no package x\n  because of y')).toBe('no package x');
    expect(clause('a'.repeat(200))).toHaveLength(89);
  });

  it('tells what changed in a few words', () => {
    const changes = ['a', 'b', 'c', 'd'].map(name => ({ change: 'added', manager: 'conda', name, from: '', to: '1' }) as const);
    expect(changeWords(changes, 'same')).toBe('+ a, + b, + c … (4)');
    expect(changeWords([], 'same')).toBe('same');
    expect(changeWords(undefined, 'same')).toBe('');
    const major = { change: 'changed', manager: 'conda', name: 'numpy', from: '1.26.4 h1', to: '2.1.0 h2' } as const;
    expect(isMajor(major)).toBe(true);
    expect(isMajor({ ...major, to: '1.27.0 h2' })).toBe(false);
  });
});

describe('what is typed', () => {
  it('is known by the name of the package that it is about', () => {
    expect(['numpy <2', 'conda-forge::NumPy', 'pip:rich>=1', 'numpy=1.2'].map(nameOf)).toEqual([
      'numpy',
      'numpy',
      'pip:rich',
      'numpy'
    ]);
  });

  it('is completed among dependencies alone, from the channels of the file', () => {
    const text = 'channels: [a, "b"]\ndependencies:\n  - num\n  - pip:\n      - ric\n';
    expect(surroundings(text, 3)).toEqual({ key: 'dependencies', inPip: false, channels: ['a', 'b'] });
    expect(surroundings(text, 5).inPip).toBe(true);
    expect(surroundings('channels:\n  - conda-forge  # ours\n', 2)).toEqual({
      key: 'channels',
      inPip: false,
      channels: ['conda-forge']
    });
  });

  it('is offered newest versions first', () => {
    expect(['1.9', '1.10', '2.0', '1.2'].sort(newestFirst)).toEqual(['2.0', '1.10', '1.9', '1.2']);
  });
});

describe('what a kernel has', () => {
  it('becomes a specification with channels, conda and PyPI packages', () => {
    const listed = {
      python: '3.12',
      channels: ['https://host.example/c'],
      conda: { python: '3.12.1', numpy: '2.1.0' },
      pip: { rich: '13.0', ipykernel: '7' }
    };
    expect(specificationText(listed)).toBe(
      'channels:\n  - "https://host.example/c"\ndependencies:\n  - python=3.12\n  - ipykernel\n' +
        '  - numpy=2.1.0\n  - pip\n  - pip:\n      - rich==13.0\n'
    );
  });
});

describe('a misspelled package', () => {
  it('is marked at its line, and put right there and nowhere else', () => {
    const text = 'name: nmupy\ndependencies:\n  - python\n  - "nmupy>=1" # not nmupy2\n';
    const error = new EnvStoreError('no package nmupy in c; did you mean numpy?', 400, 'unsatisfiable', [], {
      nmupy: ['numpy', 'numba']
    });
    const [fault, ...others] = faultsOf(error, text);
    expect(others).toEqual([]);
    expect([fault?.line, fault?.fix?.meant]).toEqual([4, ['numpy', 'numba']]);
    expect(fixed(text, fault!, 'numpy')).toBe(text.replace('"nmupy>=1"', '"numpy>=1"'));
  });
});

describe('several names that no channel has', () => {
  const first = 'no package nmupy in https://host.example/c; did you mean numpy?';
  const second = 'no package flask >=99 in https://host.example/c; the newest there is 3.1';
  const error = new EnvStoreError(`${first}\n${second}`, 400, 'unsatisfiable', [], { nmupy: ['numpy'] });

  it('are marked, each at its line with its own words and ways out', () => {
    const found = faultsOf(error, 'dependencies:\n  - python\n  - flask>=99\n  - nmupy\n');
    expect(found.map(fault => [fault.line, fault.message, fault.fix?.meant])).toEqual([
      [4, first, ['numpy']],
      [3, second, undefined]
    ]);
  });
});

describe('a message with the tree of a solver', () => {
  it('is told by what stands around the tree; another stays whole', () => {
    const tree = '├─ gsw * needs\n│  └─ numpy <2\n└─ numba * needs\n   └─ numpy >=2';
    expect(withTree(`they cannot be together:\nincompatible\n${tree}\ntry numba <1`)).toEqual({
      before: 'they cannot be together:\nincompatible',
      tree,
      after: 'try numba <1'
    });
    expect(withTree(`cannot\n${tree}`).after).toBe('');
    const script = 'the post-link script of a 1.0 fails:\n  no licence found\nleave the package out';
    expect(withTree(script)).toEqual({ before: script, tree: '', after: '' });
  });
});

describe('packages that conflict', () => {
  const error = new Error(
    'these requirements cannot be met together:\nThe following packages are incompatible\n' +
      '├─ gsw * can be installed with any of the following options:\n│  └─ gsw 1.0 would require\n' +
      '└─ numba * cannot be installed because there are no viable options:\n   └─ numba 1.0 would require\n'
  );

  it('are marked, each at its line', () => {
    const found = faultsOf(error, 'name: x\ndependencies:\n  - numba\n  - gsw >=1\n');
    expect(found.map(fault => [fault.line, fault.message])).toEqual([
      [3, 'numba conflicts with gsw >=1 (line 4)'],
      [4, 'gsw >=1 conflicts with numba (line 3)']
    ]);
    const twice = faultsOf(error, 'dependencies:\n  - numba <2  # old\n  - numba >=2\n');
    expect(twice.map(fault => [fault.line, fault.message])).toEqual([
      [2, 'numba <2 conflicts with numba >=2 (line 3)'],
      [3, 'numba >=2 conflicts with numba <2 (line 2)']
    ]);
  });

  it('are marked once where they stand in one line', () => {
    const [fault, ...others] = faultsOf(error, 'dependencies: [numba, gsw]\n');
    expect(others).toEqual([]);
    expect([fault?.line, fault?.message]).toEqual([1, 'gsw, numba conflict with each other']);
  });
});

describe('staged changes', () => {
  const numpy = { name: 'numpy', version: '1.26.4', manager: 'conda' } as IContent;

  it('say what they put in place of what', () => {
    expect(stagedWords('numpy=2.1.0', [numpy])).toBe('↑ numpy 1.26.4 → 2.1.0');
    expect(stagedWords('conda-forge::numpy==1.9', [numpy])).toBe('↓ numpy 1.26.4 → 1.9');
    expect(stagedWords('numpy<3', [numpy])).toBe('± numpy 1.26.4 → <3');
    expect(stagedWords('pip:numpy', [numpy])).toBe('+ pip:numpy');
    expect(stagedWords('seaborn', [numpy])).toBe('+ seaborn');
  });

  it('name packages', () => {
    for (const spec of ['numpy', 'numpy>=2', 'numpy 2.*', 'pytorch::torch', 'pip:rich[jupyter]>=13', '_libgcc_mutex', 'dask[complete]']) {
      expect([spec, isSpec(spec)]).toEqual([spec, true]);
    }
    for (const text of ['###', '', '- numpy', 'numpy;ls', '>=2', 'pip:', '../x y z!']) {
      expect([text, isSpec(text)]).toEqual([text, false]);
    }
  });
});

describe('the line of builds', () => {
  it('counts as people do', () => {
    expect([1, 2, 3, 4, 11, 21].map(place => inLine(place, trans))).toEqual([
      '1st in line', '2nd in line', '3rd in line', '4th in line', '11th in line', '21st in line'
    ]);
  });
});

describe('a package that goes over to PyPI', () => {
  it('is one change', () => {
    const of = (change: string, manager: string, name: string, from: string, to: string) =>
      ({ change, manager, name, from, to }) as any;
    const found = joined([
      of('removed', 'conda', 'My_tool', '1.0', ''),
      of('added', 'pip', 'my-tool', '', '2.0'),
      of('added', 'conda', 'other', '', '1')
    ]);
    expect(found.map(item => [item.change, item.name, item.from, item.to, item.left])).toEqual([
      ['changed', 'my-tool', '1.0', '2.0', 'conda'],
      ['added', 'other', '', '1', undefined]
    ]);
  });
});

describe('the version of CUDA', () => {
  const plain = 'name: x\ndependencies:\n  - python\n';
  const block = "name: x\nsystem-requirements:\n  cuda: '12.4'\ndependencies:\n  - python\n";

  it('is put before the packages, changed there, and taken away', () => {
    expect(withCuda(plain, '12.4')).toBe(block);
    expect(cudaOf(block)).toBe('12.4');
    expect(withCuda(block, '13.0')).toBe(block.replace('12.4', '13.0'));
    expect(withCuda(block, '')).toBe(plain);
    expect(cudaOf(plain)).toBe('');
  });

  it('leaves other requirements and comments alone', () => {
    const text = 'system-requirements:\n  glibc: "2.28"\n  cuda: 11.8  # old\ndependencies: [a]\n';
    expect(withCuda(text, '12.4')).toBe(text.replace('11.8', "'12.4'"));
    expect(withCuda(text, '')).toBe('system-requirements:\n  glibc: "2.28"\ndependencies: [a]\n');
    expect(withCuda('system-requirements: {glibc: "2.28", cuda: "11.8"}\n', '12.4')).toBe(
      "system-requirements: {glibc: \"2.28\", cuda: '12.4'}\n"
    );
    expect(withCuda('system-requirements: {cuda: "11.8", glibc: "2.28"}\n', '')).toBe(
      'system-requirements: {glibc: "2.28"}\n'
    );
    expect(withCuda('system-requirements: {cuda: "11.8"}\ndependencies: [a]\n', '')).toBe('dependencies: [a]\n');
    const wide = 'system-requirements:\n    # ours\n    glibc: "2.28"\ndependencies: [a]\n';
    expect(withCuda(wide, '12.4')).toBe(wide.replace('    # ours', "    cuda: '12.4'\n    # ours"));
    expect(withCuda(withCuda(wide, '12.4'), '')).toBe(wide);
    const flow = 'system-requirements: {\n  glibc: "2.28"\n}\ndependencies: [a]\n';
    expect(withCuda(flow, '12.4')).toBe(flow.replace('{\n', "{cuda: '12.4', \n"));
    expect(withCuda('system-requirements:\n  "cuda": "11.8"\n', '12.4')).toBe(
      'system-requirements:\n  "cuda": \'12.4\'\n'
    );
  });
});

describe('a refused channel', () => {
  it.each([
    ['channels: [defaults]\n', 'channels: [good]\n'],
    ['channels:\n  - "defaults"  # ours\n', 'channels:\n  - "good"  # ours\n'],
    ['channels: [defaults, good]\n', 'channels: [good]\n'],
    ['channels: [good, "defaults"]\n', 'channels: [good]\n'],
    ['channels:\n  - good\n  - defaults\ndependencies: [a]\n', 'channels:\n  - good\ndependencies: [a]\n'],
    ['channels: [defaults-x]  # defaults\n', 'channels: [defaults-x]  # defaults\n'],
    ['name: defaults\ndependencies:\n  - defaults::a\n', 'name: defaults\ndependencies:\n  - good::a\n'],
    ['channels: [defaults,\n   good]\n', 'channels: [\n   good]\n'],
    ['dependencies: [defaults::a, "defaults/noarch::b"]\n', 'dependencies: [good::a, "good/noarch::b"]\n']
  ])('gives way to an allowed one: %j', (text, wanted) => {
    expect(withChannel(text, 'defaults', 'good')).toBe(wanted);
  });

  it('may be an address', () => {
    const text = 'channels: [https://h.example/c?x=1]\n';
    expect(withChannel(text, 'https://h.example/c?x=1', 'good')).toBe('channels: [good]\n');
  });
});

describe('other bounds', () => {
  it.each([
    ['conda', 'x', '1.2', 'x=1.2'],
    ['conda', 'x <1', '<2', 'x <2'],
    ['conda', 'forge::x >=1.2', '', 'forge::x'],
    ['conda', null, '>3', 'x >3'],
    ['pip', 'x', '1.2', 'pip:x==1.2'],
    ['pip', 'x[security]>=2', '>=3', 'pip:x[security]>=3']
  ] as const)('of a %s package that is listed as %s are, typed as %j, %s', (manager, requested, bound, spec) => {
    expect(boundedSpec(bounds({ name: 'x', manager, requested })!.before, bound)).toBe(spec);
  });

  it.each([
    ['conda', "x[version='>1']"],
    ['pip', "x; python_version<'3.9'"],
    ['pip', 'x @ https://host/x.whl']
  ] as const)('are edited in the text for %s packages such as %s', (manager, requested) => {
    expect(bounds({ name: 'x', manager, requested })).toBeNull();
  });
});

describe('the platforms of a specification', () => {
  it.each([
    ['dependencies: [a]\n', ['linux-64'], 'platforms: [linux-64]\ndependencies: [a]\n'],
    ['platforms: [win-64] # all\ndependencies: [a]\n', [], 'dependencies: [a]\n'],
    ['platforms:\n  - win-64\n  - osx-64 # old\nname: x\n', ['linux-64'], 'platforms: [linux-64]\nname: x\n'],
    ['name: x', ['osx-64'], 'name: x\nplatforms: [osx-64]\n'],
    ['platforms:\n\n  - win-64\n  # and\n  - osx-64\n\n# more\nname: x\n', ['osx-64'], 'platforms: [osx-64]\n\n# more\nname: x\n'],
    ['platforms: [win-64,\n  osx-64]\nname: x\n', ['linux-ppc64le'], 'platforms: [linux-ppc64le]\nname: x\n']
  ])('are changed in its text alone: %j', (text, platforms, changed) => {
    expect(withPlatforms(text, platforms)).toBe(changed);
    expect(listedPlatforms(changed)).toEqual(platforms);
  });
});

describe('what is told in one line', () => {
  it.each([
    ['channel http://host/conda-forge/ cannot be read: refused; check it', 'channel_unreachable', 'conda-forge cannot be reached from this server.'],
    ['channel http://host/conda-forge is not there', 'channel_error', 'channel http://host/conda-forge is not there'],
    ['first\nsecond', 'unsatisfiable', 'first']
  ])('of an error: %j', (message, code, words) => {
    expect(firstWords(new EnvStoreError(message, 502, code), trans)).toBe(words);
  });

  it('of packages that a filter found', () => {
    const hits = [
      { name: 'num', version: '3' },
      { name: 'numpy', version: '2.1' }
    ];
    expect(containsWords(hits, 'numpy')).toBe('2.1');
    expect(containsWords(hits, 'nu')).toBe('num 3, numpy 2.1');
    expect(containsWords([], 'nu')).toBe('');
  });
});

test('words are as far apart as letters must be changed', () => {
  const pairs: [string, string, number][] = [
    ['seabron', 'seaborn', 1],
    ['numpy', 'numpy', 0],
    ['nump', 'numpy', 1],
    ['pandsa', 'pandas', 1],
    ['scipi', 'scipy', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3]
  ];
  for (const [one, other, far] of pairs) {
    expect(distance(one, other)).toBe(far);
    expect(distance(other, one)).toBe(far);
  }
});
