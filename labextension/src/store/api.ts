import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { refusal } from './errors';
import { Requests } from './requests';
import type {
  IAbout,
  IArtifact,
  IBuild,
  IChecked,
  IContent,
  IEnvironment,
  IFoundPackage,
  INamespaceRole,
  IPackageChange,
  IPermissions,
  IPick,
  IPlace,
  IProgress,
  ISolved,
  ISpace,
  IToken,
  IUsage
} from './types';

const PAGE = 100;

/** Return the names of an environment as a part of a path. */
function names(place: IPlace): string {
  return `${encodeURIComponent(place.namespace)}/${encodeURIComponent(place.name)}/`;
}

/** Return the path of something below an environment. */
function path(place: IPlace): string {
  return `environment/${names(place)}`;
}

/** The store's REST API. */
export class EnvStoreApi {
  constructor(settings: ServerConnection.ISettings) {
    this.requests = new Requests(settings);
  }

  // -- environments ------------------------------------------------------------------------------------------------

  /** Return all environments that the user may see; with `packages`, those whose build has all of them. */
  async environments(packages: string[] = []): Promise<IEnvironment[]> {
    const query = packages.map(name => `packages=${encodeURIComponent(name)}`).join('&');
    return (await this.ask<IEnvironment[]>('GET', `environment/${query && '?'}${query}`)) ?? [];
  }

  /** Return one environment. */
  async environment(place: IPlace): Promise<IEnvironment> {
    return this.ask('GET', path(place));
  }

  /** Make a build the active one. */
  async activate(place: IPlace, build: number): Promise<void> {
    await this.ask('PUT', path(place), { build_id: build });
  }

  /** Change the description of an environment. */
  async describe(place: IPlace, description: string): Promise<void> {
    await this.ask('PUT', path(place), { description });
  }

  /** Build the same lock under another name. */
  async clone(place: IPlace, target: IPlace, build?: number): Promise<number> {
    const body = { ...target, ...(build ? { build_id: build } : {}) };
    return (await this.ask<{ build_id: number }>('POST', `${path(place)}clone/`, body)).build_id;
  }

  /** Delete an environment with all its builds; it can come back for ten minutes. */
  async deleteEnvironment(place: IPlace): Promise<void> {
    await this.ask('DELETE', path(place));
  }

  /** Bring a deleted environment back. */
  async undelete(place: IPlace): Promise<void> {
    await this.ask('POST', `${path(place)}undelete/`);
  }

  // -- specifications ----------------------------------------------------------------------------------------------

  /** Build a specification; return the id of the build, and what the settings of its place changed. */
  async submit(
    specification: string,
    namespace?: string,
    name?: string,
    description?: string,
    excludeNewer?: string | null
  ): Promise<{ build: number; notes: string[] }> {
    const body = {
      specification,
      ...(namespace ? { namespace } : {}),
      ...(name ? { environment_name: name } : {}),
      ...(description ? { environment_description: description } : {}),
      ...(excludeNewer ? { exclude_newer: excludeNewer } : {})
    };
    const made = await this.ask<{ build_id: number; notes: string[] }>('POST', 'specification/', body);
    return { build: made.build_id, notes: made.notes };
  }

  /**
   * Check a text, and return its faults and its content. With `fileName`, it is read as a file and repaired: except for
   * the changes in `keep`, and with the choices in `pick`.
   */
  async check(
    specification: string,
    place: Partial<IPlace>,
    fileName?: string,
    keep: readonly string[] = [],
    pick: IPick = {}
  ): Promise<IChecked> {
    const body = {
      specification,
      ...(place.namespace ? { namespace: place.namespace } : {}),
      ...(place.name ? { environment: place.name } : {}),
      ...(fileName ? { repair: true, file_name: fileName, keep } : {}),
      ...(pick.environment ? { file_environment: pick.environment } : {}),
      ...(pick.categories?.length ? { categories: pick.categories } : {})
    };
    return this.requests.ask('POST', 'specification/check/', { body, patience: 'quick' });
  }

  /** Return a text with packages added or removed. */
  async edit(specification: string, add: string[], remove: string[]): Promise<string> {
    const body = { specification, add, remove };
    return (await this.requests.ask<{ specification: string }>('POST', 'specification/edit/', { body, patience: 'quick' })).specification;
  }

