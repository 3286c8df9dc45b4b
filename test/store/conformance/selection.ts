import { expect } from 'vitest'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import type { Selector } from '../../../src/core/revocation/selector.ts'
import type { TokenRow } from '../../../src/core/tokens/token-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt, op } from '../../actors.ts'
import { aCluster, after, aJwk, aRevocation, aRole, aToken, aUser, failure, type StoreTest, start } from './samples.ts'

const deed = { by: op, reason: 'lost laptop', at: after(5) }

async function issue(store: Store, sealer: Sealer, tokens: Readonly<Record<string, Partial<TokenRow>>>) {
  for (const [text, more] of Object.entries(tokens))
    await store.tokens.record(aToken(text, sealer, more), deedAt(start))
}

const roleKey = async (store: Store, name: string) => (await store.roles.get(name))?.key ?? 0

async function textsOf(store: Store, now = after(5)): Promise<readonly string[]> {
  return (await store.revocations.after(0, { limit: 99, now })).map((change) => change.token)
}

export function selectionConformance(test: StoreTest): void {
  test('an act revokes the live tokens meant, once, with one change each, and says so', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const expired = { expiresAt: after(5) }
    await issue(store, sealer, {
      t1: {},
      t2: { expiresAt: after(70_000) },
      expired,
      other: { subject: 'bob' },
      gone: {},
    })
    await store.revocations.record(aRevocation(aToken('gone', sealer)))
    const act = await store.revocations.revokeSelected({ by: 'user', name: 'ann' }, deed)
    const lastSequence = await store.revocations.lastSequence()
    expect(act).toEqual({
      id: act.id,
      selector: { by: 'user', name: 'ann' },
      actor: 'op',
      reason: deed.reason,
      at: deed.at,
      tokens: 2,
      lastSequence,
      expiresAt: after(70_000),
    })
    expect(await store.revocationActs.get(act.id)).toEqual(act)
    expect(await textsOf(store)).toEqual(['gone', 't1', 't2'])
    for (const text of ['t1', 't2']) expect(await store.tokens.isRevoked(aToken(text, sealer).fingerprint)).toBe(true)
    for (const text of ['expired', 'other']) {
      expect(await store.tokens.isRevoked(aToken(text, sealer).fingerprint)).toBe(false)
    }
    const again = await store.revocations.revokeSelected({ by: 'user', name: 'ann' }, deed)
    expect(again).toMatchObject({ tokens: 0, lastSequence: 0, expiresAt: deed.at })
    expect(again.id).toBeGreaterThan(act.id)
    expect(await store.revocations.lastSequence()).toBe(lastSequence)
  })

  const second = new Date(Math.floor(start.getTime() / 1000) * 1000)
  const cases: readonly [what: string, selector: Selector, revoked: readonly string[]][] = [
    ['one token by its jti', { by: 'jti', jti: 'jti of plain' }, ['plain']],
    ['one login', { by: 'session', session: 's1' }, ['of session', 'of session too']],
    ['a user\u2019s', { by: 'user', name: 'bob' }, ['of bob']],
    ['those into which a role went', { by: 'role', name: 'r' }, ['of r', 'of r and Admin']],
    ['those into which the administrator\u2019s role went', { by: 'role', name: 'Admin' }, ['of r and Admin']],
    ['those good for a cluster, by its id', { by: 'cluster', name: 'c2' }, ['for c2', 'for c1 and c2', 'everywhere']],
    [
      'those good for a cluster, by its alias',
      { by: 'cluster', name: 'two' },
      ['for c2', 'for c1 and c2', 'everywhere'],
    ],
    ['those signed by a key', { by: 'key', kid: 'kid-2' }, ['of kid-2']],
    ['those issued before an instant', { by: 'issued_before', at: second }, ['old']],
  ]
  for (const [what, selector, revoked] of cases) {
    test(`what is meant can be ${what}, and nothing else is revoked`, async (store, sealer) => {
      await store.roles.insert(aRole('r'), deedAt(start))
      const [r, admin] = [await roleKey(store, 'r'), await roleKey(store, 'Admin')]
      for (const name of ['ann', 'bob']) await store.users.insert(aUser(name), deedAt(start))
      await store.clusters.insert(aCluster('c2', { alias: 'two' }), 0, [], deedAt(start))
      await store.keys.publish(aJwk('kid-2'), deedAt(start))
      await issue(store, sealer, {
        plain: {},
        'of session': { session: 's1' },
        'of session too': { session: 's1' },
        'of bob': { subject: 'bob' },
        'of r': { roleKeys: [r, r] },
        'of r and Admin': { roleKeys: [r, admin] },
        'for c2': { reach: ['c2'] },
        'for c1 and c2': { reach: ['c1', 'c2'] },
        everywhere: { reach: 'everywhere' },
        'of kid-2': { kid: 'kid-2' },
        old: { issuedAt: new Date(second.getTime() - 1000) },
        new: { issuedAt: second },
      })
      const act = await store.revocations.revokeSelected(selector, deed)
      expect(act).toMatchObject({ selector, tokens: revoked.length })
      expect([...(await textsOf(store))].sort()).toEqual([...revoked].sort())
      expect(await store.revocationActs.get(act.id)).toEqual(act)
    })
  }

  const unknown: readonly [Selector, ReturnType<typeof failure>][] = [
    [{ by: 'jti', jti: 'x' }, failure('token_not_found', { name: 'x' })],
    [{ by: 'session', session: 'x' }, failure('token_not_found', { name: 'x' })],
    [{ by: 'user', name: 'x' }, failure('user_not_found', { name: 'x' })],
    [{ by: 'role', name: 'x' }, failure('role_not_found', { name: 'x' })],
    [{ by: 'cluster', name: 'x' }, failure('cluster_not_found', { name: 'x' })],
    [{ by: 'key', kid: 'x' }, failure('key_not_found', { kid: 'x' })],
  ]
  for (const [selector, refused] of unknown) {
    test(`an unknown ${selector.by} is said to be so, and no act is kept`, async (store) => {
      await expect(store.revocations.revokeSelected(selector, deed)).rejects.toMatchObject(refused)
      expect(await store.revocationActs.list({ limit: 9 })).toEqual([])
    })
  }

  test('a user, a key and a session that are gone are known as long as a token of theirs is', async (store, sealer) => {
    await issue(store, sealer, { t1: { subject: 'gone', kid: 'retired', session: 's1' } })
    for (const selector of [
      { by: 'user', name: 'gone' },
      { by: 'key', kid: 'retired' },
      { by: 'session', session: 's1' },
    ] as const) {
      await store.revocations.revokeSelected(selector, deed)
    }
    expect(await textsOf(store)).toEqual(['t1'])
  })

  test('a foreign token counts as good for every cluster', async (store, sealer) => {
    await store.clusters.insert(aCluster('c9'), 0, [], deedAt(start))
    await issue(store, sealer, { foreign: { origin: 'foreign', reach: 'everywhere', roleKeys: [] } })
    expect((await store.revocations.revokeSelected({ by: 'cluster', name: 'c9' }, deed)).tokens).toBe(1)
  })

  test('a token that is recorded after an act that would have met it is refused, unless it knew of the act', async (store, sealer) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await store.keys.publish(aJwk('kid-1'), deedAt(start))
    for (const name of ['ann', 'bob']) await store.users.insert(aUser(name), deedAt(start))
    const asOf = (await store.users.credentials('ann'))?.asOf ?? -1
    const token = aToken('late', sealer, { roleKeys: [await roleKey(store, 'r')] })
    const meeting: readonly Selector[] = [
      { by: 'user', name: 'ann' },
      { by: 'role', name: 'r' },
      { by: 'cluster', name: 'c1' },
      { by: 'key', kid: 'kid-1' },
      { by: 'issued_before', at: after(1) },
    ]
    let since = asOf
    for (const selector of meeting) {
      const { id } = await store.revocations.revokeSelected(selector, deed)
      await expect(store.tokens.record(token, deedAt(start), { asOf: since })).rejects.toMatchObject(
        failure('token_revoked', {}),
      )
      since = id
    }
    await store.revocations.revokeSelected({ by: 'user', name: 'bob' }, deed)
    await store.revocations.revokeSelected({ by: 'role', name: 'Admin' }, deed)
    await store.revocations.revokeSelected({ by: 'issued_before', at: token.issuedAt }, deed)
    await store.revocations.record(aRevocation(aToken('another', sealer)))
    await store.tokens.record(token, deedAt(start), { asOf: since })
    expect((await store.users.credentials('ann'))?.asOf).toBeGreaterThan(since)
  })
}
