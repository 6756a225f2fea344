import { ServerConnection } from '@jupyterlab/services';
import type { IEnvironment } from '../store/types';

/** What is kept in this browser: by server and by environment, so that one of the same name elsewhere never has it. */
export class BrowserStorage {
  /** Return what was kept, undefined where nothing was. */
  fetch(key: string): unknown {
    try {
      return JSON.parse(window.localStorage.getItem(this._whole(key)) ?? 'null') ?? undefined;
    } catch {
      return undefined; // the browser keeps nothing, or somebody else wrote it
    }
  }

  /** Keep something; null drops it. False where the browser keeps it not: it is full, or closed to us. */
  save(key: string, value: unknown): boolean {
    try {
      if (value === null) {
        window.localStorage.removeItem(this._whole(key));
      } else {
        window.localStorage.setItem(this._whole(key), JSON.stringify(value));
      }
      return true;
    } catch {
      return false; // it lives as long as the page
    }
  }

  private _whole(key: string): string {
    return `jupyter-envstore:${this._server}:${key}`;
  }

  private readonly _server = ServerConnection.makeSettings().baseUrl;
}

/** The one of this page. */
export const browserStorage = new BrowserStorage();

/** Return the key of something that belongs to one environment: another one of its name has another key. */
export function environmentKey(kind: string, item: IEnvironment): string {
  return `${kind}:${item.namespace.name}/${item.name}:${item.id}:${item.created_on}`;
}
