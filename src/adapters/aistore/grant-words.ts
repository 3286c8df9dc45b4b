/**
 * Grants as people write them for AIStore: permissions by the names of its command line, buckets by provider and name.
 *
 * Sources: contract sections 1.4 (shapes), 1.8 (bits and how a cluster uses them).
 */
import type {
  GrantWords,
  PermissionSet,
  PermissionWord,
  ResourceName,
  WordProblem,
} from '../../core/roles/grant-words.ts'
import { canonicalProvider } from './acl.ts'
import { providers } from './buckets.ts'
import { allowsLess } from './entries.ts'

const clusterWideFrom = 12
const allOnes = 2n ** 64n - 1n

/** In the order of their bits. */
const names: readonly (readonly [name: string, meaning: string])[] = [
  ['GET', 'read objects'],
  ['HEAD-OBJECT', 'see the properties of objects'],
  ['PUT', 'write objects'],
  ['APPEND', 'append to objects'],
  ['DELETE-OBJECT', 'delete objects'],
  ['MOVE-OBJECT', 'rename objects'],
  ['PROMOTE', 'turn files of the cluster into objects'],
  ['UPDATE-OBJECT', 'change the properties of objects'],
  ['HEAD-BUCKET', 'see the properties of buckets'],
  ['LIST-OBJECTS', 'list objects'],
  ['PATCH', 'change the properties of buckets'],
  ['SET-BUCKET-ACL', 'change who may use buckets'],
  ['LIST-BUCKETS', 'list buckets'],
  ['SHOW-CLUSTER', 'see the state of the cluster'],
  ['CREATE-BUCKET', 'make buckets'],
  ['DESTROY-BUCKET', 'destroy buckets'],
  ['MOVE-BUCKET', 'rename buckets'],
  ['ADMIN', 'administer the cluster'],
]

const words: readonly PermissionWord[] = names.map(([name, meaning], bit) => ({
  name,
  permissions: String(2n ** BigInt(bit)),
  meaning,
  isClusterWide: bit >= clusterWideFrom,
}))

const sets: readonly PermissionSet[] = [
  { name: 'ro', permissions: '771', meaning: 'GET, HEAD-OBJECT, HEAD-BUCKET and LIST-OBJECTS' },
  {
    name: 'rw',
    permissions: '831',
    meaning: 'ro with PUT, APPEND, DELETE-OBJECT and MOVE-OBJECT, as AIStore 5.0 has it; up to 4.9 PROMOTE too',
  },
  { name: 'su', permissions: String(allOnes), meaning: 'everything there is or will be: all 64 bits' },
]

const bits = 64
/** Bits that AIStore has no name for can be set all the same. */
const nameless = (bit: number) => `BIT-${bit}`

const valueOfName = new Map<string, bigint>([
  ...Array.from({ length: bits }, (_, bit) => [nameless(bit), 2n ** BigInt(bit)] as const),
  ...[...words, ...sets].map(({ name, permissions }) => [name.toUpperCase(), BigInt(permissions)] as const),
])

export const aistoreGrantWords: GrantWords = {
  words,
  sets,
  isNarrower: (before, after) => allowsLess(before.grants, after.grants),

  present(permissions) {
    const value = BigInt(permissions)
    if (value === allOnes) return ['su']
    const set = Array.from({ length: bits }, (_, bit) => bit).filter((bit) => (value >> BigInt(bit)) & 1n)
    return set.map((bit) => words[bit]?.name ?? nameless(bit))
  },

  parse(given) {
    let value = 0n
    const problems: WordProblem[] = []
    for (const [at, name] of given.entries()) {
      const known = valueOfName.get(name.toUpperCase())
      if (known === undefined) problems.push({ field: String(at), detail: explainUnknown(name) })
      else value |= known
    }
    return problems.length > 0 ? { problems } : { permissions: String(value) }
  },

  parseNumber(text) {
    if (!/^\d{1,20}$/.test(text)) return undefined
    const value = BigInt(text)
    return value > allOnes ? undefined : String(value)
  },

  presentResource(resource) {
    const [provider = '', name = '', namespace = ''] = JSON.parse(resource) as string[]
    return { provider, name, namespace }
  },

  parseResource(given) {
    const parts = typeof given === 'string' ? splitUri(given) : { provider: '', name: '', namespace: '', ...given }
    const provider = canonicalProvider(parts.provider)
    const problem = checkBucket({ ...parts, provider })
    if (problem !== undefined) return { problems: [typeof given === 'string' ? { ...problem, field: '' } : problem] }
    // As acl.ts has it.
    return { resource: JSON.stringify([provider, parts.name, parts.namespace]) }
  },
}

/** `ais://photos`, `s3://photos`, `ais://#mine/photos`, or a name alone. */
function splitUri(text: string): ResourceName {
  const [, provider = '', namespace = '', name = ''] = /^(?:([^:/]*):\/\/)?(?:#([^/]*)\/)?(.*)$/s.exec(text) ?? []
  return { provider, namespace, name }
}

const longestName = 512

function checkBucket({ provider, name, namespace }: ResourceName): WordProblem | undefined {
  if (!providers.includes(provider)) {
    return { field: 'provider', detail: `has the unknown provider ${quote(provider)}: one of ${providers.join(', ')}` }
  }
  const isOne = (text: string) => text.length <= longestName && /^[^/\s#@\p{Cc}]*$/u.test(text)
  if (name === '' || !isOne(name)) {
    return {
      field: 'name',
      detail: `names no bucket (${quote(name)}): a name, or like s3://name or ais://#namespace/name`,
    }
  }
  return isOne(namespace)
    ? undefined
    : { field: 'namespace', detail: `has a namespace (${quote(namespace)}) that can be none` }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}

const suggestions = 3
const longestDistance = 3

function explainUnknown(given: string): string {
  const wanted = given.toUpperCase().slice(0, 64)
  const near = [...words, ...sets]
    .map(({ name }) => ({ name, distance: distanceBetween(wanted, name.toUpperCase()) }))
    .filter(({ distance }) => distance <= Math.min(longestDistance, Math.ceil(wanted.length / 2)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, suggestions)
    .map(({ name }) => name)
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}` : '; GET /permissions lists them'
  return `is no permission of AIStore (${quote(given)})${meant}`
}

/** How many letters differ (Levenshtein); a part that is missing whole, as in DELETE for DELETE-OBJECT, counts as one. */
function distanceBetween(a: string, b: string): number {
  if (a !== '' && b.split('-').includes(a)) return 1
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const swapped = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min((current[column - 1] ?? 0) + 1, (previous[column] ?? 0) + 1, swapped))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