  /** Say what a text would install, and what that changes in the environment. */
  async solve(
    specification: string,
    place: Partial<IPlace>,
    options: { signal?: AbortSignal; platform?: string; lastIndex?: boolean; excludeNewer?: string | null } = {}
  ): Promise<ISolved> {
    const { signal, platform, lastIndex, excludeNewer } = options;
    const body = {
      specification,
      ...(lastIndex ? { last_index: true } : {}),
      ...(excludeNewer ? { exclude_newer: excludeNewer } : {}),
      ...(platform ? { platform } : {}),
      ...(place.namespace ? { namespace: place.namespace } : {}),
      ...(place.name ? { environment: place.name } : {})
    };
    return this.requests.ask('POST', 'solve/', { body, signal, patience: 'long' });
  }

  /** Return the versions of a package, or the names that a pattern with `*` matches. */
  async search(name: string, channels: string[] = [], signal?: AbortSignal): Promise<IFoundPackage[]> {
    const query = channels.map(channel => `channel=${encodeURIComponent(channel)}`).join('&');
    const below = `search/${encodeURIComponent(name)}/${query && '?'}${query}`;
    return this.requests.ask('GET', below, { signal, patience: 'long' });
  }

  /** Return the newest package of each name that there is. */
  async newest(packages: readonly string[], channels: readonly string[]): Promise<IFoundPackage[]> {
    const query = [
      ...packages.map(name => `name=${encodeURIComponent(name)}`),
      ...channels.map(channel => `channel=${encodeURIComponent(channel)}`)
    ];
    return this.requests.ask('GET', `newest/?${query.join('&')}`, { patience: 'long' });
  }

  // -- builds ------------------------------------------------------------------------------------------------------

  /** Return a build with its specification. */
  async build(id: number): Promise<IBuild> {
    return this.ask('GET', `build/${id}/`);
  }

  /** Return the newest builds of an environment, newest first, and how many there are. */
  async builds(environmentId: number, size = PAGE): Promise<{ builds: IBuild[]; count: number }> {
    const query = `environment_id=${environmentId}&size=${size}&order=desc`;
    const answer = await this.requests.request<IBuild[]>('GET', `build/?${query}`);
    return { builds: answer.data, count: answer.count ?? answer.data.length };
  }

  /** Return the builds that are queued or run, the oldest first. */
  async unfinishedBuilds(): Promise<IBuild[]> {
    const found = await Promise.all(
      ['QUEUED', 'BUILDING'].map(status => this.ask<IBuild[]>('GET', `build/?status=${status}&size=${PAGE}`))
    );
    return found.flat().sort((a, b) => a.id - b.id);
  }

  /** Return the packages of a build and why each is there. */
  async contents(id: number): Promise<IContent[]> {
    return this.ask('GET', `build/${id}/contents/`);
  }

  /** Return the metadata of a package of a build. */
  async about(id: number, name: string, manager: string): Promise<IAbout> {
    return this.ask('GET', `build/${id}/about/${encodeURIComponent(name)}/?manager=${manager}`);
  }

  /** Pin a build, or let the retention settings decide about it again. */
  async pin(id: number, pinned: boolean): Promise<void> {
    await this.ask('PUT', `build/${id}/pin/`, { pinned });
  }

  /** Keep the files of a build's packages in the store, or stop keeping them. */
  async keepPackages(id: number, packages: boolean): Promise<void> {
    await this.ask('PUT', `build/${id}/keep/`, { packages });
  }

  /** Create kernels for a build that is not active; return their names. */
  async offerKernel(id: number): Promise<string[]> {
    return (await this.ask<{ kernels: string[] }>('POST', `build/${id}/kernel/`, {})).kernels;
  }

  /** Delete the files of a build that is not active; `restore` brings them back. */
  async packAway(id: number): Promise<void> {
    await this.ask('POST', `build/${id}/pack-away/`, {});
  }

  /** Return what changed from one build to another. */
  async diff(first: number, second: number): Promise<IPackageChange[]> {
    return this.ask('GET', `build/${first}/diff/${second}/`);
  }

