import { isUnfinished, placeOf } from './accessors';
import type { BuildStatus, IEnvironment, IPlace } from './types';

/** A build that the user started has ended. */
export interface IBuildEnd {
  build: number;
  place: IPlace;
  status: BuildStatus;
  reason: string;
  seconds: number | null;
}

/** The builds that the user started in this page, until their end was told. */
export class OwnBuilds {
  /** Remember a build. */
  add(build: number): void {
    this._builds.add(build);
  }

  /** Whether the user started a build, and its end was not told yet. */
  has(build: number): boolean {
    return this._builds.has(build);
  }

  /**
   * Return how the newest build of an environment ended, once. Null if it is not the user's build or has not ended;
   * `early` if it has ended, and the server does not know its kernels yet.
   */
  endOf(item: IEnvironment): IBuildEnd | 'early' | null {
    const newest = item.newest_build ?? item.current_build;
    if (!newest || !this._builds.has(newest.id)) {
      return null;
    }
    // the server looks for kernels a moment after a build has ended
    if (newest.status === 'COMPLETED' && !item.kernels.length && !item.kernel_note) {
      return 'early';
    }
    if (isUnfinished(newest.status)) {
      return null;
    }
    this._builds.delete(newest.id);
    const [start, end] = [newest.started_on, newest.ended_on].map(text => (text ? Date.parse(`${text}Z`) : NaN));
    const seconds = (end! - start!) / 1000;
    return {
      build: newest.id,
      place: placeOf(item),
      status: newest.status,
      reason: newest.status_info ?? '',
      seconds: Number.isFinite(seconds) ? seconds : null
    };
  }

  private readonly _builds = new Set<number>();
}
