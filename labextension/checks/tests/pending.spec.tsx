import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import type { EnvStoreApi } from '../../src/store/api';
import { TextButton } from '../../src/components/buttons';
import { useCommitPending } from '../../src/components/field-hooks';
import { PanelRoot } from '../../src/components/panel-root';
import { kernelOf } from '../../src/store/kernel-names';
import type { EnvStoreModel } from '../../src/store/model';
import { ChannelCompleter, distance } from '../../src/view/specification/package-completer';
import { LinkField } from '../../src/view/create/link-field';
import { PackageSearch } from '../../src/view/specification/package-search';
import { meaningOf } from '../../src/view/specification/typed-packages';
import { act, draw as drawn, node } from './drawn';

const trans = nullTranslator.load('jupyter_envstore');
const there = ['numba', 'numpy', 'rich-click'];
const completer = {
  names: async (prefix: string) => there.filter(name => name.startsWith(prefix)),
  versions: async () => [],
  close: async (name: string) => there.filter(other => distance(name, other) === 1),
  newest: async () => new Map()
};

describe('what a typed text means', () => {
  const meaning = (text: string, asked: object = {}) => meaningOf(text, [], { ...completer, ...asked }, trans);

  it('is the package of a channel, with and without bounds', async () => {
    expect(await meaning('NumPy')).toEqual({ specs: ['numpy'] });
    expect(await meaning('numpy >= 2, <3  conda-forge::other')).toEqual({ specs: ['numpy>=2,<3', 'conda-forge::other'] });
  });

  it('is PyPI’s where no channel has it, nor anything like it, only if that is offered', async () => {
    expect(await meaningOf('textdistance', [], completer, trans, true)).toEqual({ specs: ['pip:textdistance'] });
    const asked = (await meaning('textdistance')).problem;
    expect(asked).toContain('No channel has “textdistance”, or a similar name. PyPI is not asked before the build: write pip:textdistance');
    expect((await meaning('numpy textdistance>=4')).problem).toContain('write pip:textdistance>=4 to install it from there');
    expect((await meaningOf('nmupy', [], completer, trans, true)).problem).toContain('Choose “numpy”, write pip:nmupy');
  });

  it('is asked for where it may be a mistake or a beginning, or is nothing', async () => {
    expect((await meaning('nmupy')).problem).toContain('Choose “numpy”, write pip:nmupy');
    expect((await meaning('numpy num')).problem).toContain('No channel has “num”. Choose “numba”, “numpy”');
    expect((await meaning('rich')).problem).toContain('“rich-click”');
    expect((await meaning('### no')).problem).toContain('is not a package');
  });

  it('is asked for where letters are exchanged at the begin, in the middle or at the end', async () => {
    const names = ['numba', 'numpy', 'requests', 'scipy'];
    const search = async (pattern: string) =>
      names.filter(name => new RegExp(`^${pattern.replace('*', '.*')}$`).test(name)).map(name => ({ name, version: '1' }));
    const channels = new ChannelCompleter({ search } as unknown as EnvStoreApi);
    for (const [typed, meant] of [['nmupy', 'numpy'], ['nimpy', 'numpy'], ['numyp', 'numpy'], ['reqeusts', 'requests'], ['sicpy', 'scipy']]) {
      expect((await meaningOf(typed!, [], channels, trans)).problem).toContain(`Choose “${meant}”`);
    }
  });

  it('is what it says while channels are away', async () => {
    const names = async () => Promise.reject(new Error('away'));
    expect(await meaning('textdistance', { names })).toEqual({ specs: ['textdistance'] });
  });
});

describe('a button that acts on what was typed', () => {
  const props = { model: { changed: new Signal({}), isConnected: true } as unknown as EnvStoreModel, trans };
  let acted: number;
  let taken: string[];

  const Act = () => {
    const settle = useCommitPending();
    return <TextButton onClick={async () => (await settle()) && acted++}>{trans.__('Create')}</TextButton>;
  };
  const draw = (fields: React.ReactNode) =>
    drawn(
      <PanelRoot {...props} commands={new CommandRegistry()}>
        {fields}
        <Act />
      </PanelRoot>
    );
  const type = async (text: string) => {
    const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
    const field = node.querySelector('input')!;
    await act(async () => {
      write.call(field, text);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
  };
  const press = async () => {
    const button = [...node.querySelectorAll('button')].find(found => found.textContent === 'Create')!;
    await act(async () => {
      button.click();
      await new Promise(resolve => setTimeout(resolve, 10));
    });
  };
  const value = () => node.querySelector('input')!.value;

  beforeEach(() => {
    acted = 0;
    taken = [];
  });

  it('takes a package that stands in the field, or asks beside it and does nothing', async () => {
    let isRefused = false;
    const onAdd = async (specs: string[]) => !isRefused && taken.push(...specs) > 0;
    await draw(<PackageSearch completer={completer} trans={trans} specification="" onAdd={onAdd} />);
    await type('numba');
    await press();
    expect([acted, taken, value()]).toEqual([1, ['numba'], '']);
    for (const asked of ['nmupy', 'textdistance']) {
      await type(asked);
      await press();
      expect([acted, taken, value()]).toEqual([1, ['numba'], asked]);
    }
    expect(node.querySelector('[role=alert]')?.textContent).toContain('clear the field');
    expect(document.activeElement).toBe(node.querySelector('input'));
    isRefused = true;
    await type('numpy');
    await press();
    expect([acted, value()]).toEqual([1, 'numpy']);
    await type('');
    await press();
    expect(acted).toBe(2);
  });

  it('does nothing while a link was not read', async () => {
    const onLink = async (address: string) => taken.push(address) > 0;
    await draw(<LinkField trans={trans} onLink={onLink} onAsk={() => undefined} />);
    await type('https://host/environment.yml');
    await press();
    expect([acted, taken]).toEqual([0, []]);
    expect(node.querySelector('[role=alert]')?.textContent).toContain('Press Read, or clear the field');
    await act(async () => node.querySelector('button')!.click());
    await press();
    expect([acted, taken]).toEqual([1, ['https://host/environment.yml']]);
    await type('host/environment.yml');
    await act(async () => node.querySelector('button')!.click());
    expect(node.querySelector('[role=alert]')?.textContent).toContain('is not a link');
  });

  it('finds what was typed in a part of the view that was not drawn meanwhile', async () => {
    const field = <PackageSearch completer={completer} trans={trans} specification="" onAdd={specs => taken.push(...specs)} />;
    await draw(field);
    await type('nump');
    await draw(null);
    await draw(field);
    expect(value()).toBe('nump');
  });
});

describe('the environment of a kernel', () => {
  it('is known by its id, though it may be gone', () => {
    expect(kernelOf('envstore-team--data')).toEqual({ place: { namespace: 'team', name: 'data' }, number: null });
    expect(kernelOf('envstore-r.u_4.2e3--a.2b--ir--build-12')).toEqual({
      place: { namespace: 'R_4.3', name: 'a+' },
      number: 12
    });
    expect([kernelOf('python3'), kernelOf('envstore-team')]).toEqual([null, null]);
  });
});
