/** Configuration as code, as it is written: clusters, roles, and users with their roles; and what it means. */
import { type Cluster, type ClusterKind, clusterKinds } from '../clusters/cluster.ts'
import { checkId } from '../clusters/clusters.ts'
import { parseClusterUrls } from '../clusters/urls.ts'
import { DomainError } from '../errors.ts'
import type { Grant } from '../roles/role.ts'
import { checkName } from '../users/names.ts'
import type { GrantRules } from './grant-rules.ts'

/** A list that is absent is not spoken of: nothing of its kind is ever removed. */
export interface AccessDocument {
  readonly apiVersion: 'gatehouse/v1'
  readonly clusters?: readonly ClusterEntry[] | undefined
  readonly roles?: readonly RoleEntry[] | undefined
  readonly users?: readonly UserEntry[] | undefined
}

/** What is absent has its default, here and below: an entry says all of a thing. */
export interface ClusterEntry {
  readonly id: string
  readonly kind?: ClusterKind | undefined
  readonly alias?: string | null | undefined
  readonly urls?: readonly string[] | undefined
}

export interface RoleEntry {
  readonly name: string
  readonly description?: string | undefined
  readonly grants?: readonly GrantEntry[] | undefined
}

export interface GrantEntry {
  /** Id or alias; `*` = every cluster without a grant of its own. */
  readonly cluster: string
  readonly bucket?: string | undefined
  readonly permissions: readonly string[]
}

export interface UserEntry {
  readonly name: string
  readonly roles?: readonly string[] | undefined
  readonly isDisabled?: boolean | undefined
  /** Where whoever applies the document finds it; never the password. */
  readonly password?: { readonly env: string } | { readonly file: string } | undefined
  /** Sets it also for a user who is there. */
  readonly updatePassword?: boolean | undefined
}

export const everyCluster = '*'

/** Something in the document that can't be. */
export interface Problem {
  /** Dotted path of the member in what was sent, for instance `access.users.3.roles.0`. */
  readonly at: string
  /** A sentence's end. */
  readonly detail: string
}

/** Collects what is wrong, so that all of it is told at once. */
export interface Problems {
  readonly found: readonly Problem[]
  add(at: string, detail: string): void
  /** What a rule refuses is a problem at this place; answers undefined then. */
  try<T>(at: string, act: () => T): T | undefined
  /** @throws DomainError access_invalid where there is any */
  throwAny(): void
}

/** Of one document. */
const mostTold = 100

/** @param root what stands before each path: where the document is in what was sent */
export function createProblems(root: '' | 'access.'): Problems {
  const found: Problem[] = []
  const add = (at: string, detail: string) => {
    if (found.length < mostTold) found.push({ at: root + at, detail })
  }
  return {
    found,
    add,
    try(at, act) {
      try {
        return act()
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        add(at, presentRule(error))
        return undefined
      }
    },
    throwAny() {
      if (found.length > 0) throw new DomainError('access_invalid', { problems: found })
    },
  }
}

function presentRule(error: DomainError): string {
  const { details } = error as DomainError<'field_invalid'>
  if (error.code === 'field_missing') return 'must not be empty'
  if (error.code === 'field_invalid') return `${JSON.stringify(details.value)} ${details.rule}`
  throw error
}

/** Names that stand twice, by the place where they do. */
export function checkUnique(problems: Problems, list: string, member: string, names: readonly (string | null)[]): void {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (name === null) continue
    if (seen.has(name)) problems.add(`${list}.${index}.${member}`, `${name} stands here twice`)
    seen.add(name)
  }
}

/** The cluster as it shall be; undefined where the entry can't be. `known` is the registered one of this id. */
export function readCluster(
  entry: ClusterEntry,
  at: string,
  known: Cluster | undefined,
  problems: Problems,
): Omit<Cluster, 'annotations' | 'registeredAt'> | undefined {
  const { id, kind = known?.kind ?? clusterKinds[0], alias } = entry
  const isIdGood = problems.try(`${at}.id`, () => {
    checkId(id)
    return true
  })
  const urls = problems.try(`${at}.urls`, () => parseClusterUrls(entry.urls ?? []))
  if (alias && alias !== known?.alias) problems.try(`${at}.alias`, () => checkName('cluster alias', 'alias', alias))
  if (known !== undefined && kind !== known.kind) problems.add(`${at}.kind`, `can't be changed from ${known.kind}`)
  return isIdGood === undefined || urls === undefined ? undefined : { id, kind, alias: alias || null, urls }
}

/** What reading a grant needs to know of clusters. */
export interface ClusterNames {
  /** The id that stands for what a grant calls a cluster. */
  readonly resolve: (name: string) => string
  readonly rulesOf: (clusterId: string) => GrantRules
}

/** The grants as they count (normalized); undefined where one can't be. */
export function readGrants(
  entries: readonly GrantEntry[],
  at: string,
  { resolve, rulesOf }: ClusterNames,
  problems: Problems,
): readonly Grant[] | undefined {
  const before = problems.found.length
  const places = new Set<string>()
  const grants = entries.flatMap(({ cluster, bucket, permissions }, index): Grant[] => {
    const here = `${at}.${index}`
    const clusterId = cluster === everyCluster ? '' : resolve(cluster)
    const rules = rulesOf(clusterId)
    const parsed = rules.words.parse(permissions)
    if ('problems' in parsed) {
      for (const { field, detail } of parsed.problems) problems.add(`${here}.permissions.${field}`, detail)
      return []
    }
    const resource = bucket === undefined ? null : problems.try(`${here}.bucket`, () => rules.parseResource(bucket))
    if (resource === undefined) return []
    const place = JSON.stringify([clusterId, resource])
    if (places.has(place)) problems.add(here, 'names a place that another grant of the role names already')
    places.add(place)
    return [{ clusterId, resource, permissions: parsed.permissions, annotations: {} }]
  })
  return problems.found.length > before ? undefined : grants
}
