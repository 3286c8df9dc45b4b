import type { Role } from '../roles/role.ts'
import type { AccessStore } from './access-store.ts'
import type { GrantRules } from './grant-rules.ts'
import type { PlanItem } from './plan.ts'
import { breathe, type Prepared } from './state.ts'

/** Who would be hit by one item; `mostCounted` stands for so many or more. */
export interface Effect {
  /** Users who hold the role that goes or allows less; null where it is about one user. */
  readonly holders: number | null
  /** Live tokens that would be revoked, since they say too much. */
  readonly tokens: number
}

const mostCounted = 100_000

/** What the items of a plan take away. Those that take nothing away have none. */
export async function measureEffects(
  { directory, users, items }: Prepared,
  roles: readonly Role[],
  { access, now, rules }: { readonly access: AccessStore; readonly now: Date; readonly rules: GrantRules },
): Promise<ReadonlyMap<PlanItem, Effect>> {
  const effects = new Map<PlanItem, Effect>()
  const keyOf = new Map(roles.map(({ name, key }) => [name, key]))
  const narrowed = new Set(narrowedRoles(directory, rules))
  const changes = new Map(users.update.map((change) => [change.user.name, change]))

  async function measure(item: PlanItem): Promise<Effect | undefined> {
    if (item.kind === 'role') {
      const key = keyOf.get(item.name)
      if (key === undefined || (item.act === 'change' && !narrowed.has(item.name))) return undefined
      return access.reachOfRole(key, now, mostCounted)
    }
    if (item.kind === 'cluster' || item.act === 'create') return undefined
    const change = changes.get(item.name)
    if (change === undefined) return { holders: null, tokens: await access.tokensOfUser(item.name, now) }
    const { user, wanted, hasNewPassword } = change
    if (hasNewPassword || (wanted.isDisabled && !user.isDisabled)) {
      return { holders: null, tokens: await access.tokensOfUser(user.name, now) }
    }
    const lost = user.roleNames
      .filter((name) => !wanted.roleNames.includes(name))
      .flatMap((name) => keyOf.get(name) ?? [])
    if (lost.length === 0) return undefined
    return { holders: null, tokens: await access.tokensOfUser(user.name, now, lost) }
  }

  for (const [index, item] of items.entries()) {
    const effect = await measure(item)
    if (effect !== undefined) effects.set(item, effect)
    if (index % 100 === 99) await breathe()
  }
  return effects
}

/** Names of roles that allow less afterwards. */
export function narrowedRoles({ roles, names }: Prepared['directory'], rules: GrantRules): readonly string[] {
  return roles.update
    .filter(({ role, wanted }) => rules.allowsLess(rules.normalize(role.grants, names.resolve), wanted.grants))
    .map(({ role }) => role.name)
}
