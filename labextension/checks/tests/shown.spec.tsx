import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { kernelPackage } from '../../src/commands/add-kernel';
import { CommandIDs } from '../../src/command-ids';
import { KernelNote } from '../../src/components/kernel-note';
import { Presence } from '../../src/components/presence';
import { Age } from '../../src/components/age';
import { BuildWarnings, groupedWarnings } from '../../src/components/build-warnings';
import type { EnvStoreModel } from '../../src/store/model';
import { reachWords } from '../../src/presentation/artifacts';
import { builtOn } from '../../src/presentation/status';
import { moment } from '../../src/presentation/formats';
import type { IBuild, IBuildWarning } from '../../src/store/types';
import { SolvedPackages } from '../../src/view/specification/solved-packages';
import { act, draw, node } from './drawn';

const trans = nullTranslator.load('jupyter_envstore');

describe('the preview of a new environment', () => {
  it('lists what is asked for, with versions, and what that needs', () => {
    const found = (name: string, version: string) =>
      ({ name, version, build: '0', subdir: 'noarch', size: 1200, channel_id: 'https://host/forge/' });
    const solved = { packages: [found('zlib', '1.3'), found('numpy', '2.1'), found('python', '3.12')] } as any;
    const checked = { conda: ['python', 'forge::NumPy >=2'], pip: ['textdistance==4'] } as any;
    draw(<SolvedPackages solved={solved} checked={checked} trans={trans} />);
    expect(node.querySelector('dt')?.textContent).toBe('Asked for 3');
    const lines = [...node.querySelectorAll('dd')].map(line => line.textContent);
    expect(lines.slice(0, 3)).toEqual(['numpy 2.1 forge · 1.2 kB', 'python 3.12 forge · 1.2 kB', 'textdistance==4 PyPI']);
    expect(node.querySelector('summary')?.textContent).toBe('and 1 that they need');
    expect(lines.pop()).toContain('zlib 1.3');
  });
});

describe('an environment without a kernel', () => {
  const note = 'no package in it brings a kernel; add ipykernel (or r-irkernel, …), or set add_ipykernel';
  const item = (permissions: string[], kernel_note = note) =>
    ({ active: true, kernel_note, permissions, name: 'data', namespace: { name: 'team' } }) as any;
  const shown = (permissions: string[], kernel_note?: string) => {
    const asked: unknown[] = [];
    const commands = new CommandRegistry();
    commands.addCommand(CommandIDs.addKernel, {
      execute: args => void asked.push(args),
      describedBy: { args: { type: 'object', properties: {} } }
    });
    draw(<KernelNote model={{} as EnvStoreModel} commands={commands} trans={trans} item={item(permissions, kernel_note)} />);
    return { asked, buttons: [...node.querySelectorAll('button')] };
  };

  it('gets one with a click, by whoever may', async () => {
    expect(shown(['environment::read']).buttons).toEqual([]);
    expect(node.textContent).toContain('or set add_ipykernel');
    expect(shown(['environment::update'], 'it is packed away; restore it').buttons).toEqual([]);
    expect(shown(['environment::update']).buttons).toHaveLength(1);
    const { asked, buttons } = shown(['environment::update', 'setting::update']);
    for (const button of buttons) {
      await act(async () => button.click());
    }
    expect(asked[0]).toEqual({ namespace: 'team', name: 'data', always: false });
  });

  it('gets the kernel of its language', () => {
    expect(kernelPackage(['python=3.12', 'numpy'])).toBe('ipykernel');
    expect(kernelPackage(['conda-forge::r-base >=4', 'r-ggplot2'])).toBe('r-irkernel');
    expect(kernelPackage(['r-base', 'python'])).toBe('ipykernel');
    expect(kernelPackage(['rich', 'requests'])).toBe('ipykernel');
  });
});

