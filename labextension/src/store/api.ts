import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { refusal } from './errors';
import { Requests } from './requests';
import { type Body, type Data, type GivenFor, repeated, requestOf, type Route } from './routes';
import type {
  IAbout,
  IArtifact,
  IBond,
  IBondState,
  IBuild,
  IChecked,
  IContent,
  IElsewhere,
  IEnvironment,
  IForeign,
  IFoundPackage,
  IModuleProvider,
  INamespaceRole,
  IPackageChange,
  IPermissions,
  IPick,
  IScriptBlock,
  IPlace,
  IProgress,
  ISolved,
  ISpace,
  IShareLink,
  IToken,
  IUsage,
  Role
} from './types';

const PAGE = 100;

/** The store's REST API. */
export class EnvStoreApi {
  constructor(settings: ServerConnection.ISettings) {
    this.requests = new Requests(settings);
  }

  // -- environments ------------------------------------------------------------------------------------------------

  /** Return all environments that the user may see; with `packages`, those whose build has all of them. */
  async environments(packages: string[] = []): Promise<IEnvironment[]> {
    return (await this.ask('GET /environment/', { query: repeated('packages', packages) })) ?? [];
  }

  /** Return one environment. */
  async environment(place: IPlace): Promise<IEnvironment> {
    return this.ask('GET /environment/{namespace}/{name}/', { path: place });
  }

  /** Make a build the active one. */
  async activate(place: IPlace, build: number): Promise<void> {
    await this.ask('PUT /environment/{namespace}/{name}/', { path: place, body: { build_id: build } });
  }

  /** Change the description of an environment. */
  async describe(place: IPlace, description: string): Promise<void> {
    await this.ask('PUT /environment/{namespace}/{name}/', { path: place, body: { description } });
  }

  /** Build the same lock under another name. */
  async clone(place: IPlace, target: IPlace, build?: number): Promise<number> {
    const body = { ...target, ...(build ? { build_id: build } : {}) };
    return (await this.ask('POST /environment/{namespace}/{name}/clone/', { path: place, body })).build_id;
  }

  /** Delete an environment with all its builds; it can come back for ten minutes. */
  async deleteEnvironment(place: IPlace): Promise<void> {
    await this.ask('DELETE /environment/{namespace}/{name}/', { path: place });
  }

  /** Bring a deleted environment back. */
  async undelete(place: IPlace): Promise<void> {
    await this.ask('POST /environment/{namespace}/{name}/undelete/', { path: place });
  }

  /** Begin to bring an environment of a store elsewhere to this server. */
  async bring(place: IPlace): Promise<void> {
    await this.ask('POST /environment/{namespace}/{name}/bring/', { path: place });
  }

  // -- specifications ----------------------------------------------------------------------------------------------

