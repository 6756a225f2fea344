import type { IEnvironment, IPermissions } from './types';

/** Whether somebody's roles permit something in all of a namespace. */
export function isPermitted(permissions: IPermissions | null, namespace: string, permission: string): boolean {
  const known = permissions?.entity_permissions ?? {};
  return [`${namespace}/*`, '*/*'].some(entity => known[entity]?.includes(permission));
}

/** Return the namespaces that the user may make environments in, their own first. */
export function writableNamespaces(permissions: IPermissions | null, environments: readonly IEnvironment[]): string[] {
  if (!permissions) {
    return [];
  }
  const known = new Set(environments.map(item => item.namespace.name));
  for (const entity of Object.keys(permissions.entity_permissions)) {
    known.add(entity.split('/')[0]!);
  }
  const own = permissions.primary_namespace;
  return [own, ...[...known].filter(name => name !== own && name !== '*').sort()].filter(name =>
    isPermitted(permissions, name, 'environment:create')
  );
}
