import { ServerConnection } from '@jupyterlab/services';
import type { IEnvironment } from '../store/types';

/** Values that are kept in this browser, separately for each server and each environment. */
export class BrowserStorage {
  /** Return a value; undefined if there is none. */
  fetch(key: string): unknown {
    try {
      return JSON.parse(window.localStorage.getItem(this._whole(key)) ?? 'null') ?? undefined;
    } catch {
      return undefined; // the browser keeps nothing, or somebody else wrote it
    }
  }

  /** Keep a value, or delete it (null). False if the browser cannot store it: it is full, or does not permit it. */
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

/** The storage of this page. */
export const browserStorage = new BrowserStorage();

/** Return the key of a value of one environment; an environment that has the same name later has another key. */
export function environmentKey(kind: string, item: IEnvironment): string {
  return `${kind}:${item.namespace.name}/${item.name}:${item.id}:${item.created_on}`;
}
