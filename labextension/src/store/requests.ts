import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { EnvStoreError, refusal } from './errors';

const ROOT = 'envstore/api/v1';
const NO_ANSWER = 'The server does not answer';
/** Milliseconds after which an answer that should be quick is missed. */
const SLOW = 3_000;
/** Milliseconds after which it is not waited for any more. */
const LIMIT = 12_000;

/**
 * How long an answer may take. A `quick` one is missed and then given up. A `change` is missed, and waited for: nobody
 * knows whether it was done. A `long` one takes what it takes.
 */
export type Patience = 'quick' | 'change' | 'long';

/** What may be said with a request. */
export interface IRequest {
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** By default what is read is quick, and what is not is a change. */
  patience?: Patience;
}

/** Sends requests to the server's part, and notices when it does not answer. */
export class Requests {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** Emitted when the server begins to keep somebody waiting, and when it answers again. */
  get waited(): ISignal<this, void> {
    return this._waited;
  }

  /** Whether an answer is missed now. */
  get isSlow(): boolean {
    return this._missed.size > 0;
  }

  /** Return the address of something below the API, for a browser tab. */
  url(below: string): string {
    const [place, query] = below.split('?');
    return URLExt.join(this.settings.baseUrl, ROOT, place ?? '') + (query ? `?${query}` : '');
  }

  /** Ask, and return what is answered. */
  async ask<T>(method: string, below: string, request: IRequest = {}): Promise<T> {
    return (await this.request<T>(method, below, request)).data;
  }

  /** Ask, and return what is answered with the number of all that there are. */
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

  /** Send something to an address; the browser's own words for a failure are for programmers. */
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
