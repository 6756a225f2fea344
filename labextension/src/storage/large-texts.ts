import { UUID } from '@lumino/coreutils';

const DATABASE = 'jupyter-envstore';
const STORE = 'texts';
/** Milliseconds that an unused text is kept, since a discarded draft can be brought back. */
const GRACE = 3_600_000;

/** Texts of this many characters or more are kept here, since `localStorage` holds only 5 MB for a whole server. */
export const LARGE = 500_000;

interface IKept {
  text: string;
  on: number;
}

/**
 * Large texts that are kept in this browser; values in `localStorage` refer to them by their keys. If the browser
 * cannot store them, they are lost when the page is closed.
 */
class LargeTexts {
  /** Keep a text, and return its key. */
  add(text: string): string {
    const key = UUID.uuid4();
    this._here.set(key, text);
    this._stored.set(key, this._put(key, text));
    return key;
  }

  /** Return a text; undefined where it is not kept any more. */
  async fetch(key: string): Promise<string | undefined> {
    const here = this._here.get(key);
    return here ?? (await this._ask<IKept | undefined>('readonly', store => store.get(key)).catch(() => undefined))?.text;
  }

  /** Whether a text outlives the page. */
  async isStored(key: string): Promise<boolean> {
    return (await (this._stored.get(key) ?? true)) && (await this.fetch(key)) !== undefined;
  }

  private async _put(key: string, text: string): Promise<boolean> {
    try {
      await this._ask('readwrite', store => store.put({ text, on: Date.now() } satisfies IKept, key));
    } catch {
      return false; // the browser keeps nothing, or has no room
    }
    await this._prune().catch(() => undefined); // it is tried again with the next text
    return true;
  }

  /** Delete texts that are not used any more. */
  private async _prune(): Promise<void> {
    const keys = await this._ask<IDBValidKey[]>('readonly', store => store.getAllKeys());
    const used = Array.from({ length: window.localStorage.length }, (_, place) =>
      window.localStorage.getItem(window.localStorage.key(place) ?? '')
    );
    for (const key of keys.map(String).filter(key => !this._here.has(key) && !used.some(value => value?.includes(key)))) {
      const kept = await this._ask<IKept | undefined>('readonly', store => store.get(key));
      if (kept && kept.on < Date.now() - GRACE) {
        await this._ask('readwrite', store => store.delete(key));
      }
    }
  }

  private async _ask<T>(mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest): Promise<T> {
    this._opened ??= new Promise((resolve, reject) => {
      const request = window.indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('blocked'));
    });
    const database = await this._opened;
    return new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = what(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  }

  private readonly _here = new Map<string, string>();
  private readonly _stored = new Map<string, Promise<boolean>>();
  private _opened: Promise<IDBDatabase> | undefined;
}

/** The large texts of this page. */
export const largeTexts = new LargeTexts();
