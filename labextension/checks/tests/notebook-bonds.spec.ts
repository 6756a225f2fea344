import type { IStateDB } from '@jupyterlab/statedb';
import { Signal } from '@lumino/signaling';
import { KernelBuilds } from '../../src/store/kernel-builds';
import { NotebookBonds } from '../../src/notebook/notebook-bonds';
import type { IBond, IEnvironment } from '../../src/store/types';

const KERNEL = 'envstore-team--data';

/** A fake of what JupyterLab remembers, kept as JSON. */
class FakeState {
  texts = new Map<string, string>();

  async fetch(id: string): Promise<unknown> {
    return JSON.parse(this.texts.get(id) ?? 'null') ?? undefined;
  }

  async save(id: string, value: unknown): Promise<void> {
    this.texts.set(id, JSON.stringify(value));
  }
}

const item = (number: number): IEnvironment =>
  ({ id: 1, name: 'data', namespace: { name: 'team' }, kernels: [KERNEL], current_build: { id: number * 10, number } }) as any;

/** A fake of the store, of a notebook and of what JupyterLab knows of it. */
function fakes() {
  const store = { active: 1, asked: [] as string[], isDown: false };
  const metadata = new Map<string, any>();
  const executed = new Signal<unknown, any>({});
  const added = new Signal<unknown, any>({});
  const kernelChanged = new Signal<unknown, any>({});
  const model: any = {
    lastSeen: new Date(),
    changed: new Signal({}),
    environmentOfKernel: (name: string) => (name === KERNEL ? item(store.active) : undefined),
    api: {
      environment: async () => item(store.active),
      bond: async (id: number, lock: boolean): Promise<IBond> => {
        store.asked.push(`${id}${lock ? ' with lock' : ''}`);
        if (store.isDown) {
          throw new Error('the server is down');
        }
        const bond: any = { namespace: 'team', environment: 'data', build: id / 10, record: `sha256:${id}`, packages: ['numpy'] };
        return lock ? { ...bond, lock: { encoding: 'xz+base64', size: 4, data: `${id}==` } } : bond;
      }
    }
  };
  const content = {};
  const panel: any = {
    content,
    isDisposed: false,
    context: { contentsModel: { writable: true } },
    model: {
      getMetadata: (key: string) => metadata.get(key),
      setMetadata: (key: string, value: unknown) => metadata.set(key, value)
    },
    sessionContext: {
      ready: Promise.resolve(),
      session: { kernel: { id: 'first', name: KERNEL } },
      kernelChanged,
      specsManager: { specs: { kernelspecs: {} } }
    }
  };
  const notebooks: any = {
    forEach: (each: (panel: unknown) => void) => each(panel),
    find: (test: (panel: unknown) => boolean) => (test(panel) ? panel : undefined),
    widgetAdded: added
  };
  const bonds = new NotebookBonds(notebooks, model, new KernelBuilds(null, model.api), executed);
  const settle = () => new Promise(done => setTimeout(done, 0));
  const run = async () => {
    executed.emit({ notebook: content });
    await settle();
  };
  const choose = async (id: string, name = KERNEL) => {
    panel.sessionContext.session.kernel = { id, name };
    kernelChanged.emit({ newValue: { id, name } });
    await settle();
  };
  return { store, bonds, panel, run, choose, settle, bond: () => metadata.get('envstore'), metadata };
}

describe('a notebook', () => {
  it('is not changed when it is opened, and remembers the build that it ran in', async () => {
    const { store, run, settle, bond } = fakes();
    await settle();
    expect(bond()).toBeUndefined();
    store.active = 2; // after the kernel was started
    await run();
    expect(bond().build).toBe(1);
    await run();
    expect(store.asked).toEqual(['10']);
  });

  it('remembers the build of a kernel that is chosen, and none of kernels that are not of the store', async () => {
    const { store, choose, settle, bond } = fakes();
    await settle();
    await choose('python', 'python3');
    expect(bond()).toBeUndefined();
    store.active = 2;
    await choose('second');
    expect(bond().build).toBe(2);
    await choose('python', 'python3');
    expect(bond().build).toBe(2);
  });

  it('keeps a lock up to date, and what others wrote', async () => {
    const { store, bonds, panel, choose, settle, bond, metadata } = fakes();
    metadata.set('other', { tool: 1 });
    await settle();
    bonds.write(panel, (await bonds.withLock(panel))!);
    expect(bond().lock.data).toBe('10==');
    store.active = 2;
    await choose('second');
    expect(bond().lock.data).toBe('20==');
    bonds.removeLock(panel);
    expect(bond().lock).toBeUndefined();
    expect(bond().record).toBe('sha256:20');
    expect(metadata.get('other')).toEqual({ tool: 1 });
  });

  it('remembers what the settings say', async () => {
    const { bonds, run, settle, bond } = fakes();
    await settle();
    bonds.remembered = 'off';
    await run();
    expect(bond()).toBeUndefined();
    bonds.remembered = 'reference';
    await run();
    expect(bond()).toEqual({ namespace: 'team', environment: 'data', build: 1, record: 'sha256:10', channels: [], packages: [], pip: [] });
    bonds.remembered = 'full';
    await run();
    expect(bond().packages).toEqual(['numpy']);
    bonds.remembered = 'reference';
    bonds.embedsLock = true;
    await run();
    expect([bond().packages, bond().lock.data]).toEqual([[], '10==']);
  });

  it('that cannot be written, or has nonsense for a bond, makes no trouble', async () => {
    const { panel, run, settle, bond, metadata } = fakes();
    await settle();
    panel.context.contentsModel.writable = false;
    await run();
    expect(bond()).toBeUndefined();
    panel.context.contentsModel.writable = true;
    for (const nonsense of ['text', 3, null, ['a'], { record: 7 }]) {
      metadata.set('envstore', nonsense);
      await run();
      expect(bond().record).toBe('sha256:10');
    }
  });

  it('is written by the next run if the server does not answer', async () => {
    const { store, run, settle, bond } = fakes();
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    await settle();
    store.isDown = true;
    await run();
    expect(bond()).toBeUndefined();
    expect(warned).toHaveBeenCalledTimes(1);
    store.isDown = false;
    await run();
    expect(bond().build).toBe(1);
    warned.mockRestore();
  });
});

describe('the builds that kernels were started in', () => {
  const old = item(1); // what the model knows may be older

  it('are those that are active when the kernel is seen first, also after a reload', async () => {
    const state = new FakeState() as unknown as IStateDB;
    let active = 2;
    const api = { environment: async () => item(active) };
    const builds = new KernelBuilds(state, api);
    const found = await Promise.all([builds.startedIn('a', old), builds.startedIn('b', old), builds.startedIn('a', old)]);
    expect(found.map(build => build?.number)).toEqual([2, 2, 2]);
    active = 3;
    const again = new KernelBuilds(state, api);
    expect(await again.startedIn('b', old)).toEqual({ number: 2, id: 20 });
    expect(await again.startedIn('c', old)).toEqual({ number: 3, id: 30 });
  });

  it('are not known of an environment without an active build, or while the server does not answer', async () => {
    let answer = async () => ({ ...old, current_build: null }) as IEnvironment;
    const builds = new KernelBuilds(null, { environment: () => answer() });
    expect(await builds.startedIn('a', old)).toBeUndefined();
    answer = () => Promise.reject(new Error('the server is down'));
    await expect(builds.startedIn('a', old)).rejects.toThrow('down');
    answer = async () => item(4);
    expect((await builds.startedIn('a', old))?.number).toBe(4);
  });
});
