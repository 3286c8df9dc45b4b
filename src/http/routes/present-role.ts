/** Roles as the native API shows and takes them. */
import type { GrantWords, WordProblem } from '../../core/roles/grant-words.ts'
import type { Grant, Role, RoleContent } from '../../core/roles/role.ts'
import { etagOf } from '../conditions.ts'
import { type FieldProblem, RequestError } from '../validate.ts'
import type { EntryBody, NewEntry, RoleBody, WholeRoleBody } from './shapes/roles.ts'

/** The words in which a grant on this cluster is written; empty = on every cluster. */
export type WordsOf = (clusterId: string) => GrantWords

export function presentRole(role: Role, wordsOf: WordsOf): RoleBody {
  const { name, description, isAdministrator, isBuiltIn, authority, grants } = role
  return {
    name,
    description,
    isAdministrator,
    isBuiltIn,
    authority: authority && { role: authority.role, cluster: authority.clusterId },
    entries: grants.map((grant) => presentEntry(grant, wordsOf)),
  }
}

function presentEntry({ clusterId, resource, permissions }: Grant, wordsOf: WordsOf): EntryBody {
  const words = wordsOf(clusterId)
  return {
    cluster: clusterId === '' ? null : clusterId,
    bucket: resource === null ? null : { ...words.presentResource(resource) },
    permissions: [...words.present(permissions)],
    number: permissions,
  }
}

export function tagOfRole(role: Role, wordsOf: WordsOf): string {
  return etagOf(presentRole(role, wordsOf))
}

type Problems = FieldProblem[]

/**
 * What a role shall be. What other protocols keep with a role or a grant (annotations) means nothing here and stays where
 * the grant stays.
 * @throws RequestError naming every member that says nothing, or two things
 */
export function parseRole(body: Omit<WholeRoleBody, 'name'>, wordsOf: WordsOf): (before?: Role) => RoleContent {
  const { description = '', entries = [] } = body
  const problems: Problems = []
  const grants = entries.map((entry, index) => parseEntry(entry, wordsOf, at(problems, `entries.${index}`)))
  findTwice(grants, problems)
  if (problems.length > 0) throw new RequestError(422, 'The role can not be read.', problems)
  return (before) => {
    const kept = new Map(before?.grants.toReversed().map((grant) => [targetOf(grant), grant.annotations]))
    return {
      description,
      grants: grants.map((grant) => ({ ...grant, annotations: kept.get(targetOf(grant)) ?? {} })),
      annotations: before?.annotations ?? {},
    }
  }
}

type NewGrant = Omit<Grant, 'annotations'>

function targetOf({ clusterId, resource }: NewGrant): string {
  return JSON.stringify([clusterId, resource])
}

/** Keeps problems below a place in the body. */
function at(problems: Problems, place: string) {
  return (found: readonly WordProblem[], member: string) => {
    for (const { field, detail } of found) {
      problems.push({ in: 'body', field: [place, member, field].filter((part) => part !== '').join('.'), detail })
    }
  }
}

function parseEntry(entry: NewEntry, wordsOf: WordsOf, tell: ReturnType<typeof at>): NewGrant {
  const clusterId = entry.cluster ?? ''
  const words = wordsOf(clusterId)
  if (clusterId === '' && (entry.bucket ?? null) !== null) {
    tell([{ field: '', detail: 'must name the cluster of the bucket' }], 'cluster')
  }
  return {
    clusterId,
    resource: parseBucket(entry.bucket ?? null, words, tell),
    permissions: parsePermissions(entry, words, tell),
  }
}

function parseBucket(
  bucket: NonNullable<NewEntry['bucket']> | null,
  words: GrantWords,
  tell: ReturnType<typeof at>,
): string | null {
  if (bucket === null) return null
  // Members that are absent are left out, not undefined.
  const given = typeof bucket === 'string' ? bucket : (JSON.parse(JSON.stringify(bucket)) as { readonly name: string })
  const parsed = words.parseResource(given)
  if ('resource' in parsed) return parsed.resource
  tell(parsed.problems, 'bucket')
  return null
}

function parsePermissions({ permissions, number }: NewEntry, words: GrantWords, tell: ReturnType<typeof at>): string {
  const named = permissions === undefined ? undefined : words.parse(permissions)
  if (named !== undefined && 'problems' in named) tell(named.problems, 'permissions')
  const numbered = number === undefined ? undefined : words.parseNumber(number)
  if (number !== undefined && numbered === undefined) {
    tell([{ field: '', detail: 'must be a number from 0 to 2^64-1, in decimal' }], 'number')
  }
  const byName = named !== undefined && 'permissions' in named ? named.permissions : undefined
  if (byName !== undefined && numbered !== undefined && byName !== numbered) {
    const detail = `says something else than permissions, which are ${byName}: leave one of the two out`
    tell([{ field: '', detail }], 'number')
  }
  return byName ?? numbered ?? '0'
}

function findTwice(grants: readonly NewGrant[], problems: Problems): void {
  const seen = new Map<string, number>()
  for (const [index, grant] of grants.entries()) {
    const key = targetOf(grant)
    const first = seen.get(key)
    if (first === undefined) seen.set(key, index)
    else {
      const detail = `is for the same as entries.${first}: put the permissions into one entry`
      problems.push({ in: 'body', field: `entries.${index}`, detail })
    }
  }
}
