import { newestFirst } from '../../presentation/versions';
import type { EnvStoreApi } from '../../store/api';
import type { IFoundPackage } from '../../store/types';

const LIFE = 300_000;
const MOST = 40;
const CLOSE = 3;

/** Completes names and versions from channels; answers are cached, since each search starts a process. */
export class ChannelCompleter implements ICompleter {
  constructor(private readonly api: EnvStoreApi) {}

  /** Return names that begin with `prefix`; it fails where the channels cannot be asked. */
  async names(prefix: string, channels: string[]): Promise<string[]> {
    const stem = prefix.slice(0, 2).toLowerCase();
    const all = await this.remember(`${stem}*`, channels, found => found.map(item => item.name));
    return all.filter(name => name.startsWith(prefix.toLowerCase())).slice(0, MOST);
  }

  /**
   * Return names that may have been meant by `name`: they differ by one or two letters, and begin with the same two
   * letters, or begin with the same letter and end with the same two.
   */
  async close(name: string, channels: string[]): Promise<string[]> {
    const word = name.toLowerCase();
    const patterns = [`${word.slice(0, 2)}*`, ...(word.length > 3 ? [`${word[0]}*${word.slice(-2)}`] : [])];
    const found = await Promise.all(
      patterns.map(pattern => this.remember(pattern, channels, answer => answer.map(item => item.name)))
    );
    const all = found.flat();
    const most = name.length > 5 ? 2 : 1;
    const near = [...new Set(all)].map(other => ({ other, far: distance(name.toLowerCase(), other) }));
    return near
      .filter(({ far }) => far > 0 && far <= most)
      .sort((a, b) => a.far - b.far || a.other.localeCompare(b.other))
      .slice(0, CLOSE)
      .map(({ other }) => other);
  }

  /** Return versions of a package, newest first; it fails where the channels cannot be asked. */
  async versions(name: string, channels: string[]): Promise<string[]> {
    const all = await this.remember(name.toLowerCase(), channels, found => [
      ...new Set(found.map(item => item.version))
    ]);
    return all.sort(newestFirst).slice(0, MOST);
  }

  /** Return the newest package of each name that there is. */
  async newest(names: readonly string[], channels: string[]): Promise<Map<string, IFoundPackage>> {
    const keyOf = (name: string) => JSON.stringify([name, channels]);
    const isNew = (name: string) => !((this._newest.get(keyOf(name))?.until ?? 0) > Date.now());
    const asked = names.filter(isNew);
    if (asked.length) {
      const found = await this.api.newest(asked, channels).catch(() => null);
      if (found === null) {
        return new Map(); // a channel that cannot be reached tells nothing here; the preview says why
      }
      const packages = new Map(found.map(item => [item.name, item]));
      for (const name of asked) {
        this._newest.set(keyOf(name), { until: Date.now() + LIFE, found: packages.get(name) });
      }
    }
    return new Map(
      names.flatMap(name => {
        const found = this._newest.get(keyOf(name))?.found;
        return found ? [[name, found] as const] : [];
      })
    );
  }

  private async remember(
    question: string,
    channels: string[],
    read: (found: { name: string; version: string }[]) => string[]
  ): Promise<string[]> {
    const key = JSON.stringify([question, channels]);
    const known = this._known.get(key);
    if (known && known.until > Date.now()) {
      return [...(await known.answer)];
    }
    const answer = this.api.search(question, channels).then(read, (error: Error) => {
      this._known.delete(key); // the next key asks again
      throw error;
    });
    this._known.set(key, { until: Date.now() + LIFE, answer });
    return [...(await answer)];
  }

  private readonly _newest = new Map<string, { until: number; found: IFoundPackage | undefined }>();
  private readonly _known = new Map<string, { until: number; answer: Promise<string[]> }>();
}

/**
 * Return how many letters must be added, removed, changed or swapped with their neighbour to turn one word into another
 * (the restricted Damerau-Levenshtein distance).
 */
export function distance(one: string, other: string): number {
  let [before, last] = [[] as number[], Array.from({ length: other.length + 1 }, (_, place) => place)];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const isExchanged = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next[column] = Math.min(
        last[column]! + 1,
        next[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
        isExchanged ? before[column - 2]! + 1 : Infinity
      );
    }
    [before, last] = [last, next];
  }
  return last[other.length]!;
}
/** Completes names and versions of packages. */
export interface ICompleter {
  names(prefix: string, channels: string[]): Promise<string[]>;
  versions(name: string, channels: string[]): Promise<string[]>;
  /** Return names that may have been meant by a misspelled name. */
  close(name: string, channels: string[]): Promise<string[]>;
  /** The newest package of each name that there is. */
  newest(names: readonly string[], channels: string[]): Promise<Map<string, IFoundPackage>>;
}

