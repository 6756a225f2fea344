import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { type Root, createRoot } from 'react-dom/client';
import type { EnvStoreModel } from '../../src/model';
import { Trouble } from '../../src/sidebar/trouble';
import type { IPackageChange } from '../../src/types';
import { PackageSearch } from '../../src/view/search';
import { Changes, Preview } from '../../src/view/preview';

const act: (callback: () => unknown) => any = (React as any).act; // its types are those of React 18.2
(globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
const trans = nullTranslator.load('jupyter_envstore');
const commands = new CommandRegistry();
let node: HTMLElement;
let root: Root;

beforeEach(() => {
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
});

afterEach(() => {
  act(() => root.unmount());
  node.remove();
});

function draw(element: React.ReactElement): void {
  act(() => root.render(element));
}

describe('Trouble', () => {
  const props = (model: object) => ({ model: model as EnvStoreModel, commands, trans });

  it('says what is wrong in words and offers a way out', () => {
    draw(<Trouble {...props({ connection: 'missing' })} />);
    expect(node.querySelector('[role=alert]')?.textContent).toContain('jupyter server extension enable');
    draw(<Trouble {...props({ connection: 'unavailable', trouble: 'the disk of the server is full' })} />);
    expect(node.textContent).toContain('the disk of the server is full');
    expect(node.textContent).toContain('Try now');
    draw(<Trouble {...props({ connection: 'connected' })} />);
    expect(node.textContent).toBe('');
  });
});

describe('Changes', () => {
  it('groups packages and marks what goes over to another major version', () => {
    const change = (kind: string, name: string, from: string, to: string) =>
      ({ change: kind, manager: 'conda', name, from, to }) as IPackageChange;
    draw(
      <Changes
        trans={trans}
        changes={[change('added', 'a', '', '1 0'), change('changed', 'b', '1.2 0', '2.0 0'), change('removed', 'c', '3 0', '')]}
      />
    );
    expect([...node.querySelectorAll('dt')].map(title => title.textContent)).toEqual(['Added 1', 'Changed 1', 'Removed 1']);
    expect(node.textContent).toContain('b 1.2 → 2.0 ⚠ major');
  });
});

describe('Preview', () => {
  it('lists every fault with its line, and goes there on a click', () => {
    const wanted: number[] = [];
    const faults = [3, 5].map(line => ({ line, message: `fault ${line}`, field: '' }));
    const preview = { checked: { faults, pip: [] }, solved: null, error: null, since: null, current: true } as any;
    draw(
      <Preview
        model={{} as EnvStoreModel}
        commands={commands}
        trans={trans}
        preview={preview}
        text="x"
        unchanged={null}
        goTo={line => wanted.push(line)}
      />
    );
    expect(node.textContent).toContain('2 lines need attention');
    act(() => node.querySelectorAll<HTMLElement>('button')[1]!.click());
    expect(wanted).toEqual([5]);
  });
});

describe('PackageSearch', () => {
  it('offers names, then PyPI, and stages what Enter was pressed on', async () => {
    jest.useFakeTimers();
    const staged: string[] = [];
    const completer = { names: async () => ['numba', 'numpy'], versions: async () => [] };
    const build = { specification: { text: '', is_lockfile: false } } as any;
    draw(<PackageSearch completer={completer} trans={trans} build={build} onAdd={spec => staged.push(spec)} />);
    const field = node.querySelector('input')!;
    const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
    await act(async () => {
      write.call(field, 'num');
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await jest.advanceTimersByTimeAsync(300);
    });
    const options = [...node.querySelectorAll('[role=option]')].map(option => option.textContent);
    expect(options).toEqual(['numba', 'numpy', 'Add “num” from PyPI']);
    expect(field.getAttribute('aria-expanded')).toBe('true');
    for (const key of ['ArrowDown', 'Enter']) {
      act(() => void field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
    }
    expect(staged).toEqual(['numpy']);
    jest.useRealTimers();
  });
});
