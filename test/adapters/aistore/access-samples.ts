/** Random roles that meet in one cluster and two of its buckets, for properties of what they allow. */
import fc from 'fast-check'
import { grantOfBucketAcl, grantOfClusterAcl } from '../../../src/adapters/aistore/acl.ts'
import { aistoreGrantWords } from '../../../src/adapters/aistore/grant-words.ts'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import type { Grant, Role } from '../../../src/core/roles/role.ts'
import type { User } from '../../../src/core/users/user.ts'
import type { Bit, Bucket } from '../../stand-ins/aistore-permissions.ts'

export const lake: Cluster = {
  id: 'SlakeUuid',
  kind: 'aistore',
  alias: 'lake',
  urls: [],
  annotations: {},
  registeredAt: new Date(0),
}
export const pond: Cluster = { ...lake, id: 'SpondUuid', alias: null }

export const buckets: readonly Bucket[] = [
  { name: 'photos', provider: 'ais' },
  { name: 'photos', provider: 'aws' },
]

/** The stand-in's word for a permission. */
function bitOf(name: string): Bit {
  return name.toLowerCase().replaceAll(/-(\w)/g, (_all, letter: string) => letter.toUpperCase()) as Bit
}

export const actions: readonly { readonly name: string; readonly bit: Bit }[] = aistoreGrantWords.words.map(
  ({ name }) => ({
    name,
    bit: bitOf(name),
  }),
)

const perm = fc
  .oneof(fc.constant(0n), fc.constant(2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 18n - 1n }))
  .map(String)

/** Ids, aliases and the empty id; `names` says what stands for the cluster that is asked about. */
export function grants(names: readonly string[]): fc.Arbitrary<Grant> {
  const cluster = fc.constantFrom(...names, '', pond.id)
  const bucket = fc.record({
    name: fc.constantFrom('photos', 'photos', 'other'),
    provider: fc.constantFrom('', 'ais', 's3', 'aws'),
    namespace: fc.record({ uuid: fc.constantFrom(...names, pond.id), name: fc.constantFrom('', '', 'ns') }),
  })
  return fc.oneof(
    fc.record({ id: cluster, perm }).map(grantOfClusterAcl),
    fc.record({ bck: bucket, perm }).map(grantOfBucketAcl),
  )
}

export function aRoleOf(name: string, key: number, granted: readonly Grant[], isAdministrator = false): Role {
  const fixed = { description: '', annotations: {}, isBuiltIn: isAdministrator, authority: null }
  return { key, name, grants: granted, isAdministrator, ...fixed }
}

export function aUserWith(roles: readonly Role[]): User {
  return {
    key: 1,
    name: 'ann',
    roles,
    isBuiltIn: false,
    isDisabled: false,
    createdAt: new Date(0),
    changedAt: new Date(0),
  }
}

export const someRoles: fc.Arbitrary<readonly Role[]> = fc
  .array(fc.array(grants([lake.id, 'lake']), { maxLength: 4 }), { maxLength: 4 })
  .map((lists) => lists.map((list, index) => aRoleOf(`r${index}`, index + 1, list)))