describe('warnings of a build', () => {
  const warning = (kind: string, message: string, more: object = {}): IBuildWarning =>
    ({ kind, message, package: '', path: '', ...more });
  const warnings = [
    warning('of-tomorrow', 'something new'),
    warning('collision', 'a and b have lib/x', { package: 'a', path: 'lib/x' }),
    warning('check', 'import failed', { package: 'numpy', path: 'lib/y.so' }),
    warning('collision', 'a and c have lib/z')
  ];

  it('stand together by kind, and name package and path', () => {
    expect(groupedWarnings(warnings, trans).map(group => [group.title, group.warnings.length])).toEqual([
      ['Does not work', 1],
      ['Packages with one file', 2],
      ['Other', 1]
    ]);
    draw(<BuildWarnings build={{ id: 1, warnings, warning_count: 6 } as unknown as IBuild} trans={trans} />);
    expect(node.querySelector('summary')?.textContent).toContain('6 warnings');
    const lines = [...node.querySelectorAll('li')].map(line => line.textContent);
    expect(lines).toEqual(['numpy: import failed lib/y.so', 'a and b have lib/x', 'a and c have lib/z', 'something new']);
    expect(node.textContent).toContain('2 more; the log lists all of them');
  });

  it('are not all drawn where there are many', () => {
    const many = Array.from({ length: 30 }, (_, place) => warning('check', `message ${place}`));
    draw(<BuildWarnings build={{ id: 1, warnings: many, warning_count: 30 } as unknown as IBuild} trans={trans} />);
    expect(node.querySelectorAll('li')).toHaveLength(20);
    act(() => node.querySelector('button')!.click());
    expect(node.querySelectorAll('li')).toHaveLength(30);
  });
});

describe('what is told of a build', () => {
  it('is its end, or when it was asked for: the age and its tooltip agree', () => {
    const build = { scheduled_on: '2026-11-24T12:00:00', ended_on: null } as IBuild;
    expect(builtOn(build)).toBe('2026-11-24T12:00:00');
    const ended = { ...build, ended_on: '2026-11-24T13:00:00' };
    draw(<Age build={ended} trans={trans} />);
    const time = node.querySelector('time')!;
    expect([time.getAttribute('datetime'), time.title]).toEqual(['2026-11-24T13:00:00Z', moment('2026-11-24T13:00:00')]);
  });

  it('says where alone a list of packages works', () => {
    expect(reachWords({ reach: 'here' }, trans)).toContain('only on this machine. Elsewhere, use an archive or an installer');
    expect(reachWords({ reach: 'private' }, trans)).toContain('only in this network');
    expect([reachWords({ reach: 'anywhere' }, trans), reachWords({}, trans)]).toEqual(['', '']);
  });
});

describe('an environment of a store elsewhere', () => {
  const shown = (presence: object | null, asked: unknown[] = []) => {
    const item = { active: true, presence, name: 'data', namespace: { name: 'team' } } as any;
    const commands = new CommandRegistry();
    commands.addCommand(CommandIDs.bring, {
      execute: args => void asked.push(args),
      describedBy: { args: { type: 'object', properties: {} } }
    });
    draw(<Presence model={{} as EnvStoreModel} commands={commands} trans={trans} item={item} />);
    return node.textContent;
  };

  it('has nothing to tell where it is on this server, or the store is', () => {
    expect(shown(null)).toBe('');
    expect(shown({ state: 'here', step: '', done: 0, total: 0, failure: '' })).toBe('');
  });

  it('says how far it is while it is brought', () => {
    expect(shown({ state: 'coming', step: 'link', done: 3, total: 12, failure: '' })).toContain(
      'It is being brought to this server: Linking packages 25 %'
    );
    expect(node.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')).toBe('25');
    expect(shown({ state: 'coming', step: '', done: 0, total: 0, failure: '' })).toContain('Starting');
  });

  it('is brought with a click, and says why it could not be', async () => {
    const asked: unknown[] = [];
    expect(shown({ state: 'away', step: '', done: 0, total: 0, failure: '' })).toContain('It is not on this server yet');
    expect(shown({ state: 'away', step: '', done: 0, total: 0, failure: 'the disk is full' }, asked)).toContain(
      'It could not be brought to this server: the disk is full'
    );
    await act(async () => node.querySelector('button')?.click());
    expect(asked).toEqual([{ namespace: 'team', name: 'data' }]);
  });
});
