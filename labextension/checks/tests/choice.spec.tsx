/** What is taken of an imported file: chosen, refused, kept. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import type { EnvStoreModel } from '../../src/store/model';
import type { IChecked, IOffer, IPick } from '../../src/store/types';
import { loadNewDraft, saveNewDraft } from '../../src/view/create/new-environment-draft';
import type { IFileDraft } from '../../src/view/shared/file-draft';
import { asArgs } from '../../src/view/shared/view-types';
import { FileChoice } from '../../src/view/specification/file-choice';
import { dateOf, type IImport, withoutLargeContent } from '../../src/view/specification/imported-file';
import { needsImport } from '../../src/view/specification/pasted-text';
import { useImport } from '../../src/view/specification/use-import';
import { act, draw, node } from './drawn';

const trans = nullTranslator.load('jupyter_envstore');
const NONE: IOffer = { environments: [], environment: '', categories: [], taken: [] };

/** A server that reads files with environments; `slow` ones wait until they are let go. */
class Files {
  readonly asked: IPick[] = [];
  readonly waiting: (() => void)[] = [];
  isSlow = false;

  check = async (text: string, _: object, fileName: string, keep: string[], pick: IPick): Promise<IChecked> => {
    this.asked.push(pick);
    if (this.isSlow) {
      await new Promise<void>(done => this.waiting.push(done));
    }
    const environment = pick.environment ?? 'default';
    const isBad = environment === 'empty';
    const offer = { ...NONE, environments: ['default', 'gpu', 'empty'], environment };
    const faults = isBad ? [{ message: 'empty asks for no packages', line: null, field: '' }] : [];
    const changes = keep.length ? [] : [{ what: 'defaults replaced', why: '', choice: 'defaults' }];
    const said = { offer, faults, changes, exclude_newer: '2025-01-31', is_lockfile: false, name: null };
    return { ...said, text: isBad ? text : `# ${environment}${keep.join()}` } as unknown as IChecked;
  };
}

