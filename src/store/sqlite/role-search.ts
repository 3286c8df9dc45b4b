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
  // From one role with an entry for the cluster to the next, however many roles have none, and some ten thousand.
  const ofClusters = client
    .prepare<[Bounds], string>(
      `WITH RECURSIVE given (cluster_id, role_key) AS (
         SELECT c.value, (SELECT min(g.role_key) FROM role_grants g WHERE g.cluster_id = c.value)
         FROM json_each(@clusters) c
         UNION ALL
         SELECT given.cluster_id, (
           SELECT min(g.role_key) FROM role_grants g
           WHERE g.cluster_id = given.cluster_id AND g.role_key > given.role_key)
         FROM given WHERE given.role_key IS NOT NULL)
       SELECT DISTINCT r.name FROM given CROSS JOIN roles r ON r.key = given.role_key
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
