import type { RoleSearch } from '../../core/roles/role-search.ts'
import type { SqliteParts } from './parts.ts'
import type { RoleRows } from './role-rows.ts'

/** After every name that there may be: they are ASCII. */
const afterAll = '\u{10ffff}'

interface Bounds {
  readonly after: string
  readonly from: string
  readonly before: string
  readonly clusters: string
  readonly limit: number
}

/** Names first, then each role by its name: roles may be long, and pages are short. */
export function createRoleSearch({ client, snapshot }: SqliteParts, rows: RoleRows): RoleSearch {
  const all = client
    .prepare<[Bounds], string>(
      `SELECT name FROM roles WHERE name > @after AND name >= @from AND name < @before AND deleted_at IS NULL
       ORDER BY name LIMIT @limit`,
    )
    .pluck()
  // From the entries for these clusters to their roles: however many roles have none.
  const ofClusters = client
    .prepare<[Bounds], string>(
      `SELECT DISTINCT r.name FROM json_each(@clusters) c CROSS JOIN role_grants g ON g.cluster_id = c.value
         CROSS JOIN roles r ON r.key = g.role_key
       WHERE r.name > @after AND r.name >= @from AND r.name < @before AND r.deleted_at IS NULL
       ORDER BY r.name LIMIT @limit`,
    )
    .pluck()
  return {
    find: ({ prefix = '', clusters }, { after = '', limit }) =>
      snapshot(() => {
        const names = (clusters === undefined ? all : ofClusters).all({
          after,
          from: prefix,
          before: prefix + afterAll,
          clusters: JSON.stringify(clusters ?? []),
          limit,
        })
        return names.flatMap((name) => rows.get(name) ?? [])
      }),
  }
}
