import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { MissingPackage } from '../../src/notebook/missing-package';

const trans = nullTranslator.load('jupyter_envstore');

/** A fake of a notebook, of its environment and of the store. */
function fakes(permissions = ['environment::update']) {
  const store = { providers: [] as any[], contents: [] as any[], named: [] as string[], running: 5, asked: [] as string[], text: 'old', active: 5, places: [] as string[], building: [] as any[], status: 'COMPLETED' };
  const item: any = { id: 1, namespace: { name: 'team' }, name: 'data', permissions, current_build_id: 5, kernels: ['k'], active: true };
  const panel: any = {
    isDisposed: false,
    disposed: new Signal({}),
    model: { defaultKernelLanguage: 'python' },
    sessionContext: {
      specsManager: {
        refreshSpecs: async () => undefined,
        specs: { kernelspecs: { k: { language: 'python', metadata: { envstore: { build_id: 6 } } } } }
      },
      changeKernel: async ({ name }: any) => store.asked.push(`start ${name}`)
    }
  };
  const model: any = {
    writable: ['jo'],
    watch: () => undefined,
    refresh: async () => undefined,
    find: (place: any) => (place.name === 'data' && place.namespace === 'jo' ? item : undefined),
    api: {
      module: async () => store.providers,
      contents: async () => store.contents,
      unfinishedBuilds: async () => store.building,
      search: async (name: string) => (store.named.includes(name) ? [{ name }] : []),
      environment: async () => item,
      build: async () => ({ id: store.active, number: 2, specification: { text: store.text }, exclude_newer: '2026-01-01' }),
      edit: async (text: string, add: string[]) => `${text} + ${add.join()}`,
      solve: async (text: string) => ({ changes: [{ name: 'six', change: 'added', from: '', to: '1.0 0', text }] }),
      submit: async (text: string, namespace: string, name: string, _: unknown, newer: string, foreign?: any) => {
        if (foreign?.isNew && store.places.includes(name)) {
          throw new Error('it exists already');
        }
        store.asked.push(`submit ${text} as ${namespace}/${name} before ${newer}`);
        return { build: 6, notes: [] };
      },
      progress: async () => ({ status: store.status, reason: '', steps: [], busy: false })
    }
  };
  const bonds: any = {
    environmentOf: () => item,
    buildOf: async () => ({ id: store.running, number: 1 }),
    remember: async () => store.asked.push('remember')
  };
  const missing = new MissingPackage(panel, model, bonds, trans);
  const cell = (id: string, module = ''): any => ({
    model: {
      type: 'code',
      id,
      toJSON: () => ({
        cell_type: 'code',
        source: '',
        outputs: module ? [{ output_type: 'error', ename: 'ModuleNotFoundError', evalue: `No module named '${module}'` }] : []
      })
    }
  });
  return { store, missing, cell, change: () => (store.active = 7) };
}

