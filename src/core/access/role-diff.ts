import type { Cluster } from '../clusters/cluster.ts'
import type { ClusterStore } from '../clusters/cluster-store.ts'
import type { NewRole, Role } from '../roles/role.ts'
import type { RoleStore } from '../roles/role-store.ts'
import type { AccessStore } from './access-store.ts'
import { createProblems, type RoleEntry } from './document.ts'
import type { GrantRules, ScopeChange } from './grant-rules.ts'
import { type RulesByKind, readDirectory } from './reading.ts'
import { breathe } from './state.ts'

/** Users who hold the very same roles, and what would change for each of them. */
export interface AffectedGroup {
  /** All roles of these users. */
  readonly roles: readonly string[]
  readonly users: number
  /** Some of their names. */
  readonly sample: readonly string[]
  /** In which places more or less would be allowed; nothing where other roles make up for it. */
  readonly changes: readonly ScopeChange[]
}

export interface RoleDiff {
  /** Roles of the document that are different from what is there, and those that are not there yet. */
  readonly changed: readonly string[]
  readonly created: readonly string[]
  /** Holders of a changed role. */
  readonly holders: number
  /** Of them, those for whom nothing changes. */
  readonly unaffected: number
  /** Those for whom something changes, the largest first. */
  readonly groups: readonly AffectedGroup[]
  readonly clusters: readonly Cluster[]
  readonly rules: GrantRules
}

export interface RoleDiffs {
  /**
   * Who would gain and lose what if roles were edited so, other roles of the same users taken into account.
   * @param scope the clusters, by id, of which the asker may know
   * @throws DomainError access_invalid
   */
  diff(roles: readonly RoleEntry[], scope: 'everywhere' | readonly string[]): Promise<RoleDiff>
}

export interface RoleDiffDeps {
  readonly access: Pick<AccessStore, 'holders'>
  readonly clusters: Pick<ClusterStore, 'list'>
  readonly roles: Pick<RoleStore, 'list'>
  readonly grantRules: RulesByKind
}

const holdersAtOnce = 500
const mostSampled = 5

/** Holders are read in small steps, and put together by the set of their roles: there are few of those. */
export function createRoleDiffs({ access, clusters, roles, grantRules }: RoleDiffDeps): RoleDiffs {
  async function groupHolders(keys: readonly number[]): Promise<readonly Group[]> {
    const groups = new Map<string, Group>()
    const changed = new Set(keys)
    for (const [index, roleKey] of keys.entries()) {
      // Who holds several of the changed roles is counted with the first.
      const earlier = new Set(keys.slice(0, index))
      for (let after = 0; ; ) {
        const page = await access.holders(roleKey, { after, limit: holdersAtOnce })
        for (const { name, roleKeys } of page) {
          if (changed.size > 1 && roleKeys.some((key) => earlier.has(key))) continue
          const held = [...new Set(roleKeys)]
          const id = [...held].sort((a, b) => a - b).join()
          const known = groups.get(id) ?? { keys: held, users: 0, sample: [] }
          known.users += 1
          if (known.sample.length < mostSampled) known.sample.push(name)
          groups.set(id, known)
        }
        const last = page.at(-1)
        if (last === undefined || page.length < holdersAtOnce) break
        after = last.key
        await breathe()
      }
    }
    return [...groups.values()]
  }

  return {
    async diff(entries, scope) {
      const isShown = ({ clusterId }: ScopeChange) => scope === 'everywhere' || scope.includes(clusterId)
      const problems = createProblems('')
      const present = { clusters: await clusters.list(), roles: await roles.list() }
      const options = { isPruned: false, rolesWith: (): readonly NewRole[] => [] }
      const document = { apiVersion: 'gatehouse/v1', roles: entries } as const
      const { roles: planned } = readDirectory(document, present, options, grantRules, problems)
      problems.throwAny()
      const after = new Map(planned.update.map(({ role, wanted }) => [role.key, { ...role, ...wanted }]))
      const before = new Map(present.roles.map((role) => [role.key, role]))
      const groups = await groupHolders([...after.keys()])
      const rules = grantRules.aistore
      const affected: AffectedGroup[] = []
      let [holders, unaffected] = [0, 0]
      for (const [index, { keys, users, sample }] of groups.entries()) {
        if (index % 100 === 99) await breathe()
        holders += users
        const held = keys.flatMap((key) => before.get(key) ?? [])
        const changes = rules
          .compare(
            held,
            held.map((role): Role => after.get(role.key) ?? role),
            present.clusters,
          )
          .filter(isShown)
        if (changes.length === 0) unaffected += users
        else affected.push({ roles: held.map(({ name }) => name), users, sample, changes })
      }
      affected.sort((a, b) => b.users - a.users || (a.roles.join() < b.roles.join() ? -1 : 1))
      return {
        changed: planned.update.map(({ role }) => role.name),
        created: planned.insert.map(({ name }) => name),
        holders,
        unaffected,
        groups: affected,
        clusters: present.clusters,
        rules,
      }
    },
  }
}

interface Group {
  readonly keys: readonly number[]
  users: number
  readonly sample: string[]
}