  /** Build a specification; return the id of the build, and what the settings of its place changed. */
  async submit(
    specification: string,
    namespace?: string,
    name?: string,
    description?: string,
    excludeNewer?: string | null,
    foreign: IForeign = {}
  ): Promise<{ build: number; notes: readonly string[] }> {
    const body = {
      specification,
      ...(namespace ? { namespace } : {}),
      ...(name ? { environment_name: name } : {}),
      ...(description ? { environment_description: description } : {}),
      ...(excludeNewer ? { exclude_newer: excludeNewer } : {}),
      ...(foreign.isNew ? { is_new: true } : {}),
      ...(foreign.accept ? { accept: [...foreign.accept] } : {})
    };
    const made = await this.ask('POST /specification/', { body });
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
      ...(fileName ? { repair: true, file_name: fileName, keep: keep as Body<'POST /specification/check/'>['keep'] } : {}),
      ...(pick.environment ? { file_environment: pick.environment } : {}),
      ...(pick.categories?.length ? { categories: pick.categories } : {})
    };
    return this.ask('POST /specification/check/', { body, patience: 'quick' });
  }

  /** Return a text with packages added or removed. */
  async edit(specification: string, add: string[], remove: string[]): Promise<string> {
    const body = { specification, add, remove };
    return (await this.ask('POST /specification/edit/', { body, patience: 'quick' })).specification;
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
    return this.ask('POST /solve/', { body, signal, patience: 'long' });
  }

  /** Return the versions of a package, or the names that a pattern with `*` matches. */
  async search(name: string, channels: string[] = [], signal?: AbortSignal): Promise<IFoundPackage[]> {
    return this.ask('GET /search/{package}/', { path: { package: name }, query: repeated('channel', channels), signal, patience: 'long' });
  }

  /** Return the newest package of each name that there is. */
  async newest(packages: readonly string[], channels: readonly string[]): Promise<IFoundPackage[]> {
    const query = [repeated('name', packages), repeated('channel', channels)].filter(part => part).join('&');
    return this.ask('GET /newest/', { query, patience: 'long' });
  }

  // -- builds ------------------------------------------------------------------------------------------------------

  /** Return a build with its specification. */
  async build(id: number): Promise<IBuild> {
    return this.ask('GET /build/{build_id}/', { path: { build_id: id } });
  }

  /** Return the newest builds of an environment, newest first, and how many there are. */
  async builds(environmentId: number, size = PAGE): Promise<{ builds: IBuild[]; count: number }> {
    const query = `environment_id=${environmentId}&size=${size}&order=desc`;
    const answer = await this.request('GET /build/', { query });
    return { builds: answer.data, count: answer.count ?? answer.data.length };
  }

  /** Return the builds that are queued or run, the oldest first. */
  async unfinishedBuilds(): Promise<IBuild[]> {
    const found = await Promise.all(
      ['QUEUED', 'BUILDING'].map(status => this.ask('GET /build/', { query: `status=${status}&size=${PAGE}` }))
    );
    return found.flat().sort((a, b) => a.id - b.id);
  }

  /** Return the packages of a build and why each is there. */
  async contents(id: number): Promise<IContent[]> {
    return this.ask('GET /build/{build_id}/contents/', { path: { build_id: id } });
  }

  /** Return the metadata of a package of a build. */
  async about(id: number, name: string, manager: string): Promise<IAbout> {
    return this.ask('GET /build/{build_id}/about/{package}/', { path: { build_id: id, package: name }, query: `manager=${manager}` });
  }

  /** Pin a build, or let the retention settings decide about it again. */
  async pin(id: number, pinned: boolean): Promise<void> {
    await this.ask('PUT /build/{build_id}/pin/', { path: { build_id: id }, body: { pinned } });
  }

  /** Keep the files of a build's packages in the store, or stop keeping them. */
  async keepPackages(id: number, packages: boolean): Promise<void> {
    await this.ask('PUT /build/{build_id}/keep/', { path: { build_id: id }, body: { packages } });
  }

  /** Return what a notebook that runs in a build remembers of it; with `lock`, also the whole build record. */
  async bond(id: number, lock: boolean): Promise<IBond> {
    return this.ask('GET /build/{build_id}/bond/', { path: { build_id: id }, query: lock ? 'lock=true' : '' });
  }

  /** Return what is known of the environment that a notebook remembers in its metadata. */
  async notebook(envstore: object): Promise<IBondState> {
    return this.ask('POST /notebook/', { body: { envstore: envstore as Record<string, never> } });
  }

  /** Return the packages that have a module which a notebook lacks. */
  async module(module: string, language: 'python' | 'r'): Promise<IModuleProvider[]> {
    return this.ask('GET /module/{module}/', { path: { module }, query: `language=${language}` });
  }

  /** Ask the stores that the account of the server is logged in to for the build of a notebook. */
  async elsewhere(envstore: object): Promise<IElsewhere> {
    return this.ask('POST /notebook/elsewhere/', { body: { envstore: envstore as Record<string, never> } });
  }

  /**
   * Build the lock that a notebook holds, or that the store elsewhere has, in a new environment; packages may also come from
   * the addresses in `accept`.
   */
  async buildLock(envstore: object, place: IPlace, accept: readonly string[], store = ''): Promise<number> {
    const body = { envstore: envstore as Record<string, never>, ...place, accept: [...accept], ...(store && { store }) };
    return (await this.ask('POST /notebook/build/', { body })).build_id;
  }

  /** Return a cell with what a build was asked for as its script block (PEP 723). */
  async scriptBlock(id: number, text: string): Promise<IScriptBlock> {
    return this.ask('POST /build/{build_id}/script-block/', { path: { build_id: id }, body: { text } });
  }

  /** Create kernels for a build that is not active; return their names. */
  async offerKernel(id: number): Promise<readonly string[]> {
    return (await this.ask('POST /build/{build_id}/kernel/', { path: { build_id: id }, body: {} })).kernels;
  }

  /** Delete the files of a build that is not active; `restore` brings them back. */
  async packAway(id: number): Promise<void> {
    await this.ask('POST /build/{build_id}/pack-away/', { path: { build_id: id }, body: {} });
  }

  /** Return what changed from one build to another. */
  async diff(first: number, second: number): Promise<IPackageChange[]> {
    return this.ask('GET /build/{build_id}/diff/{other_id}/', { path: { build_id: first, other_id: second } });
  }

  /** Return the steps of a build. */
  async progress(id: number): Promise<IProgress> {
    return this.ask('GET /build/{build_id}/progress/', { path: { build_id: id } });
  }

  /** Build the same specification again. */
  async rebuild(id: number): Promise<number> {
    return (await this.ask('PUT /build/{build_id}/', { path: { build_id: id }, body: {} })).build_id;
  }

  /** Stop a build. */
  async cancel(id: number): Promise<void> {
    await this.ask('PUT /build/{build_id}/cancel/', { path: { build_id: id }, body: {} });
  }

  /** Bring a build back that was packed away. */
  async restore(id: number): Promise<void> {
    await this.ask('POST /build/{build_id}/restore/', { path: { build_id: id }, body: {} });
  }

  /** Delete a build. */
  async deleteBuild(id: number): Promise<void> {
    await this.ask('DELETE /build/{build_id}/', { path: { build_id: id } });
  }

  /** Return the artifacts of a build in every state. */
  async artifacts(id: number): Promise<IArtifact[]> {
    return this.ask('GET /build/{build_id}/artifacts/', { path: { build_id: id } });
  }

  /** Request an artifact. */
  async make(id: number, type: string, variant = ''): Promise<IArtifact> {
    const path = { build_id: id, kind: type };
    return this.ask('POST /build/{build_id}/artifacts/{kind}/', { path, body: variant ? { variant } : {} });
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
    return this.ask('GET /permission/');
  }

  /** Return environments, builds and bytes of each namespace. */
  async usage(): Promise<Record<string, IUsage>> {
    return this.ask('GET /usage/');
  }

  /** Return the user's tokens. */
  async tokens(): Promise<IToken[]> {
    return this.ask('GET /token/');
  }

  /** Create a token; its text is returned only once. */
  async makeToken(name: string, bindings: Body<'POST /token/'>['role_bindings'], expiration: Date): Promise<string> {
    const body = { name, role_bindings: bindings, expiration: expiration.toISOString() };
    return (await this.ask('POST /token/', { body })).token;
  }

  /** Make a link with which others can look at an environment; it is returned only once. */
  async share(place: IPlace, days: number): Promise<IShareLink> {
    return this.ask('POST /environment/{namespace}/{name}/share/', { path: { ...place }, body: { days } });
  }

  /** Return the links to an environment that the user may revoke. */
  async links(place: IPlace): Promise<IToken[]> {
    return this.ask('GET /environment/{namespace}/{name}/share/', { path: { ...place } });
  }

  /** Revoke a link to an environment. */
  async revokeLink(place: IPlace, id: number): Promise<void> {
    await this.ask('DELETE /environment/{namespace}/{name}/share/{token_id}/', { path: { ...place, token_id: id } });
  }

  /** Revoke a token. */
  async revokeToken(id: number): Promise<void> {
    await this.ask('DELETE /token/{token_id}/', { path: { token_id: id } });
  }

  /** Return the members of a namespace. */
  async members(namespace: string): Promise<INamespaceRole[]> {
    return this.ask('GET /namespace/{namespace}/roles', { path: { namespace } });
  }

  /** Give the user of another namespace a role here, change it, or take it away (null). */
  async setMember(namespace: string, other: string, role: Role | null, isNew: boolean): Promise<void> {
    const path = { namespace };
    if (role === null) {
      await this.ask('DELETE /namespace/{namespace}/role', { path, body: { other_namespace: other } });
    } else {
      const route = isNew ? 'POST /namespace/{namespace}/role' : 'PUT /namespace/{namespace}/role';
      await this.ask(route, { path, body: { other_namespace: other, role } });
    }
  }

  /** Return the settings that apply to an environment. */
  async settingsOf(place: IPlace): Promise<Record<string, unknown>> {
    return this.ask('GET /setting/{namespace}/{name}/', { path: place });
  }

  /** Return the default channels of the whole store, for specifications that name no channel. */
  async defaultChannels(): Promise<string[]> {
    const settings = await this.ask('GET /setting/');
    return settings['conda_default_channels'] as string[];
  }

  /** Change settings of an environment, or of the whole store without a place. */
  async changeSettings(values: Record<string, unknown>, place?: IPlace): Promise<void> {
    if (place) {
      await this.ask('PUT /setting/{namespace}/{name}/', { path: place, body: values });
    } else {
      await this.ask('PUT /setting/', { body: values });
    }
  }

  /** Return how full the store's disk is; with `plan`, what could be freed. */
  async space(plan = false): Promise<ISpace> {
    // a plan is a walk through the caches
    return this.ask('GET /space/', plan ? { query: 'plan=true', patience: 'long' } : {});
  }

  /** Delete what the retention settings do not keep. */
  async free(): Promise<ISpace> {
    return this.ask('POST /space/', { body: {} });
  }

  /** Return the version of the server extension. */
  async version(): Promise<string> {
    return (await this.ask('GET /')).version;
  }

  /** Return the default channels, for specifications that name no channel. */
  async channels(): Promise<string[]> {
    const found = await this.ask('GET /channel/');
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

  private async ask<R extends Route>(route: R, ...given: GivenFor<R>): Promise<Data<R>> {
    return (await this.request(route, ...given)).data;
  }

  private request<R extends Route>(route: R, ...given: GivenFor<R>): Promise<{ data: Data<R>; count?: number }> {
    const [method, below, request] = requestOf(route, given[0]);
    return this.requests.request(method, below, request);
  }
}