describe('a package that a notebook lacks', () => {
  it('is offered as the server knows it, previewed and added', async () => {
    const { store, missing, cell } = fakes();
    store.providers = [{ package: 'six', manager: 'pip', source: 'contents', places: ['team/other'] }];
    await missing.noteRun(cell('a', 'six'));
    const offer: any = missing.work.state;
    expect(offer).toMatchObject({ kind: 'offer', target: { namespace: 'team', name: 'data' } });
    expect(offer.candidates[0]).toMatchObject({ specs: ['pip:six'], reason: 'contents' });
    expect(offer.candidates[0].label).toBe('six from PyPI');
    await missing.preview(offer, offer.candidates[0]);
    expect(store.asked).toEqual([]); // nothing is built before the second click
    expect(missing.work.state).toMatchObject({ kind: 'preview', text: 'old + pip:six' });
    await missing.add(missing.work.state as any);
    expect(store.asked).toEqual(['submit old + pip:six as team/data before 2026-01-01', 'start k', 'remember']);
    expect(missing.work.state).toMatchObject({ kind: 'ready', cell: 'a' });
    await missing.noteRun(cell('a'));
    expect(missing.work.state.kind).toBe('none');
  });

  it('is not built where the environment was changed since the preview', async () => {
    const { store, missing, cell, change } = fakes();
    store.providers = [{ package: 'six', manager: 'conda', source: 'known', places: [] }];
    await missing.noteRun(cell('a', 'six'));
    const offer: any = missing.work.state;
    await missing.preview(offer, offer.candidates[0]);
    change();
    await missing.add(missing.work.state as any);
    expect(store.asked).toEqual([]);
    expect(missing.work.state).toMatchObject({ kind: 'failed' });
    missing.goBack();
    expect(missing.work.state).toBe(offer);
    const late = missing.preview(offer, offer.candidates[0]);
    missing.goBack(); // before it is known what would change
    await late;
    expect(missing.work.state).toBe(offer);
  });

  it('goes into a copy where the user may not change the environment', async () => {
    const { store, missing, cell } = fakes([]);
    store.providers = [{ package: 'six', manager: 'conda', source: 'known', places: [] }];
    await missing.noteRun(cell('a', 'six'));
    const offer: any = missing.work.state;
    expect(offer).toMatchObject({ kind: 'offer', target: { namespace: 'jo', name: 'data-2' } });
    await missing.preview(offer, offer.candidates[0]);
    const preview: any = missing.work.state;
    store.places = ['data-2']; // another notebook was faster
    await missing.add(preview);
    expect(store.asked).toEqual([]);
    expect(missing.work.state).toMatchObject({ kind: 'failed' });
    store.places = [];
    await missing.add(preview);
    expect(store.asked[0]).toContain('as jo/data-2');
  });

  it('waits for a build of somebody else', async () => {
    const { store, missing, cell } = fakes();
    store.providers = [{ package: 'six', manager: 'conda', source: 'known', places: [] }];
    await missing.noteRun(cell('a', 'six'));
    store.building = [{ environment_id: 1 }];
    const offer: any = missing.work.state;
    await missing.preview(offer, offer.candidates[0]);
    expect(missing.work.state).toMatchObject({ kind: 'failed', before: offer });
  });

  it('is added alone: what another cell lacks is not offered meanwhile', async () => {
    const { store, missing, cell } = fakes();
    store.providers = [{ package: 'six', manager: 'conda', source: 'known', places: [] }];
    await missing.noteRun(cell('a', 'six'));
    const offer: any = missing.work.state;
    await missing.preview(offer, offer.candidates[0]);
    store.status = 'BUILDING';
    const done = missing.add(missing.work.state as any);
    await new Promise(resolve => setTimeout(resolve, 10));
    missing.work.dismiss();
    await missing.noteRun(cell('b', 'cv2'));
    expect(missing.work.state.kind).toBe('none');
    store.status = 'FAILED';
    await done;
    expect(missing.work.state.kind).toBe('failed'); // told though the bar was closed
    missing.goBack();
    expect(missing.work.state).toBe(offer);
    missing.work.dismiss();
    expect(missing.work.state.kind).toBe('none');
  });

  it('is a guess where only its name is the same, and nothing where it is there already', async () => {
    const { store, missing, cell } = fakes();
    store.named = ['my-tool'];
    await missing.noteRun(cell('a', 'my_tool'));
    expect((missing.work.state as any).candidates).toMatchObject([{ specs: ['my-tool'], reason: 'name' }]);
    store.contents = [{ name: 'my-tool', manager: 'conda' }];
    await missing.noteRun(cell('b', 'my_tool.none'));
    expect(missing.work.state.kind).toBe('none');
    store.running = 4;
    await missing.noteRun(cell('c', 'my_tool'));
    expect(missing.work.state).toMatchObject({ kind: 'there', number: 2 });
  });
});
