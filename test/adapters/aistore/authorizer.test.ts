import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aistoreTokenProfile } from '../../../src/adapters/aistore/acl.ts'
import { aistoreAuthorizer } from '../../../src/adapters/aistore/authorizer.ts'
import { isAllowed } from '../../stand-ins/aistore-permissions.ts'
import { actions, aRoleOf, aUserWith, buckets, lake, pond, someRoles } from './access-samples.ts'

const clusters = [lake, pond]
const asCluster = (claims: unknown) => ({ admin: false, clusters: [], buckets: [], ...(claims as object) })

function question(action: string, bucket: string | undefined) {
  return { clusterId: lake.id, action, resource: bucket === undefined ? null : aistoreAuthorizer.parseResource(bucket) }
}

describe('the decision', () => {
  test('is what a cluster makes of the token of a login, whatever the roles, for every permission and bucket', () => {
    fc.assert(
      fc.property(someRoles, (roles) => {
        const user = aUserWith(roles)
        const given = asCluster(aistoreTokenProfile.present(user, clusters).claims)
        const claims = { ...given, clusters: given.clusters ?? [] }
        for (const { name, bit } of actions) {
          for (const bucket of [undefined, ...buckets]) {
            const asked = question(name, bucket && `${bucket.provider}://${bucket.name}`)
            const expected = isAllowed(claims, lake.id, bit, bucket)
            expect(aistoreAuthorizer.decideForUser(user, clusters, asked).isAllowed).toBe(expected)
            expect(aistoreAuthorizer.decide(claims, asked).isAllowed).toBe(expected)
          }
        }
      }),
    )
  })

  test('names exactly the roles without which it would be another entry', () => {
    fc.assert(
      fc.property(someRoles, fc.constantFrom(...actions), (roles, { name }) => {
        const asked = question(name, 'ais://photos')
        const { entry } = aistoreAuthorizer.decideForUser(aUserWith(roles), clusters, asked)
        const sources = new Set(entry?.sources.map(({ role }) => role.key))
        const without = roles.filter(({ key }) => !sources.has(key))
        const rest = aistoreAuthorizer.decideForUser(aUserWith(without), clusters, asked)
        if (entry === null) {
          expect(rest.entry).toBeNull()
          return
        }
        const isSameEntry = rest.entry?.scope === entry.scope && rest.entry.resource === entry.resource
        expect(isSameEntry).toBe(false)
        const only = roles.filter(({ key }) => sources.has(key))
        const alone = aistoreAuthorizer.decideForUser(aUserWith(only), clusters, asked)
        expect(alone.entry).toMatchObject({ scope: entry.scope, permissions: entry.permissions })
      }),
    )
  })

  test('an administrator may do everything, and no entry decides', () => {
    const user = aUserWith([aRoleOf('Admin', 1, [], true)])
    const decision = aistoreAuthorizer.decideForUser(user, clusters, question('ADMIN', undefined))
    expect(decision).toEqual({ isAllowed: true, by: 'administrator', entry: null, shadowed: [] })
  })

  test('of a token with claims of any shape is no failure', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (list, other) => {
        const claims = { clusters: list, buckets: other } as never
        expect(aistoreAuthorizer.decide(claims, question('GET', 'photos'))).toMatchObject({ isAllowed: false })
      }),
    )
  })
})

describe('buckets as they are written', () => {
  test.each([
    ['photos', 'ais://photos'],
    ['ais://photos', 'ais://photos'],
    ['s3://photos', 'aws://photos'],
    ['GS://photos/', 'gcp://photos'],
    ['ais://#team/photos', 'ais://#team/photos'],
    ['["moon","photos",""]', '["moon","photos",""]'],
  ])('%s is %s', (text, shown) => {
    expect(aistoreAuthorizer.presentResource(aistoreAuthorizer.parseResource(text))).toBe(shown)
  })

  test.each(['', 'ais://', 'a b', 'ais://a/b', 's4://photos', 'x'.repeat(5000)])('%.20s is refused', (text) => {
    expect(() => aistoreAuthorizer.parseResource(text)).toThrow(expect.objectContaining({ code: 'field_invalid' }))
  })
})

test('an unknown permission is refused with what may be meant, and a word for several with what to do', () => {
  const refused = (text: string) => expect(() => aistoreAuthorizer.parseAction(text))
  refused('LIST-BUCKET').toThrow(
    expect.objectContaining({ details: expect.objectContaining({ rule: expect.stringContaining('LIST-BUCKETS') }) }),
  )
  refused('ro').toThrow(
    expect.objectContaining({ details: expect.objectContaining({ rule: expect.stringContaining('one of them') }) }),
  )
  expect(aistoreAuthorizer.parseAction('put')).toBe('PUT')
})