describe('an imported file', () => {
  let imported: IImport;
  let text = '';
  let kept: IFileDraft | null = null;
  let files: Files;
  const View = (): React.ReactElement => {
    const [shown, setText] = React.useState('');
    text = shown;
    const taken = (found: IChecked, _: string, __: boolean, file: IFileDraft) => {
      setText(found.text);
      kept = file;
    };
    imported = useImport({ api: files } as unknown as EnvStoreModel, trans, {}, taken, file => {
      kept = file;
    });
    return <FileChoice imported={imported} text={shown} trans={trans} />;
  };
  const select = () => node.querySelector('select')!;

  beforeEach(async () => {
    files = new Files();
    draw(<View />);
    await act(() => imported.take('[workspace]', 'pixi.toml'));
  });

  it('is read as another of its environments', async () => {
    expect(select().value).toBe('default');
    expect(node.textContent).toContain('one of 3');
    await act(() => imported.choose({ environment: 'gpu' }));
    expect([select().value, text]).toEqual(['gpu', '# gpu']);
    expect(files.asked).toEqual([{}, { environment: 'gpu' }]);
    await act(() => imported.toggle('defaults'));
    expect(text).toBe('# gpudefaults');
    expect(imported.changes.map(change => change.choice)).toEqual(['defaults']);
    await act(() => imported.choose({ environment: 'default' }));
    expect(imported.changes.map(change => change.choice)).toEqual(['defaults']); // to be made after all
  });

  it('stays as it was where a choice cannot be taken', async () => {
    await act(() => imported.choose({ environment: 'gpu' }));
    await act(() => imported.choose({ environment: 'empty' }));
    expect([select().value, text]).toEqual(['gpu', '# gpu']);
    expect(node.querySelector('[role=alert]')?.textContent).toBe('empty asks for no packages');
    await act(() => imported.choose({ environment: 'default' }));
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('is what was chosen last, whatever the server answers first', async () => {
    files.isSlow = true;
    await act(async () => {
      void imported.choose({ environment: 'empty' });
    });
    expect(select().value).toBe('empty'); // a click is seen at once
    await act(async () => {
      void imported.choose({ environment: 'gpu' });
    });
    await act(async () => files.waiting[1]!());
    await act(async () => files.waiting[0]!());
    expect([select().value, text]).toEqual(['gpu', '# gpu']);
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('goes on from a draft with the choice that was made, and its date', async () => {
    await act(() => imported.choose({ environment: 'gpu' }));
    act(() => imported.setTakesNewer(true));
    expect(imported.excludeNewer).toBeNull();
    const draft = kept!;
    const handed = asArgs({ text, file: imported.handOver() }); // to another view
    expect(handed).toEqual({ text: '# gpu', file: draft });
    act(() => imported.forget());
    expect(imported.handOver()).toBeUndefined();
    expect(node.textContent).toBe('');
    await act(() => imported.restore(draft));
    expect(select().value).toBe('gpu');
    expect(imported.excludeNewer).toBeNull();
    act(() => imported.setTakesNewer(false));
    expect(imported.excludeNewer).toBe('2025-01-31');
    expect(node.textContent).toContain('Packages uploaded after 2025-01-31 are left out, as in pixi.toml');
  });
});

describe('a large file', () => {
  let imported: IImport;
  const View = (): React.ReactElement => {
    const [text, setText] = React.useState('');
    imported = useImport({ api: new Files() } as unknown as EnvStoreModel, trans, {}, found => setText(found.text));
    return <FileChoice imported={imported} text={text} trans={trans} />;
  };

  it('has a place of its own, and is told to be gone where that has it not', async () => {
    draw(<View />);
    const content = '[workspace]\n' + '# padding\n'.repeat(60_000);
    await act(() => imported.take(content, 'pixi.toml'));
    await act(() => imported.choose({ environment: 'gpu' }));
    const kept = withoutLargeContent(imported.handOver()!);
    expect([kept.content, kept.pick]).toEqual(['', { environment: 'gpu' }]);
    expect(node.textContent).toContain('pixi.toml is too large to be kept in this browser.'); // jsdom has no IndexedDB
    await act(() => imported.restore(kept));
    expect(node.querySelector('select')!.value).toBe('gpu');
    expect(imported.handOver()!.content).toBe(content);
    await act(() => imported.restore({ ...kept, at: 'of another page' }));
    expect(node.querySelector('select')).toBeNull();
    expect(node.textContent).toContain('pixi.toml is not kept in this browser any more.');
    expect(imported.excludeNewer).toBe('2025-01-31'); // which the draft itself has
  });
});

describe('the date of a build', () => {
  it('goes on with its text like that of a file', async () => {
    let imported!: IImport;
    const View = (): React.ReactElement => {
      imported = useImport({ api: new Files() } as unknown as EnvStoreModel, trans, {}, () => undefined);
      return <FileChoice imported={imported} text="a" trans={trans} />;
    };
    const specification = { text: 'a', is_lockfile: false };
    expect(dateOf({ exclude_newer: null, specification }, 'build 3')).toBeUndefined();
    draw(<View />);
    await act(() => imported.restore(dateOf({ exclude_newer: '2025-01-31', specification }, 'build 3')!));
    expect(node.textContent).toContain('Packages uploaded after 2025-01-31 are left out, as in build 3');
    expect(imported.excludeNewer).toBe('2025-01-31');
    act(() => imported.setTakesNewer(true));
    expect(imported.excludeNewer).toBeNull();
    expect(node.textContent).toContain('The date 2025-01-31 of build 3 (exclude-newer) is ignored.');
    expect(asArgs({ file: imported.handOver() })['file']).toMatchObject({ dated: '2025-01-31', takesNewer: true, of: 'build 3' });
  });
});

describe('what is written of a new environment', () => {
  it('is kept until it is dropped', () => {
    const written = { name: 'a', isTyped: true, namespace: 'team', description: '', from: 'file' as const, text: 'x', given: { text: 'y', description: '' } };
    expect(saveNewDraft('one', written)).toBe(true);
    expect(loadNewDraft('one')).toEqual(written);
    expect(loadNewDraft('two')).toBeUndefined();
    saveNewDraft('one', null);
    expect(loadNewDraft('one')).toBeUndefined();
  });

  it('is told not to be kept where the browser is full', () => {
    const full = jest.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new Error('QuotaExceededError');
    });
    const written = { name: '', isTyped: false, namespace: '', description: '', from: 'packages' as const, text: 'x', given: { text: '', description: '' } };
    expect(saveNewDraft('one', written)).toBe(false);
    full.mockRestore();
  });
});

describe('FileChoice', () => {
  const chosen: IPick[] = [];
  const imported = (offer: Partial<IOffer>, isLockfile: boolean) =>
    ({
      fileName: 'a.lock',
      text: 'read',
      offer: { ...NONE, ...offer },
      problem: '',
      dated: null,
      isLockfile,
      choose: async (pick: IPick) => void chosen.push(pick)
    }) as unknown as IImport;
  const show = (offer: Partial<IOffer>, text = 'read', isLockfile = true) =>
    draw(<FileChoice imported={imported(offer, isLockfile)} text={text} trans={trans} />);
  const boxes = () => [...node.querySelectorAll('input')];

  it('shows nothing where there is no choice', () => {
    show({});
    expect(node.textContent).toBe('');
  });

  it('adds and drops categories, of which a lockfile keeps one', () => {
    chosen.length = 0;
    show({ categories: ['main', 'dev', 'docs'], taken: ['main', 'dev'] });
    expect(boxes().map(box => box.checked)).toEqual([true, true, false]);
    act(() => boxes()[2]!.click());
    act(() => boxes()[1]!.click());
    show({ categories: ['main', 'docs'], taken: ['docs'] });
    act(() => boxes()[1]!.click());
    expect(chosen).toEqual([{ categories: ['main', 'dev', 'docs'] }, { categories: ['main'] }]);
    show({ categories: ['docs'], taken: ['docs'] }, 'read', false); // a group of a pyproject.toml
    act(() => boxes()[0]!.click());
    expect(chosen.pop()).toEqual({ categories: [] });
  });

  it('asks for the file to be read again once the text was edited', () => {
    show({ environments: ['a', 'b'], environment: 'b' }, 'edited');
    expect(node.querySelector('select')!.disabled).toBe(true);
    expect(node.textContent).toContain('Drop the edits and read a.lock again');
  });
});

describe('a pasted text', () => {
  it.each([
    ['# a comment\n[workspace]\nname = "x"\n', true],
    ['[tool.pixi.feature."a b".dependencies] # why\n', true],
    ['name = "x"\n', true],
    ['#!/usr/bin/env python\n# /// script\n# dependencies = []\n# ///\n', true],
    ['# platform: linux-64\r\n@EXPLICIT\r\nhttps://host/a-1-0.conda\r\n', true],
    ['version: 1\nmetadata:\n  a: b\npackage:\n- name: a\n', true],
    ['version: 6\nenvironments:\n  default: {}\npackages: []\n', true],
    ['numpy>=2\npandas[excel]; python_version < "4"\n-r other.txt\n', true],
    ['name: x\nchannels: [a]\ndependencies:\n  - numpy\n', false],
    ['  - numpy\n  - pandas\n', false],
    ['numpy=1.26\n', false],
    ['- [a, b]\n', false]
  ])('%j', (text, expected) => {
    expect(needsImport(text, true)).toBe(expected);
  });

  it('is a list of requirements only where nothing stands beside it', () => {
    expect(needsImport('numpy\npandas\n', false)).toBe(false);
  });
});
