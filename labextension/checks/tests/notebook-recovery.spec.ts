import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { NotebookRecovery } from '../../src/notebook/notebook-recovery';
import { EnvStoreError } from '../../src/store/errors';

const KERNEL = 'envstore-team--data';
const trans = nullTranslator.load('jupyter_envstore');
const settled = () => new Promise(resolve => setTimeout(resolve, 0));

/** A fake of a notebook, of JupyterLab's kernels and of the store. */
function fakes(bond: any = { version: 1, namespace: 'team', environment: 'data', build: 3, record: 'sha256:3' }) {
  const specs: Record<string, any> = {};
  const store = { asked: [] as string[], places: [] as string[], accepted: true, started: '', status: 'COMPLETED', there: [] as string[], unknown: [] as string[], beside: null as string | null, built: 0, elsewhere: Promise.resolve({ found: null, failed: [] }) as Promise<any> };
  const state: any = {
    bond,
    builds: [],
    lock: { refused: '', fits: true, packages: 3, size: 5, places: [], sources: [] },
    namespace: 'jo',
    environment: 'data',
    specification: 'name: data',
    fitting: []
  };
  const check = (accepted: readonly string[]) => {
    const places = store.unknown.filter(place => !accepted.includes(place));
    if (places.length) {
      throw new EnvStoreError('asks', 409, 'unknown_places', [], {}, null, places);
    }
  };
  const session: any = {
    ready: Promise.resolve(),
    session: null,
    kernelPreference: { name: KERNEL, language: 'python' },
    kernelPreferenceChanged: new Signal({}),
    specsManager: {
      ready: Promise.resolve(),
      specs: { kernelspecs: specs },
      refreshSpecs: async () => {
        store.there.forEach(name => (specs[name] = { language: 'python' }));
        specs['envstore-jo--data'] = { language: 'python', metadata: { envstore: { build_id: store.built } } };
      }
    },
    changeKernel: async ({ name }: any) => {
      store.started = name;
    }
  };
  const panel: any = {
    isDisposed: false,
    context: { path: 'work/a.ipynb' },
    disposed: new Signal({}),
    sessionContext: session,
    model: { defaultKernelLanguage: 'python', getMetadata: () => bond }
  };
  const model: any = {
    refresh: async () => undefined,
    api: {
      notebook: async () => {
        store.asked.push('notebook');
        return state;
      },
      elsewhere: () => store.elsewhere,
      buildLock: async (_: unknown, place: any, places: string[], from = '') => {
        store.asked.push(`lock ${place.namespace}/${place.name} ${places.join()}${from}`);
        check(places);
        return (store.built = 7);
      },
      progress: async () => ({ status: store.status, reason: 'no package six', steps: [], busy: false }),
      environment: async () => ({ kernels: ['envstore-jo--data'], active: true }),
      cancel: async (build: number) => store.asked.push(`cancel ${build}`),
      environments: async () => [],
      submit: async (text: string, namespace: string, name: string, _: unknown, __: unknown, { isNew, accept }: any) => {
        store.asked.push(`submit ${isNew ? 'new ' : ''}${namespace}/${name} ${text}`);
        check(accept);
        return { build: (store.built = 8), notes: [] };
      },
      undelete: async (place: any) => {
        store.asked.push(`undelete ${place.namespace}/${place.name}`);
        state.builds = [{ build_id: 3, number: 3, namespace: 'team', environment: 'data', active: true, packed_away: false, record: '' }];
      },
      offerKernel: async () => ['envstore-team--data--python3--build-3']
    }
  };
  const bonds: any = { changed: new Signal({}), buildOf: async () => undefined, remember: async () => store.asked.push('remember') };
  const files = { lockfileBeside: async () => store.beside, text: async (path: string) => `text of ${path}` };
  const confirm = async (places: readonly string[]) => {
    store.places.push(...places);
    return store.accepted;
  };
  const make = () => new NotebookRecovery(panel, model, bonds, trans, confirm, files);
  return { panel, specs, store, state, session, make };
}

