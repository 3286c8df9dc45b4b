import { describe, expect, test } from 'vitest'
import {
  aistoreTokenProfile,
  grantOfBucketAcl,
  grantOfClusterAcl,
  mergeRoles,
} from '../../../src/adapters/aistore/acl.ts'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import type { Grant, Role } from '../../../src/core/roles/role.ts'

let nextKey = 1

function role(grants: readonly Grant[], isAdministrator = false): Role {
  const key = nextKey++
  const authority = isAdministrator ? ({ role: 'administrator', clusterId: null } as const) : null
  const kind = { isAdministrator, isBuiltIn: isAdministrator, authority }
  return { key, name: `r${key}`, description: '', grants, annotations: {}, ...kind }
}

function cluster(id: string, alias: string | null): Cluster {
  return { id, kind: 'aistore', alias, urls: [], annotations: {}, registeredAt: new Date(0) }
}

function bucket(uuid: string, name: string, perm: string, provider = 'ais', namespace = ''): Grant {
  return grantOfBucketAcl({ bck: { name, provider, namespace: { uuid, name: namespace } }, perm })
}

const user = (roles: readonly Role[]) => ({
  key: 1,
  name: 'u',
  roles,
  isBuiltIn: false,
  isDisabled: false,
  createdAt: new Date(0),
  changedAt: new Date(0),
})

describe('merging roles', () => {
  test('entries for one cluster become one with all bits, the first alias and URLs staying', () => {
    const first = role([grantOfClusterAcl({ id: 'c1', alias: 'al', urls: ['http://h'], perm: '6' })])
    const second = role([grantOfClusterAcl({ id: 'c1', alias: 'other', perm: '18446744073709551615' })])
    expect(mergeRoles([first, second], []).clusters).toEqual([
      { id: 'c1', alias: 'al', urls: ['http://h'], perm: '18446744073709551615' },
    ])
  })

  test('an alias and the id of the same cluster become one entry', () => {
    const byAlias = role([grantOfClusterAcl({ id: 'one', perm: '1' })])
    const byId = role([grantOfClusterAcl({ id: 'cl1', perm: '2' })])
    expect(mergeRoles([byAlias, byId], [cluster('cl1', 'one')]).clusters).toEqual([
      { id: 'cl1', alias: 'one', perm: '3' },
    ])
    expect(mergeRoles([byId, byAlias], [cluster('cl1', 'one')]).clusters).toEqual([
      { id: 'cl1', alias: 'one', perm: '3' },
    ])
  })

  test('an id wins over an equal alias of another cluster', () => {
    const merged = mergeRoles(
      [role([grantOfClusterAcl({ id: 'x', perm: '1' })])],
      [cluster('y', 'x'), cluster('x', null)],
    )
    expect(merged.clusters).toEqual([{ id: 'x', perm: '1' }])
  })

  test('a grant for every cluster stays one for every cluster, also beside clusters without an alias', () => {
    const merged = mergeRoles([role([grantOfClusterAcl({ id: '', perm: '771' })])], [cluster('cl1', null)])
    expect(merged.clusters).toEqual([{ id: '', perm: '771' }])
  })

  test('buckets are found by alias of their cluster and by nicknames of their provider', () => {
    const merged = mergeRoles(
      [role([bucket('one', 'b', '1', 's3'), bucket('cl1', 'b', '2', 'aws'), bucket('cl1', 'b', '4', 'aws', 'ns')])],
      [cluster('cl1', 'one')],
    )
    expect(merged.buckets).toEqual([
      { bck: { name: 'b', provider: 'aws', namespace: { uuid: 'cl1', name: '' } }, perm: '3' },
      { bck: { name: 'b', provider: 'aws', namespace: { uuid: 'cl1', name: 'ns' } }, perm: '4' },
    ])
  })
})

describe('claims and audience', () => {
  test('an administrator is named for every registered cluster and carries no list', () => {
    const { claims, audience } = aistoreTokenProfile.present(user([role([], true)]), [
      cluster('b', null),
      cluster('a', null),
    ])
    expect(claims).toEqual({ clusters: null, admin: true })
    expect(audience).toEqual(['a', 'b'])
  })

  test('a user without roles has null for clusters, no buckets, and no audience', () => {
    const { claims, audience } = aistoreTokenProfile.present(user([]), [cluster('a', null)])
    expect(claims).toEqual({ clusters: null, admin: false })
    expect(audience).toEqual([])
  })

  test('the audience names the clusters of cluster entries and of buckets once, sorted', () => {
    const roles = [role([grantOfClusterAcl({ id: 'z', perm: '1' }), bucket('m', 'b', '1'), bucket('z', 'b', '0')])]
    const { claims, audience } = aistoreTokenProfile.present(user(roles), [])
    expect(audience).toEqual(['m', 'z'])
    expect(claims.buckets).toHaveLength(2)
  })

  test('a grant for every cluster is meant for each registered one, also where a cluster insists on being named', () => {
    const roles = [role([grantOfClusterAcl({ id: '', perm: '1' })])]
    expect(aistoreTokenProfile.present(user(roles), [cluster('a', null), cluster('b', null)]).audience).toEqual([
      'a',
      'b',
    ])
  })

  test('a permission of zero is left out of a cluster claim and kept in a bucket claim', () => {
    const roles = [role([grantOfClusterAcl({ id: 'c2', perm: '0' }), bucket('c2', 'b', '0')])]
    const { claims } = aistoreTokenProfile.present(user(roles), [])
    expect(claims.clusters).toEqual([{ id: 'c2' }])
    expect(claims.buckets).toMatchObject([{ perm: '0' }])
  })
})
