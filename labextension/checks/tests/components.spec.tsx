import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { TextButton } from '../../src/components/buttons';
import { useLoaded } from '../../src/components/hooks';
import { PanelRoot } from '../../src/components/panel-root';
import { ServerProblems } from '../../src/sidebar/server-problems';
import type { EnvStoreModel } from '../../src/store/model';
import type { IPackageChange } from '../../src/store/types';
import { ImportChanges } from '../../src/view/specification/import-changes';
import type { IImport } from '../../src/view/specification/imported-file';
import { PackageChanges } from '../../src/view/specification/package-changes';
import { distance } from '../../src/view/specification/package-completer';
import { PackageSearch } from '../../src/view/specification/package-search';
import { Preview } from '../../src/view/specification/preview';
import { act, draw, node, root } from './drawn';

const trans = nullTranslator.load('jupyter_envstore');
const commands = new CommandRegistry();

describe('ServerProblems', () => {
  const props = (model: object) => ({ model: model as EnvStoreModel, commands, trans });

  it('says what is wrong in words and offers a way out', () => {
    draw(<ServerProblems {...props({ connection: 'missing' })} />);
    expect(node.querySelector('[role=alert]')?.textContent).toContain('jupyter server extension enable');
    draw(<ServerProblems {...props({ connection: 'unavailable', trouble: 'the disk of the server is full' })} />);
    expect(node.textContent).toContain('the disk of the server is full');
    expect(node.textContent).toContain('Try now');
    const fine = { space: null, isOutdated: false };
    draw(<ServerProblems {...props({ connection: 'connected', server: fine })} />);
    expect(node.textContent).toBe('');
    draw(<ServerProblems {...props({ connection: 'connected', server: { ...fine, isOutdated: true } })} />);
    expect(node.textContent).toContain('The page is older than the server.');
    const full = { connection: 'connected', server: { ...fine, space: { low: true } } };
    draw(<ServerProblems {...props({ ...full, isAdmin: false })} />);
    expect(node.textContent).toContain('The disk of the server is full');
    expect(node.textContent).not.toContain('Free up');
    draw(<ServerProblems {...props({ ...full, isAdmin: true })} />);
    expect(node.textContent).toContain('Free up');
  });
});

describe('PanelRoot', () => {
  const changed = new Signal<object, void>({});
  const model = { changed, isConnected: true } as unknown as { changed: typeof changed; isConnected: boolean };
  const props = { model: model as unknown as EnvStoreModel, commands, trans };
  const connect = (isConnected: boolean) =>
    act(async () => {
      model.isConnected = isConnected;
      changed.emit();
    });

  it('loads again what failed, when the server is back', async () => {
    let works = false;
    const Loads = (): React.ReactElement => {
      const { value, error } = useLoaded(() => (works ? Promise.resolve('here') : Promise.reject(new Error('away'))), []);
      return <p>{error ? error.message : value}</p>;
    };
    await act(async () => root.render(<PanelRoot {...props}><Loads /></PanelRoot>));
    expect(node.textContent).toBe('away');
    await connect(false);
    works = true;
    await connect(true);
    expect(node.textContent).toBe('here');
  });

  it('greys buttons that need the server, and says why', () => {
    const keys = trans.__('Ctrl+Enter');
    const Button = () => <TextButton needsServer title={keys} onClick={() => undefined}>{trans.__('Build')}</TextButton>;
    model.isConnected = false;
    draw(<PanelRoot {...props}><Button /></PanelRoot>);
    const button = node.querySelector('button')!;
    expect([button.disabled, button.title]).toEqual([true, 'Not connected']);
    model.isConnected = true;
    draw(<PanelRoot {...props}><Button key="again" /></PanelRoot>);
    expect([node.querySelector('button')!.disabled, node.querySelector('button')!.title]).toEqual([false, keys]);
  });

  it('puts words in place of a view that cannot be drawn', () => {
    const quiet = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const Broken = (): React.ReactElement => {
      throw new Error('it broke');
    };
    draw(<PanelRoot {...props}><Broken /></PanelRoot>);
    expect(node.querySelector('[role=alert]')?.textContent).toContain('This cannot be shown: it broke');
    quiet.mockRestore();
  });
});

