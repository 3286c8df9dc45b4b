import type { Access, Plan } from '../../core/access/access.ts'
import { everyCluster } from '../../core/access/document.ts'
import type { AccessExport } from '../../core/access/export.ts'
import type { Passwords } from '../../core/access/passwords.ts'
import type { PlanItem } from '../../core/access/plan.ts'
import type { RoleDiff, RoleDiffs } from '../../core/access/role-diff.ts'
import { scopeOf } from '../../core/sessions/permission.ts'
import { makeCursor, readPage } from './page.ts'
import { type Route, route } from './route.ts'
import {
  AppliedAnswer,
  ApplyBody,
  ExportAnswer,
  ExportQuery,
  HashedPasswords,
  PasswordsBody,
  PlanAnswer,
  PlanBody,
  presentAccessSchema,
  RoleDiffAnswer,
  RoleDiffBody,
} from './shapes/access.ts'
import { Document } from './shapes/document.ts'

export interface AccessRouteDeps {
  readonly access: Access
  readonly accessExport: AccessExport
  readonly passwords: Passwords
  readonly roleDiffs: RoleDiffs
}

const tag = 'Access'
/** Thousands of roles with many buckets, and tens of thousands of users. */
const maximumBytes = 16 * 1024 * 1024
const defaultItems = 1000
const defaultGroups = 50
const exportPage = 5000

/** Configuration as code, and what an edit of a role would change for whom. */
export function accessRoutes({ access, accessExport, passwords, roleDiffs }: AccessRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/access',
        permission: 'access:apply',
        tag,
        summary: 'Export clusters, roles and users as a document',
        description: 'Applying it changes nothing. There is no secret in it.',
        query: ExportQuery,
        answer: { status: 200, description: 'The document, or a page of it.', body: ExportAnswer },
      },
      async ({ query }) => {
        const { after } = readPage({ cursor: query.cursor })
        const { document, next } = await accessExport.page({ after, limit: query.limit ?? exportPage })
        return { body: { access: document as ExportAnswer['access'], next: next && makeCursor(next) } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/access/plan',
        permission: 'access:apply',
        tag,
        summary: 'Show what applying a document would change',
        description: 'Changes nothing, and asks no cluster.',
        body: PlanBody,
        maximumBytes,
        answer: { status: 200, description: 'The plan.', body: PlanAnswer },
        refusals: [409, 429],
      },
      async ({ caller, body }) => {
        const plan = await access.plan(body.access, { isPruned: body.prune ?? false, by: caller.principal })
        return { body: presentPlan(plan, body.limit ?? defaultItems) }
      },
    ),
    route(
      {
        method: 'post',
        path: '/access/passwords',
        permission: 'access:apply',
        tag,
        summary: 'Hash passwords for a document that is to be applied',
        description: 'Nothing is stored: the answer is for POST /access/apply. It takes about 10 ms a password.',
        body: PasswordsBody,
        answer: { status: 200, description: 'Sealed hashes.', body: HashedPasswords },
        refusals: [429],
      },
      async ({ body }) => {
        const hashed = await passwords.hash(new Map(Object.entries(body.passwords)))
        return { body: { passwords: Object.fromEntries(hashed) } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/access/apply',
        permission: 'access:apply',
        tag,
        summary: 'Make true what a document says, all or nothing',
        description:
          'New clusters must trust our key first. Tokens that would say too much afterwards are revoked. Nothing is changed where anything is refused.',
        body: ApplyBody,
        maximumBytes,
        answer: { status: 200, description: 'What was done.', body: AppliedAnswer },
        refusals: [409, 429, 502, 503],
      },
      async ({ caller, body }) => {
        const { plan, revoked } = await access.apply(body.access, {
          isPruned: body.prune ?? false,
          by: caller.principal,
          digest: body.plan,
          passwords: new Map(Object.entries(body.passwords ?? {})),
        })
        return { body: { digest: plan.digest, ...countsOf(plan), revokedTokens: revoked.tokens } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/roles/diff',
        permission: 'access:explain',
        tag,
        summary: 'Show who would gain and lose what if roles were edited',
        description: 'Other roles of the same users are taken into account. Changes nothing.',
        body: RoleDiffBody,
        maximumBytes,
        answer: {
          status: 200,
          description: 'Users in groups of the same roles, the largest first.',
          body: RoleDiffAnswer,
        },
      },
      async ({ caller, body }) => {
        const scope = scopeOf(caller.principal, 'access:explain')
        return { body: presentDiff(await roleDiffs.diff(body.roles, scope), body) }
      },
    ),
    route(
      {
        method: 'get',
        path: '/schemas/access.json',
        permission: 'none',
        tag,
        summary: 'Read the JSON schema of the document, for editors',
        answer: { status: 200, description: 'JSON Schema, draft 7.', body: Document },
      },
      async () => ({ body: presentAccessSchema() }),
    ),
  ]
}

const order: { readonly [act in PlanItem['act']]: number } = { remove: 0, change: 1, create: 2 }

function countsOf({ items, unchanged }: Pick<Plan, 'items' | 'unchanged'>) {
  const count = (act: PlanItem['act']) => items.filter((item) => item.act === act).length
  return { created: count('create'), changed: count('change'), removed: count('remove'), unchanged }
}

function presentPlan(plan: Plan, limit: number): PlanAnswer {
  const { digest, items, effects, kept, warnings, passwordsNeeded } = plan
  const shown = [...items].sort((a, b) => order[a.act] - order[b.act]).slice(0, limit)
  return {
    digest,
    ...countsOf(plan),
    items: shown.map((item) => {
      const { holders = null, tokens = 0 } = effects.get(item) ?? {}
      return { ...item, fields: item.fields.map(presentField), holders, tokens }
    }),
    omitted: items.length - shown.length,
    kept: [...kept],
    warnings: [...warnings],
    passwordsNeeded: [...passwordsNeeded],
  }
}

function presentField({ field, before, after }: PlanItem['fields'][number]) {
  const value = (given: typeof before) => (typeof given === 'object' && given !== null ? [...given] : given)
  return { field, before: value(before), after: value(after) }
}

function presentDiff(
  diff: RoleDiff,
  { limit = defaultGroups, skip = 0 }: { limit?: number | undefined; skip?: number | undefined },
) {
  const { changed, created, holders, unaffected, groups, clusters, rules } = diff
  const names = new Map(clusters.map(({ id, alias }) => [id, alias ?? id]))
  return {
    changed: [...changed],
    created: [...created],
    holders,
    unaffected,
    groups: groups.slice(skip, skip + limit).map(({ roles, users, sample, changes }) => ({
      roles: [...roles],
      users,
      sample: [...sample],
      changes: changes.map(({ clusterId, resource, gained, lost }) => ({
        cluster: clusterId === '' ? everyCluster : (names.get(clusterId) ?? clusterId),
        bucket: resource,
        gained: [...rules.words.present(gained)],
        lost: [...rules.words.present(lost)],
      })),
    })),
    groupCount: groups.length,
  }
}
