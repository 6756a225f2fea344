import { Notification } from '@jupyterlab/apputils';
import type { Event, ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { notify } from '../../src/lab/notifications';
import type { EnvStoreApi } from '../../src/store/api';
import { EnvStoreError } from '../../src/store/errors';
import type { IChange } from '../../src/store/events';
import { EnvStoreModel } from '../../src/store/model';
import type { IBuildEnd } from '../../src/store/own-builds';
import { Requests } from '../../src/store/requests';
import type { IEnvironment } from '../../src/store/types';

const SCHEMA = 'https://events.jupyter.org/jupyter_envstore/';

/** A fake of the server: what it would answer stands in its fields. */
class FakeApi {
  answer: IEnvironment[] = [];
  refusal: Error | null = null;
  looks = 0;
  low = false;
  serverVersion = '1';
  requests = new Requests({ baseUrl: 'http://localhost/' } as ServerConnection.ISettings);

  async environments(): Promise<IEnvironment[]> {
    this.looks += 1;
    if (this.refusal) {
      throw this.refusal;
    }
    return this.answer;
  }

  async unfinishedBuilds(): Promise<object[]> {
    return this.answer
      .filter(found => found.newest_build_status === 'BUILDING')
      .map(found => ({ id: found.newest_build_id, environment_id: found.id, status: 'BUILDING' }));
  }

  async permissions(): Promise<object> {
    return {
      username: 'jo',
      primary_namespace: 'jo',
      entity_permissions: { 'jo/*': ['environment:create'], 'team/*': ['environment::read'], 'lab/*': ['environment:create'] }
    };
  }

  async usage(): Promise<object> {
    return {};
  }

  async space(): Promise<object> {
    return { free: 2, total: 3, low: this.low };
  }

  async version(): Promise<string> {
    return this.serverVersion;
  }

  async progress(id: number): Promise<object> {
    return { id, status: 'BUILDING', steps: [] };
  }
}

function item(more: object = {}): IEnvironment {
  const build = { id: 5, number: 1, status: 'COMPLETED', started_on: null, ended_on: null, status_info: null };
  return {
    id: 1,
    name: 'data',
    namespace: { id: 1, name: 'team' },
    active: true,
    current_build_id: 5,
    current_build: build,
    newest_build_id: 5,
    newest_build_status: 'COMPLETED',
    newest_build: null,
    kernels: ['envstore-team--data'],
    kernel_note: null,
    presence: null,
    ...more
  } as unknown as IEnvironment;
}

function setUp(): { api: FakeApi; model: EnvStoreModel; emit: (kind: string, ids: number[]) => void } {
  const source = {};
  const stream = new Signal<object, Event.Emission>(source);
  const api = new FakeApi();
  const model = new EnvStoreModel(api as unknown as EnvStoreApi, { stream } as unknown as Event.IManager);
  const emit = (kind: string, ids: number[]) =>
    stream.emit({ schema_id: `${SCHEMA}${kind}/v1`, ids } as unknown as Event.Emission);
  return { api, model, emit };
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

describe('EnvStoreModel', () => {
  it('tells that the connection is lost, keeps what it knew, and tells when it is back', async () => {
    const { api, model } = setUp();
    api.answer = [item()];
    await model.refresh();
    expect(model.connection).toBe('connected');
    api.refusal = new Error('no answer');
    await model.refresh();
    expect(model.connection).toBe('lost');
    expect(model.environments).toHaveLength(1);
    api.refusal = null;
    await model.refresh();
    expect(model.connection).toBe('again');
    expect(model.isConnected).toBe(true);
    model.dispose();
  });

  it('tells a missing extension from a store that cannot be opened', async () => {
    const { api, model } = setUp();
    api.refusal = new EnvStoreError('not found', 404, 'not_found');
    await model.refresh();
    expect(model.connection).toBe('missing');
    api.refusal = new EnvStoreError('the disk is full', 503, 'storage_error');
    await model.refresh();
    expect([model.connection, model.trouble]).toEqual(['unavailable', 'the disk is full']);
    model.dispose();
  });

  it('tells of the end of builds that the user started, and of no others', async () => {
    const { api, model } = setUp();
    const ended: IBuildEnd[] = [];
    model.settled.connect((_, end) => ended.push(end));
    api.answer = [item({ newest_build_status: 'BUILDING', newest_build_id: 6 })];
    await model.refresh();
    model.watch(6);
    const build = { id: 6, number: 2, status: 'FAILED', status_info: 'no package x', started_on: null, ended_on: null };
    api.answer = [item({ newest_build_status: 'FAILED', newest_build_id: 6, newest_build: build })];
    await model.refresh();
    await model.refresh();
    expect(ended).toEqual([
      { build: 6, place: { namespace: 'team', name: 'data' }, status: 'FAILED', reason: 'no package x', seconds: null }
    ]);
    model.dispose();
  });

  it('waits for the kernel of a build that has just ended', async () => {
    const { api, model } = setUp();
    const ended: IBuildEnd[] = [];
    model.settled.connect((_, end) => ended.push(end));
    api.answer = [];
    await model.refresh();
    model.watch(5);
    api.answer = [item({ kernels: [] })];
    await model.refresh();
    expect(ended).toEqual([]);
    api.answer = [item()];
    await pause(500);
    expect(ended.map(end => end.status)).toEqual(['COMPLETED']);
    model.dispose();
  });

  it('looks once for events that come together, and tells which builds changed', async () => {
    const { api, model, emit } = setUp();
    await model.refresh();
    await pause(50); // the poll's own first look
    const before = api.looks;
    const changes: IChange[] = [];
    model.stale.connect((_, change) => changes.push(change));
    emit('builds', [5]);
    emit('builds', [6]);
    emit('environments', [1]);
    await pause(250);
    expect(api.looks).toBe(before + 1);
    expect([...(changes[0]?.builds ?? [])]).toEqual([5, 6]);
    model.dispose();
  });

  it('looks at all again when it is not known what changed', async () => {
    const { model, emit } = setUp();
    await model.refresh();
    await pause(50);
    const changes: IChange[] = [];
    model.stale.connect((_, change) => changes.push(change));
    emit('builds', [5]);
    emit('environments', []);
    await pause(250);
    emit('builds', [6]);
    await pause(250);
    expect(changes[0]).toEqual({ environments: null, builds: null });
    expect([...(changes[1]?.builds ?? [])]).toEqual([6]);
    model.dispose();
  });

  it('does not look at everything for progress alone', async () => {
    const { api, model, emit } = setUp();
    api.answer = [item({ newest_build_status: 'BUILDING', newest_build_id: 6 })];
    await model.refresh();
    await pause(50);
    const before = api.looks;
    emit('progress', [6]);
    await pause(250);
    expect(api.looks).toBe(before);
    expect(model.progress(6)?.status).toBe('BUILDING');
    model.dispose();
  });

  it('knows where the user may make environments, their own place first', async () => {
    const { model } = setUp();
    await model.refresh();
    expect(model.writable).toEqual(['jo', 'lab']);
    model.dispose();
  });
});

describe('ServerState', () => {
  it('knows when the server was exchanged for another version', async () => {
    const { api, model } = setUp();
    await model.refresh();
    expect([model.server.isOutdated, model.server.space?.low]).toEqual([false, false]);
    api.serverVersion = '2';
    api.low = true;
    await model.refresh();
    expect(model.server.isOutdated).toBe(false); // it looks now and then
    api.refusal = new Error('no answer');
    await model.refresh();
    api.refusal = null;
    await model.refresh();
    expect([model.server.isOutdated, model.server.space?.low]).toEqual([true, true]);
    model.dispose();
  });
});

describe('notify', () => {
  it('shows how far a build of the user is, and takes that away when it has ended', async () => {
    const { api, model } = setUp();
    notify(model, new CommandRegistry(), nullTranslator.load('jupyter_envstore'));
    const shown = () => Notification.manager.notifications.map(found => [found.type, found.message.split(' · ')[0]]);
    api.answer = [item({ newest_build_status: 'BUILDING', newest_build_id: 6 })];
    await model.refresh();
    model.watch(6);
    await model.refresh();
    expect(shown()).toEqual([]); // it may end at once
    await pause(1100);
    await model.refresh();
    expect(shown()).toEqual([['in-progress', 'Building team/data']]);
    const build = { id: 6, number: 2, status: 'FAILED', status_info: 'no package x', started_on: null, ended_on: null };
    api.answer = [item({ newest_build_status: 'FAILED', newest_build_id: 6, newest_build: build })];
    await model.refresh();
    expect(shown()).toEqual([['error', 'team/data: no package x']]);
    Notification.dismiss();
    model.dispose();
  });
});
