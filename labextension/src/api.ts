import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { IBuild, IEnvironment, IFault, IProgress } from './types';

const ROOT = 'envstore/api/v1';

/** What the server refused: its message is for people, its status and code are for programs. */
export class EnvStoreError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly faults: IFault[] = []
  ) {
    super(message);
  }
}

/** The store's REST API. */
export class EnvStoreApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Return all environments that the user may see. */
  async environments(): Promise<IEnvironment[]> {
    return (await this.ask<IEnvironment[]>('GET', 'environment/')) ?? [];
  }

  /** Return a build with its specification. */
  async build(id: number): Promise<IBuild> {
    return this.ask('GET', `build/${id}/`);
  }

  /** Return the steps of a build. */
  async progress(id: number): Promise<IProgress> {
    return this.ask('GET', `build/${id}/progress/`);
  }

  /** Build a specification; return the id of the build. */
  async submit(specification: string, namespace?: string): Promise<number> {
    const body = namespace ? { specification, namespace } : { specification };
    return (await this.ask<{ build_id: number }>('POST', 'specification/', body)).build_id;
  }

  /** Build the same specification again. */
  async rebuild(id: number): Promise<number> {
    return (await this.ask<{ build_id: number }>('PUT', `build/${id}/`, {})).build_id;
  }

  /** Stop a build. */
  async cancel(id: number): Promise<void> {
    await this.ask('PUT', `build/${id}/cancel/`, {});
  }

  /** Bring a build back that was packed away. */
  async restore(id: number): Promise<void> {
    await this.ask('POST', `build/${id}/restore/`, {});
  }

  /** Delete an environment with all its builds. */
  async deleteEnvironment(namespace: string, name: string): Promise<void> {
    await this.ask('DELETE', `environment/${namespace}/${name}/`);
  }

  /** Return the channels that specifications get where they name none. */
  async channels(): Promise<string[]> {
    const found = await this.ask<{ name: string }[]>('GET', 'channel/');
    return found.map(channel => channel.name);
  }

  /** Return the address of something below the API, for a browser tab. */
  url(path: string): string {
    return URLExt.join(this.settings.baseUrl, ROOT, path);
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    const answer = await ServerConnection.makeRequest(this.url(path), init, this.settings);
    let data: any = null;
    try {
      data = await answer.json();
    } catch {
      // not from us: a proxy, or a server without the extension
    }
    if (!answer.ok || data === null) {
      const message = data?.message ?? `${answer.status} ${answer.statusText}`;
      throw new EnvStoreError(message, answer.status, data?.code ?? '', data?.faults ?? []);
    }
    return data.data as T;
  }
}
