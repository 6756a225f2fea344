import type { ServerConnection } from '@jupyterlab/services';
import { Requests } from '../../src/store/requests';

/** Requests to a server that keeps each until it is told to answer. */
function setUp(): { requests: Requests; answer: () => void; said: boolean[] } {
  const waiting: (() => void)[] = [];
  const fetch = (request: Request) =>
    new Promise<Response>((resolve, reject) => {
      waiting.push(() => resolve({ ok: true, status: 200, json: async () => ({ data: 'here' }) } as Response));
      request.signal.addEventListener('abort', () => reject(new TypeError('aborted')));
    });
  const settings = {
    baseUrl: 'http://localhost/',
    appendToken: false,
    init: {},
    fetch,
    Request: class {
      constructor(readonly url: string, init: RequestInit) {
        this.headers = new Map();
        this.signal = init.signal!;
      }
      headers: Map<string, string>;
      signal: AbortSignal;
    },
    Headers: Map, cache: 'default',
    token: ''
  } as unknown as ServerConnection.ISettings;
  const requests = new Requests(settings);
  const said: boolean[] = [];
  requests.waited.connect(() => said.push(requests.isSlow));
  return { requests, said, answer: () => waiting.splice(0).forEach(give => give()) };
}

describe('Requests', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('misses an answer after three seconds, and is content once it comes', async () => {
    const { requests, said, answer } = setUp();
    const asked = requests.ask('GET', 'build/1/');
    await jest.advanceTimersByTimeAsync(2_900);
    expect(said).toEqual([]);
    await jest.advanceTimersByTimeAsync(200);
    expect(said).toEqual([true]);
    answer();
    expect(await asked).toBe('here');
    expect(said).toEqual([true, false]);
  });

  it('gives up what should be quick, and waits for a change and for what is long', async () => {
    const { requests, said, answer } = setUp();
    const quick = requests.ask('GET', 'build/1/').catch((error: Error) => error.message);
    const change = requests.ask('PUT', 'build/1/', { body: {} });
    const long = requests.ask('POST', 'solve/', { patience: 'long' });
    await jest.advanceTimersByTimeAsync(13_000);
    expect(await quick).toBe('The server does not answer');
    expect(requests.isSlow).toBe(true); // the change
    await jest.advanceTimersByTimeAsync(60_000);
    answer();
    expect(await change).toBe('here');
    expect(await long).toBe('here');
    expect(said).toEqual([true, false]);
  });

  it('stops with whoever asked', async () => {
    const { requests } = setUp();
    const stop = new AbortController();
    const asked = requests.ask('GET', 'search/a/', { signal: stop.signal, patience: 'long' }).catch(() => 'stopped');
    await jest.advanceTimersByTimeAsync(10);
    stop.abort();
    expect(await asked).toBe('stopped');
  });
});