  /** Return the steps of a build. */
  async progress(id: number): Promise<IProgress> {
    return this.ask('GET', `build/${id}/progress/`);
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

  /** Delete a build. */
  async deleteBuild(id: number): Promise<void> {
    await this.ask('DELETE', `build/${id}/`);
  }

  /** Return the artifacts of a build in every state. */
  async artifacts(id: number): Promise<IArtifact[]> {
    return this.ask('GET', `build/${id}/artifacts/`);
  }

  /** Request an artifact. */
  async make(id: number, type: string, variant = ''): Promise<IArtifact> {
    return this.ask('POST', `build/${id}/artifacts/${encodeURIComponent(type)}/`, variant ? { variant } : {});
  }

  /** Return a text artifact. */
  async text(url: string): Promise<string> {
    const whole = new URL(url, this.requests.settings.baseUrl).href;
    const answer = await this.requests.send(whole, {});
    if (!answer.ok) {
      throw await refusal(answer);
    }
    return answer.text();
  }

  /** Stream the log of a build until the build has ended. */
  async follow(id: number, offset: number, onText: (text: string) => void, signal: AbortSignal): Promise<void> {
    const address = this.url(`build/${id}/logs/?follow=true&offset=${offset}`);
    const answer = await this.requests.send(address, { signal, cache: 'no-store' });
    if (!answer.ok || !answer.body) {
      throw await refusal(answer);
    }
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (value) {
        onText(decoder.decode(value, { stream: true }));
      }
      if (done) {
        return;
      }
    }
  }

  // -- people ------------------------------------------------------------------------------------------------------

  /** Return who the user is and what they may do. */
  async permissions(): Promise<IPermissions> {
    return this.ask('GET', 'permission/');
  }

  /** Return environments, builds and bytes of each namespace. */
  async usage(): Promise<Record<string, IUsage>> {
    return this.ask('GET', 'usage/');
  }

  /** Return the user's tokens. */
  async tokens(): Promise<IToken[]> {
    return this.ask('GET', 'token/');
  }

  /** Create a token; its text is returned only once. */
  async makeToken(name: string, bindings: Record<string, string[]>, expiration: Date): Promise<string> {
    const body = { name, role_bindings: bindings, expiration: expiration.toISOString() };
    return (await this.ask<{ token: string }>('POST', 'token/', body)).token;
  }

  /** Revoke a token. */
  async revokeToken(id: number): Promise<void> {
    await this.ask('DELETE', `token/${id}/`);
  }

  /** Return the members of a namespace. */
  async members(namespace: string): Promise<INamespaceRole[]> {
    return this.ask('GET', `namespace/${encodeURIComponent(namespace)}/roles`);
  }

  /** Give the user of another namespace a role here, change it, or take it away (null). */
  async setMember(namespace: string, other: string, role: string | null, isNew: boolean): Promise<void> {
    const address = `namespace/${encodeURIComponent(namespace)}/role`;
    const body = role === null ? { other_namespace: other } : { other_namespace: other, role };
    await this.ask(role === null ? 'DELETE' : isNew ? 'POST' : 'PUT', address, body);
  }

  /** Return the settings that apply to an environment. */
  async settingsOf(place: IPlace): Promise<Record<string, unknown>> {
    return this.ask('GET', `setting/${names(place)}`);
  }

  /** Return the default channels of the whole store, for specifications that name no channel. */
  async defaultChannels(): Promise<string[]> {
    const settings = await this.ask<{ conda_default_channels: string[] }>('GET', 'setting/');
    return settings.conda_default_channels;
  }

  /** Change settings of an environment, or of the whole store without a place. */
  async changeSettings(values: Record<string, unknown>, place?: IPlace): Promise<void> {
    await this.ask('PUT', `setting/${place ? names(place) : ''}`, values);
  }

  /** Return how full the store's disk is; with `plan`, what could be freed. */
  async space(plan = false): Promise<ISpace> {
    // a plan is a walk through the caches
    return this.requests.ask('GET', `space/${plan ? '?plan=true' : ''}`, { patience: plan ? 'long' : 'quick' });
  }

  /** Delete what the retention settings do not keep. */
  async free(): Promise<ISpace> {
    return this.ask('POST', 'space/', {});
  }

  /** Return the version of the server extension. */
  async version(): Promise<string> {
    return (await this.ask<{ version: string }>('GET', '')).version;
  }

  /** Return the default channels, for specifications that name no channel. */
  async channels(): Promise<string[]> {
    const found = await this.ask<{ name: string }[]>('GET', 'channel/');
    return found.map(channel => channel.name);
  }

  // -- requests ----------------------------------------------------------------------------------------------------

  /** Return the address of something below the API, for a browser tab. */
  url(below: string): string {
    return this.requests.url(below);
  }

  /** The address that clients elsewhere are given: it ends in `/envstore`. */
  get address(): string {
    return URLExt.join(this.requests.settings.baseUrl, 'envstore');
  }

  /** Sends the requests. */
  readonly requests: Requests;

  private ask<T>(method: string, below: string, body?: unknown): Promise<T> {
    return this.requests.ask<T>(method, below, body === undefined ? {} : { body });
  }
}
