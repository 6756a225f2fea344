import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { EnvStoreError, refusal } from './errors';

const ROOT = 'envstore/api/v1';
const NO_ANSWER = 'The server does not answer';
/** Milliseconds after which a quick answer counts as slow. */
const SLOW = 3_000;
/** Milliseconds after which a quick request is given up. */
const LIMIT = 12_000;

/**
 * How long an answer may take. A `quick` request counts as slow after a while, and is given up later. A `change` counts
 * as slow, but is not given up, since it may have been done. A `long` request has no limit.
 */
export type Patience = 'quick' | 'change' | 'long';

/** Options of a request. */
export interface IRequest {
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** By default `quick` for GET, and `change` for other methods. */
  patience?: Patience;
}

/** Sends requests to the server extension, and notices when it does not answer. */
export class Requests {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** Emitted when the server becomes slow, and when it answers again. */
  get waited(): ISignal<this, void> {
    return this._waited;
  }

  /** Whether an answer is late now. */
  get isSlow(): boolean {
    return this._missed.size > 0;
  }

  /** Return the address of something below the API, for a browser tab. */
  url(below: string): string {
    const [place, query] = below.split('?');
    return URLExt.join(this.settings.baseUrl, ROOT, place ?? '') + (query ? `?${query}` : '');
  }

  /** Send a request, and return the data of the answer. */
  async ask<T>(method: string, below: string, request: IRequest = {}): Promise<T> {
    return (await this.request<T>(method, below, request)).data;
  }

  /** Send a request, and return the data of the answer with the number of all items. */
  async request<T>(method: string, below: string, request: IRequest = {}): Promise<{ data: T; count?: number }> {
    const { body, patience = method === 'GET' ? 'quick' : 'change' } = request;
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    return this.patiently(patience, request.signal, async signal => {
      const answer = await this.send(this.url(below), { ...init, signal });
      if (!answer.ok) {
        throw await refusal(answer);
      }
      try {
        return await answer.json();
      } catch {
        // a proxy's page, or one that was given up in the middle
        throw new EnvStoreError(signal.aborted ? NO_ANSWER : `${answer.status} ${answer.statusText}`, answer.status, '');
      }
    });
  }

  /** Send a request to an address; if that fails, the error has words for people. */
  async send(address: string, init: RequestInit): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(address, init, this.settings);
    } catch (error) {
      if (error instanceof ServerConnection.NetworkError) {
        throw new EnvStoreError(NO_ANSWER, 0, 'network');
      }
      throw error;
    }
  }

  private async patiently<T>(
    patience: Patience,
    outer: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    const stop = new AbortController();
    const forward = () => stop.abort();
    outer?.addEventListener('abort', forward);
    if (outer?.aborted) {
      forward();
    }
    const timers: number[] = [];
    if (patience !== 'long') {
      timers.push(window.setTimeout(() => this._miss(stop), SLOW));
    }
    if (patience === 'quick') {
      timers.push(window.setTimeout(forward, LIMIT));
    }
    try {
      return await work(stop.signal);
    } finally {
      timers.forEach(timer => window.clearTimeout(timer));
      outer?.removeEventListener('abort', forward);
      this._found(stop);
    }
  }

  private _miss(request: AbortController): void {
    this._missed.add(request);
    if (this._missed.size === 1) {
      this._waited.emit();
    }
  }

  private _found(request: AbortController): void {
    if (this._missed.delete(request) && this._missed.size === 0) {
      this._waited.emit();
    }
  }

  private readonly _missed = new Set<AbortController>();
  private readonly _waited = new Signal<this, void>(this);
}