describe('Changes', () => {
  it('groups packages and marks what goes over to another major version', () => {
    const change = (kind: string, name: string, from: string, to: string) =>
      ({ change: kind, manager: 'conda', name, from, to }) as IPackageChange;
    draw(
      <PackageChanges
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
        onText={() => undefined}
      />
    );
    expect(node.textContent).toContain('2 lines must be corrected');
    act(() => node.querySelectorAll<HTMLElement>('button')[1]!.click());
    expect(wanted).toEqual([5]);
  });
});

describe('ImportChanges', () => {
  it('offers to have each change otherwise that need not be made', () => {
    const toggled: string[] = [];
    const imported = {
      changes: [
        { what: 'channel defaults became conda-forge', why: 'licence', choice: 'defaults' },
        { what: 'prefix dropped', why: 'another machine', choice: '' },
        { what: 'ipykernel added', why: 'no kernel', choice: 'kernel' }
      ],
      kept: ['kernel'],
      offer: { environments: [], environment: '', categories: [], taken: [] },
      text: 'as imported',
      toggle: async (choice: string) => void toggled.push(choice),
      undo: () => 'as it was'
    } as unknown as IImport;
    const texts: string[] = [];
    const shown = (text: string) => (
      <ImportChanges imported={imported} text={text} trans={trans} onUndo={undone => texts.push(undone)} />
    );
    draw(shown('edited since then'));
    expect([...node.querySelectorAll('button')].map(button => button.textContent)).toEqual(['Undo all']);
    draw(shown('as imported'));
    expect(node.textContent).toContain('2 changes were made');
    const [undo, defaults, kernel, ...others] = [...node.querySelectorAll<HTMLElement>('button')];
    expect([defaults?.textContent, kernel?.textContent, others]).toEqual(['keep defaults', 'change it after all', []]);
    for (const button of [defaults, kernel, undo]) {
      act(() => button?.click());
    }
    expect(toggled).toEqual(['defaults', 'kernel']);
    expect(texts).toEqual(['as it was']);
  });
});

describe('PackageSearch', () => {
  it('offers names, then PyPI, and stages what Enter was pressed on', async () => {
    jest.useFakeTimers();
    const staged: string[] = [];
    const newest = new Map([['numpy', { version: '2.1', channel_id: 'https://host/forge/', subdir: 'noarch' } as any]]);
    const there = ['flask', 'jinja2', 'numba', 'numpy', 'pandas'];
    const completer = {
      names: async (prefix: string) => there.filter(name => name.startsWith(prefix)),
      versions: async () => [],
      close: async (name: string) => there.filter(other => distance(name, other) === 1),
      newest: async () => newest
    };
    draw(<PackageSearch completer={completer} trans={trans} specification="" onAdd={specs => void staged.push(...specs)} />);
    const field = node.querySelector('input')!;
    const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!;
    await act(async () => {
      write.call(field, 'num');
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await jest.advanceTimersByTimeAsync(300);
    });
    const options = [...node.querySelectorAll('[role=option]')].map(option => option.textContent);
    expect(options).toEqual(['numba', 'numpy 2.1  forge · noarch', 'Add “num” from PyPI']);
    expect(field.getAttribute('aria-expanded')).toBe('true');
    const press = async (key: string) => {
      await act(async () => {
        field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        await jest.advanceTimersByTimeAsync(1);
      });
    };
    await press('ArrowDown');
    await press('Enter');
    expect(staged).toEqual(['numpy']);
    const type = async (text: string) => {
      await act(async () => {
        write.call(field, text);
        field.dispatchEvent(new Event('input', { bubbles: true }));
        await jest.advanceTimersByTimeAsync(300);
      });
    };
    await type('numpy pandas>=2 pip:rich');
    await press('Enter');
    expect(staged).toEqual(['numpy', 'numpy', 'pandas>=2', 'pip:rich']);
    await type('flask jinja2 >= 2, < 4');
    await press('Enter');
    expect(staged.splice(4)).toEqual(['flask', 'jinja2>=2,<4']);
    await type('numpy 2.1');
    await press('Enter');
    expect(staged.pop()).toBe('numpy 2.1');
    await type('nmupy');
    await press('Enter');
    expect(node.textContent).toContain('No channel has “nmupy”. Choose “numpy”, write pip:nmupy to install it from PyPI');
    expect(staged).toHaveLength(4);
    await press('ArrowDown');
    await press('Enter');
    expect(staged.pop()).toBe('numpy');
    await type('rarely-known');
    await press('Enter'); // the sole suggestion
    expect(staged.pop()).toBe('pip:rarely-known');
    jest.useRealTimers();
  });
});
