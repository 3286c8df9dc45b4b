/** Who may do what at Gatehouse itself, from the tables of routes and the sets of permissions. */
import { type AistoreDialectDeps, createAistoreDialect } from '../../src/adapters/aistore/dialect/dialect.ts'
import { type BuiltInRole, builtInRoles } from '../../src/core/sessions/actor.ts'
import { type Permission, permissions, permissionsOfRole } from '../../src/core/sessions/permission.ts'
import { createNativeApi, type NativeApiDeps } from '../../src/http/routes/native-api.ts'
import { createRoutes, type RouteDeps } from '../../src/http/routes/routes.ts'
import { code, paragraphs, table } from './markdown.ts'
import { standIn } from './stand-in.ts'

/** One call of a protocol, and what it needs. A path may have several, which its body or its caller tell apart. */
export interface CallRow {
  readonly method: string
  /** As OpenAPI writes it, with what stands before it. */
  readonly path: string
  readonly need: Permission | 'self' | 'none'
  readonly what: string
}

/** Every route of the native API. */
export function nativeCalls(): readonly CallRow[] {
  const { authenticator, refusals } = standIn<NativeApiDeps>()
  const made = createRoutes(standIn<RouteDeps>())
  const { root, routes } = createNativeApi({ routes: made, authenticator, refusals, version: '' })
  return routes.map(({ method, path, permission, summary }) => ({
    method: method.toUpperCase(),
    path: root + path,
    need: permission,
    what: summary,
  }))
}

/** Every call of AIStore's dialect, as it is unless reads are opened to everybody. */
export function aistoreCalls(): readonly CallRow[] {
  return createAistoreDialect({ externalUrl: '', hasOpenReads: false } as AistoreDialectDeps).access
}

/** Who calls: nobody, a user without a built-in role, or one with it. */
export const callers = ['nobody', 'user', ...[...builtInRoles].reverse()] as const
export type CallerKind = (typeof callers)[number]

export function isAllowed(caller: CallerKind, need: CallRow['need']): boolean {
  if (need === 'none') return true
  if (caller === 'nobody') return false
  if (need === 'self') return true
  return caller !== 'user' && permissionsOfRole[caller].has(need)
}

export function presentPermissions(): string {
  return paragraphs(
    '# Permissions',
    `What may be done at Gatehouse itself is said by built-in roles. Users hold them like any other role; what may be done
on a cluster is a matter of the grants in other roles.`,
    presentRoles(),
    '## What each built-in role may do',
    table(
      ['permission', ...builtInRoles.map(words)],
      permissions.map((permission) => [code(permission), ...builtInRoles.map((role) => presentHeld(role, permission))]),
    ),
    `"Within": for the named cluster and what is inside it. A cluster administrator reads what stands in the table whole,
since roles and users are not of one cluster, and changes roles whose every grant names the cluster by its id. Nobody, by
any route, gives or takes more than they hold: \`roles:grant\` gives those roles and the cluster administrator's own, no
others. Only an administrator locks an administrator or ends such a lock.`,
    '## The native API',
    presentCalls(nativeCalls()),
    "## AIStore's API",
    `As \`ais auth\` and the SDK call it. Where \`open_reads\` is on, anybody reads roles and clusters whole.`,
    presentCalls(aistoreCalls()),
  )
}

function presentRoles(): string {
  return table(
    ['built-in role', 'name', 'is for'],
    [
      ['administrator', code('Admin'), "everything; AIStore's own administrator role"],
      [
        'operator',
        code('gatehouse:operator'),
        'running it: revoking, locking, resyncing clusters, rotating keys; reading',
      ],
      ['auditor', code('gatehouse:auditor'), 'reading everything, changing nothing'],
      [
        'cluster administrator',
        code('gatehouse:cluster-administrator:<cluster id>'),
        'making, changing and giving roles within one cluster; there is one such role for each registered cluster',
      ],
    ],
  )
}

/** What a cluster administrator only reads is not cut to the cluster. */
function presentHeld(role: BuiltInRole, permission: Permission): string {
  if (!permissionsOfRole[role].has(permission)) return ''
  return role === 'cluster_administrator' && !/:(read|explain)$/.test(permission) ? 'within' : 'yes'
}

function presentCalls(rows: readonly CallRow[]): string {
  return table(
    ['call', 'what', 'needs', ...callers.map(words)],
    rows.map(({ method, path, need, what }) => [
      code(`${method} ${path}`),
      what,
      { none: 'nothing', self: 'a login' }[need as string] ?? code(need),
      ...callers.map((caller) => presentAllowed(caller, need)),
    ]),
  )
}

function presentAllowed(caller: CallerKind, need: CallRow['need']): string {
  if (!isAllowed(caller, need)) return ''
  return need === 'none' || need === 'self' || caller === 'nobody' || caller === 'user'
    ? 'yes'
    : presentHeld(caller, need)
}

function words(name: string): string {
  return name.replaceAll('_', ' ')
}
