import { expect } from 'vitest'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import type { Grant } from '../../../src/core/roles/role.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRole, aToken, aUser, by, failure, type StoreTest, start } from './samples.ts'

const roleKey = async (store: Store, name: string) => (await store.roles.get(name))?.key ?? 0

/** A token of the user into which these roles went. */
async function issue(store: Store, sealer: Sealer, text: string, roleNames: readonly string[] = [], subject = 'ann') {
  const roleKeys = await Promise.all(roleNames.map((name) => roleKey(store, name)))
  await store.tokens.record(aToken(text, sealer, { roleKeys, subject }), deedAt(start))
}

async function revoked(store: Store): Promise<readonly string[]> {
  return (await store.revocations.after(0, { limit: 99, now: start })).map((change) => change.token)
}

export function consequenceConformance(test: StoreTest): void {
  const acts: readonly [of: string, act: (store: Store) => Promise<unknown>][] = [
    ['user.deleted', (store) => store.users.delete('ann', by)],
    ['user.disabled', (store) => store.users.setDisabled('ann', true, by)],
    ['user.password_changed', (store) => store.users.update('ann', { passwordHash: 'new' }, deedAt(start))],
  ]
  for (const [of, act] of acts) {
    test(`${of}: all live tokens of the user are revoked with it, and nobody else\u2019s`, async (store, sealer) => {
      for (const name of ['ann', 'bob']) await store.users.insert(aUser(name), deedAt(start))
      for (const text of ['t1', 't2']) await issue(store, sealer, text)
      await issue(store, sealer, 'of bob', [], 'bob')
      const lastSequence = (await store.revocations.lastSequence()) + 2
      expect(await act(store)).toMatchObject({ tokens: 2, lastSequence })
      expect(await revoked(store)).toEqual(['t1', 't2'])
      const [kept] = await store.revocationActs.list({ limit: 9 })
      expect(kept).toMatchObject({
        selector: { by: 'consequence', of, name: 'ann' },
        actor: 'op',
        at: by.at,
        tokens: 2,
        lastSequence,
      })
    })
  }

  test('the token with which a user changes the own password outlives the change, alone', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    for (const text of ['t1', 'hers', 't3']) await issue(store, sealer, text)
    const keptToken = aToken('hers', sealer).fingerprint
    expect(await store.users.update('ann', { passwordHash: 'new', keptToken }, deedAt(start))).toMatchObject({
      tokens: 2,
    })
    expect(await revoked(store)).toEqual(['t1', 't3'])
    const unknown = aToken('never seen', sealer).fingerprint
    expect(await store.users.update('ann', { passwordHash: 'newer', keptToken: unknown }, deedAt(start))).toMatchObject(
      {
        tokens: 1,
      },
    )
    expect(await revoked(store)).toEqual(['t1', 't3', 'hers'])
  })

  test('an act that is refused revokes nothing', async (store, sealer) => {
    await store.users.insert(aUser('ann', { roleNames: ['Admin'] }), deedAt(start))
    await issue(store, sealer, 't1')
    for (const act of acts.slice(0, 2))
      await expect(act[1](store)).rejects.toMatchObject({ code: 'last_administrator' })
    await expect(
      store.users.update('ann', { passwordHash: 'new', roleNames: ['nosuch'] }, deedAt(start)),
    ).rejects.toMatchObject({ code: 'roles_unknown' })
    expect(await revoked(store)).toEqual([])
    expect(await store.revocationActs.list({ limit: 9 })).toEqual([])
  })

  test('a rehash of the same password is no change of it', async (store, sealer) => {
    await store.users.insert(aUser('ann', { passwordHash: 'old' }), deedAt(start))
    await issue(store, sealer, 't1')
    await store.users.rehash((await store.users.get('ann'))?.key ?? 0, 'old', 'better')
    expect(await revoked(store)).toEqual([])
  })

  test('a disabled user is shown as such everywhere, and can be enabled again', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    await store.users.setDisabled('ann', true, by)
    expect((await store.users.get('ann'))?.isDisabled).toBe(true)
    expect((await store.users.credentials('ann'))?.isDisabled).toBe(true)
    const token = { ...aToken('t1', sealer), now: start }
    expect((await store.tokens.standing(token)).user?.isDisabled).toBe(true)
    const acts = (await store.revocationActs.list({ limit: 9 })).length
    expect(await store.users.setDisabled('ann', true, by)).toEqual({ tokens: 0, lastSequence: 0 })
    expect(await store.users.setDisabled('ann', false, by)).toEqual({ tokens: 0, lastSequence: 0 })
    expect((await store.users.get('ann'))?.isDisabled).toBe(false)
    expect(await store.revocationActs.list({ limit: 9 })).toHaveLength(acts)
  })

  test('neither the built-in user nor the last administrator can be disabled, nor one who does not exist', async (store) => {
    await store.users.insertFirst(aUser('root', { roleNames: ['Admin'], isBuiltIn: true }), deedAt(start))
    const refused = (code: string, name: string) => failure(code, { name, act: 'disable' })
    await expect(store.users.setDisabled('root', true, by)).rejects.toMatchObject(refused('user_protected', 'root'))
    await expect(store.users.setDisabled('nobody', true, by)).rejects.toMatchObject({ code: 'user_not_found' })
    await store.users.insert(aUser('ann', { roleNames: ['Admin'] }), deedAt(start))
    await store.users.setDisabled('ann', true, by)
  })

  test('the last administrator cannot be disabled', async (store) => {
    for (const name of ['ann', 'bob']) await store.users.insert(aUser(name, { roleNames: ['Admin'] }), deedAt(start))
    await store.users.setDisabled('ann', true, by)
    await expect(store.users.setDisabled('bob', true, by)).rejects.toMatchObject(
      failure('last_administrator', { name: 'bob', act: 'disable' }),
    )
  })

  test('who loses a role loses, where that is wanted, the tokens that carry it', async (store, sealer) => {
    for (const name of ['kept', 'lost', 'lost too']) await store.roles.insert(aRole(name), deedAt(start))
    for (const name of ['ann', 'bob'])
      await store.users.insert(aUser(name, { roleNames: ['kept', 'lost', 'lost too'] }), deedAt(start))
    await issue(store, sealer, 'both lost', ['lost', 'lost too'])
    await issue(store, sealer, 'one lost', ['kept', 'lost'])
    await issue(store, sealer, 'kept', ['kept'])
    await issue(store, sealer, 'of bob', ['lost'], 'bob')
    const none = { tokens: 0, lastSequence: 0 }
    const change = { roleNames: ['kept'] }
    expect(await store.users.update('bob', change, deedAt(start))).toEqual(none)
    expect(
      await store.users.update(
        'ann',
        { roleNames: ['kept', 'lost', 'lost too', 'kept'], revokeNarrowed: true },
        deedAt(start),
      ),
    ).toEqual(none)
    expect(await store.users.update('ann', { ...change, revokeNarrowed: true }, deedAt(start))).toMatchObject({
      tokens: 2,
    })
    expect(await revoked(store)).toEqual(['both lost', 'one lost'])
    expect(await store.revocationActs.list({ limit: 1 })).toMatchObject([
      { selector: { by: 'consequence', of: 'user.roles_changed', name: 'ann' }, tokens: 2 },
    ])
  })

  const grant = (clusterId: string, permissions: string, resource: string | null = null): Grant => ({
    clusterId,
    resource,
    permissions,
    annotations: {},
  })
  const changes: readonly [what: string, after: readonly Grant[], isNarrower: boolean][] = [
    ['other permissions', [grant('c1', '1'), grant('c2', '7')], true],
    ['a grant gone', [grant('c1', '3')], true],
    ['a grant for what is inside instead', [grant('c1', '3'), grant('c2', '7', 'b')], true],
    ['the same in another order', [grant('c2', '7'), grant('c1', '3')], false],
    ['a grant more', [grant('c1', '3'), grant('c2', '7'), grant('c3', '1')], false],
    ['a grant that stands before one', [grant('c1', '3'), grant('c2', '7'), grant('c2', '1', 'b')], true],
  ]
  for (const [what, grants, isNarrower] of changes) {
    test(`a role that gets ${what} takes its tokens with it, where that is wanted: ${isNarrower}`, async (store, sealer) => {
      for (const name of ['r', 'other']) {
        await store.roles.insert(aRole(name, { grants: [grant('c1', '3'), grant('c2', '7')] }), deedAt(start))
      }
      await issue(store, sealer, 'carries it', ['r'])
      await issue(store, sealer, 'does not', ['other'])
      const edit = () => aRole('r', { grants })
      expect(await store.roles.update('other', edit, by)).toEqual({ tokens: 0, lastSequence: 0 })
      const outcome = await store.roles.update('r', edit, { ...by, revokeNarrowed: true })
      expect(outcome.tokens).toBe(isNarrower ? 1 : 0)
      expect(await revoked(store)).toEqual(isNarrower ? ['carries it'] : [])
      expect(await store.revocationActs.list({ limit: 9 })).toHaveLength(isNarrower ? 1 : 0)
    })
  }

  test('a cluster under its alias is the cluster, where it is asked whether a role allows less', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1', { alias: 'lake' }), 0, [], deedAt(start))
    await store.roles.insert(aRole('r', { grants: [grant('lake', '7')] }), deedAt(start))
    await issue(store, sealer, 't1', ['r'])
    const renamed = await store.roles.update('r', () => aRole('r', { grants: [grant('c1', '7')] }), {
      ...by,
      revokeNarrowed: true,
    })
    expect(renamed.tokens).toBe(0)
    const edit = () => aRole('r', { grants: [grant('c1', '7'), grant('lake', '1', 'b')] })
    await store.roles.update('r', edit, { ...by, revokeNarrowed: true })
    expect(await revoked(store)).toEqual(['t1'])
  })

  test('the caller may know better what makes a role narrower', async (store, sealer) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await issue(store, sealer, 't1', ['r'])
    const edit = () => aRole('r', { grants: [] })
    await store.roles.update('r', edit, { ...by, revokeNarrowed: true, isNarrower: () => false })
    expect(await revoked(store)).toEqual([])
    await store.roles.update('r', edit, { ...by, revokeNarrowed: true, isNarrower: () => true })
    expect(await revoked(store)).toEqual(['t1'])
  })

  test('a deleted role takes its tokens with it only where that is wanted', async (store, sealer) => {
    for (const name of ['r', 's']) {
      await store.roles.insert(aRole(name), deedAt(start))
      await issue(store, sealer, `of ${name}`, [name])
    }
    expect(await store.roles.delete('r', by)).toEqual({ tokens: 0, lastSequence: 0 })
    expect(await store.roles.delete('s', { ...by, at: after(1), revokeNarrowed: true })).toMatchObject({ tokens: 1 })
    expect(await revoked(store)).toEqual(['of s'])
    expect(await store.revocationActs.list({ limit: 9 })).toMatchObject([
      { selector: { by: 'consequence', of: 'role.deleted', name: 's' }, actor: 'op', at: after(1) },
    ])
  })
}
