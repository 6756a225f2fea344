import type { requests } from './openapi';
import type { IRequest } from './requests';

/** A request of the REST API: its method and its path, with names in braces for what differs. */
export type Route = keyof requests;

/** What is sent with a request; an empty object where nothing is. */
export type Body<R extends Route> = [requests[R]['body']] extends [never] ? Record<string, never> : requests[R]['body'];

/** What a request is answered with. */
export type Data<R extends Route> = requests[R]['data'] extends readonly (infer Item)[] ? Item[] : requests[R]['data'];

/** The names in braces of a path. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** What a request is given: its query without the question mark, its body, and how long it may take. */
interface IGiven<R extends Route> extends Omit<IRequest, 'body'> {
  query?: string;
  body?: Body<R>;
}

/** The argument beside a route: what its path names has to be given. */
export type GivenFor<R extends Route> = [Names<R>] extends [never]
  ? [given?: IGiven<R>]
  : [given: IGiven<R> & { path: Record<Names<R>, string | number> }];

/** Return the method of a request, its address below the API, and its other options. */
export function requestOf<R extends Route>(route: R, given: GivenFor<R>[0]): [method: string, below: string, request: IRequest] {
  const { path = {}, query, ...request }: IGiven<R> & { path?: Record<string, string | number> } = given ?? {};
  const [method = '', template = ''] = route.split(' ');
  const below = template.slice(1).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  return [method, query ? `${below}?${query}` : below, request];
}

/** Return a query that names something several times. */
export function repeated(name: string, values: readonly string[]): string {
  return values.map(value => `${name}=${encodeURIComponent(value)}`).join('&');
}
