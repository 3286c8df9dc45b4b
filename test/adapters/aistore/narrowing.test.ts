import { expect, test } from 'vitest'
import { aistoreGrantWords } from '../../../src/adapters/aistore/grant-words.ts'
import { isNarrowerByGrants } from '../../../src/core/roles/narrowing.ts'
import type { Grant, RoleContent } from '../../../src/core/roles/role.ts'

const { isNarrower } = aistoreGrantWords
const ro = '771'
const rw = '831'

function grant(clusterId: string, permissions: string, bucket?: string): Grant {
  const [provider, name] = bucket?.split('://') ?? []
  const resource = bucket === undefined ? null : JSON.stringify([provider, name, ''])
  return { clusterId, resource, permissions, annotations: {} }
}

const role = (...grants: readonly Grant[]): RoleContent => ({ description: '', grants, annotations: {} })

test.each<[what: string, before: RoleContent, after: RoleContent, isLess: boolean]>([
  ['more bits', role(grant('c', ro)), role(grant('c', rw)), false],
  ['fewer bits', role(grant('c', rw)), role(grant('c', ro)), true],
  ['a bucket of its own', role(grant('c', rw)), role(grant('c', rw), grant('c', ro, 'ais://b')), true],
  ['a bucket that allows as much', role(grant('c', ro)), role(grant('c', ro), grant('c', rw, 'ais://b')), false],
  ['a cluster of its own', role(grant('', rw)), role(grant('', rw), grant('c', ro)), true],
  [
    'cluster-wide bits, which mean nothing on a bucket',
    role(grant('c', '4096', 'ais://b')),
    role(grant('c', '0', 'ais://b')),
    false,
  ],
  [
    'the same bucket by the canonical name of its provider',
    role(grant('c', rw, 's3://b')),
    role(grant('c', rw, 'aws://b')),
    false,
  ],
  [
    'less on that bucket, and as much on its cluster',
    role(grant('c', rw, 's3://b')),
    role(grant('c', rw), grant('c', ro, 'aws://b')),
    true,
  ],
])('a role that gets %s', (_what, before, after, isLess) => {
  expect(isNarrower(before, after)).toBe(isLess)
})

test.each([
  ['by what it means', isNarrower],
  ['by its grants', isNarrowerByGrants],
])('ten thousand buckets are compared in one go, %s', (_how, compare) => {
  const many = (permissions: string) =>
    role(...Array.from({ length: 10_000 }, (_, at) => grant('c', permissions, `ais://b${at}`)))
  const startedAt = performance.now()
  expect(compare(many(ro), many(ro))).toBe(false)
  // Each with each would be some twenty seconds, in which nobody is served.
  expect(performance.now() - startedAt).toBeLessThan(3000)
})