describe('a notebook whose kernel is not here', () => {
  it('is kept from starting any other', async () => {
    const { session, make, state } = fakes();
    const recovery = make();
    expect(session.kernelPreference.shouldStart).toBe(false);
    await settled();
    expect(recovery.work.state).toEqual({ kind: 'missing', name: 'team/data', number: 3, state, beside: null });
  });

  it('starts its kernel if JupyterLab did not know of it yet', async () => {
    const { store, make } = fakes();
    store.there = [KERNEL];
    const recovery = make();
    await settled();
    expect(store.started).toBe(KERNEL);
    expect(store.asked).toEqual([]);
    expect(recovery.work.state.kind).toBe('none');
  });

  it('asks nothing where it remembers no environment', async () => {
    const { session, store, make } = fakes(undefined);
    const without = fakes(null);
    without.make();
    make();
    await settled();
    expect(without.session.kernelPreference.shouldStart).toBeUndefined();
    expect(without.store.asked).toEqual([]);
    expect([session.kernelPreference.shouldStart, store.asked.length]).toEqual([false, 1]);
  });

  it('builds its lock once its addresses are accepted', async () => {
    const { store, state, make } = fakes();
    const recovery = make();
    await settled();
    store.unknown = ['https://elsewhere.example'];
    store.accepted = false;
    await recovery.useLock(state);
    expect(recovery.work.state.kind).toBe('missing');
    expect(store.asked).toEqual(['notebook', 'lock jo/data ']);
    store.accepted = true;
    await recovery.useLock(state);
    expect(store.places).toEqual(['https://elsewhere.example', 'https://elsewhere.example']);
    expect(store.asked.slice(2)).toEqual(['lock jo/data ', 'lock jo/data https://elsewhere.example', 'remember']);
    expect([store.started, recovery.work.state.kind]).toEqual(['envstore-jo--data', 'none']);
  });

  it('asks other stores where neither this store nor the notebook has the build', async () => {
    const { store, state, make } = fakes();
    state.lock = null;
    const found = { store: 'https://h/envstore', namespace: 'team', environment: 'data', number: 3, lock: { refused: '', sources: [] } };
    store.elsewhere = Promise.resolve({ found, failed: [] });
    const recovery = make();
    await settled();
    expect(recovery.work.state).toMatchObject({ kind: 'missing', elsewhere: { found } });
    await recovery.useElsewhere(state, found.store);
    expect(store.asked).toEqual(['notebook', 'lock jo/data https://h/envstore', 'remember']);
    expect(store.started).toBe('envstore-jo--data');
  });

  it('says that other stores are asked, and why they do not answer', async () => {
    const { store, state, make } = fakes();
    state.lock = null;
    let refuse: (error: Error) => void = () => {};
    store.elsewhere = new Promise((_, reject) => (refuse = reject));
    const recovery = make();
    await settled();
    expect(recovery.work.state).not.toHaveProperty('elsewhere');
    await new Promise(resolve => setTimeout(resolve, 450));
    expect(recovery.work.state).toMatchObject({ kind: 'missing', elsewhere: 'asked' });
    refuse(new Error('the logins cannot be read'));
    await settled();
    expect(recovery.work.state).toMatchObject({ elsewhere: { found: null, failed: [{ store: '', reason: 'the logins cannot be read' }] } });
  });

  it('forgets what other stores say once the user has chosen something else', async () => {
    const { store, state, make } = fakes();
    state.lock = null;
    let answer: (found: unknown) => void = () => {};
    store.elsewhere = new Promise(resolve => (answer = resolve));
    const recovery = make();
    await settled();
    await recovery.useRequests(state);
    answer({ found: null, failed: [] });
    await settled();
    expect(recovery.work.state).toEqual({ kind: 'none' });
  });

  it('says why it could not be built, and offers the other ways again', async () => {
    const { store, state, make } = fakes();
    const recovery = make();
    await settled();
    store.status = 'FAILED';
    await recovery.useLock(state);
    expect(recovery.work.state).toMatchObject({ kind: 'failed', reason: 'no package six' });
    state.environment = 'data-build-3'; // the failed build has taken the name
    await recovery.goBack();
    expect(recovery.work.state).toMatchObject({ kind: 'missing', name: 'team/data', state: { environment: 'data-build-3' } });
    expect(store.asked.filter(word => word === 'notebook')).toHaveLength(2);
    recovery.work.dismiss();
    expect(recovery.work.state.kind).toBe('none');
  });

  it('is built from a lockfile beside it, if there is nothing better', async () => {
    const better = fakes();
    better.store.beside = 'work/conda-lock.yml';
    const first = better.make();
    await settled();
    expect(first.work.state).toMatchObject({ kind: 'missing', beside: null });
    const { store, state, make } = fakes();
    store.beside = 'work/conda-lock.yml';
    state.lock = null;
    const recovery = make();
    await settled();
    expect(recovery.work.state).toMatchObject({ beside: 'work/conda-lock.yml' });
    store.unknown = ['https://elsewhere.example'];
    await recovery.useFile(state, 'work/conda-lock.yml');
    const submitted = 'submit new jo/data text of work/conda-lock.yml';
    expect(store.places).toEqual(['https://elsewhere.example']);
    expect(store.asked.slice(1)).toEqual([submitted, submitted, 'remember']);
    expect(store.started).toBe('envstore-jo--data');
  });

  it('comes back by undoing the deletion of its environment', async () => {
    const { store, state, make } = fakes();
    state.deleted = true;
    const recovery = make();
    await settled();
    await recovery.undelete({ ...state, bond: { namespace: 'team', environment: 'data' } });
    expect(store.asked).toEqual(['notebook', 'undelete team/data', 'notebook', 'remember']);
    expect(recovery.work.state.kind).toBe('none');
  });

  it('leaves a kernel alone that runs already', async () => {
    for (const there of [[KERNEL], []]) {
      const { session, store, make } = fakes();
      store.there = there;
      session.ready = new Promise<void>(resolve => {
        setTimeout(() => {
          session.session = { kernel: { id: 'k' } }; // as after the page was loaded anew
          resolve();
        }, 5);
      });
      const recovery = make();
      await new Promise(resolve => setTimeout(resolve, 20));
      expect(store.started).toBe('');
      expect(store.asked).toEqual([]);
      expect(session.kernelPreference.shouldStart).toBe(true);
      expect(recovery.work.state.kind).toBe('none');
    }
  });

  it('can be hidden while it is brought back, and tells only if that fails', async () => {
    for (const [status, end] of [
      ['COMPLETED', 'none'],
      ['FAILED', 'failed']
    ] as const) {
      const { store, state, make } = fakes();
      const recovery = make();
      await settled();
      store.status = 'BUILDING';
      const done = recovery.useLock(state);
      await settled();
      expect(recovery.work.state.kind).toBe('busy');
      recovery.work.dismiss();
      expect(recovery.work.state.kind).toBe('none');
      store.status = status;
      await done;
      expect(recovery.work.state.kind).toBe(end);
      expect(store.started).toBe(end === 'none' ? 'envstore-jo--data' : '');
    }
  });

  it('is waited for no longer once the notebook is closed', async () => {
    const { panel, store, state, make } = fakes();
    const recovery = make();
    await settled();
    store.status = 'BUILDING';
    const done = recovery.useLock(state);
    await settled();
    panel.isDisposed = true;
    await done;
    expect(store.started).toBe('');
  });

  it('starts a kernel of its own for a build that is not active', async () => {
    const { store, make } = fakes();
    const recovery = make();
    await settled();
    await recovery.use({ build_id: 3, number: 3, namespace: 'team', environment: 'data', active: false, packed_away: false, record: '' });
    expect(store.started).toBe('envstore-team--data--python3--build-3');
  });
});
