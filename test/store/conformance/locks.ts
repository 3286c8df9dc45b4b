import { expect } from 'vitest'
import type { LockTarget } from '../../../src/core/revocation/lock.ts'
import { actorNamed, deedAt, op } from '../../actors.ts'
import { after, aRole, aToken, aUser, failure, type StoreTest, start } from './samples.ts'

const ann: LockTarget = { kind: 'user', name: 'ann' }
const r: LockTarget = { kind: 'role', name: 'r' }
const deed = { by: op, reason: 'on leave', at: start }

export function lockConformance(test: StoreTest): void {
  test('a lock is kept with the act that revoked the live tokens concerned', async (store, sealer) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann'), deedAt(start))
    const roleKeys = [(await store.roles.get('r'))?.key ?? 0]
    await store.tokens.record(aToken('of ann', sealer), deedAt(start))
    await store.tokens.record(aToken('of r', sealer, { subject: 'bob', roleKeys }), deedAt(start))
    await store.tokens.record(aToken('other', sealer, { subject: 'bob' }), deedAt(start))
    const first = await store.locks.create({ target: ann, until: after(1000), ...deed })
    const { id } = first.lock
    const { reason } = deed
    const actor = deed.by.subject
    const open = { createdAt: start, liftedAt: null, liftedBy: null, actId: first.act.id }
    expect(first.lock).toEqual({ id, target: ann, until: after(1000), actor, reason, ...open })
    expect(first.act).toMatchObject({
      selector: { by: 'consequence', of: 'user.locked', name: 'ann' },
      actor,
      reason,
      at: deed.at,
      tokens: 1,
    })
    const second = await store.locks.create({ target: r, until: after(2000), ...deed })
    expect(second.act).toMatchObject({ selector: { by: 'consequence', of: 'role.locked', name: 'r' }, tokens: 1 })
    const log = await store.revocations.after(0, { limit: 9, now: start })
    expect(log.map((change) => change.token)).toEqual(['of ann', 'of r'])
    expect(await store.locks.get(id)).toEqual(first.lock)
    expect(await store.locks.get(99)).toBeUndefined()
  })

  test('a lock that concerns no token is an act all the same', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const { act } = await store.locks.create({ target: ann, until: after(1000), ...deed })
    expect(act).toMatchObject({ tokens: 0, lastSequence: 0 })
    expect((await store.users.credentials('ann'))?.asOf).toBe(act.id)
  })

  test('whom or what does not exist cannot be locked', async (store) => {
    const until = after(1000)
    await expect(store.locks.create({ target: ann, until, ...deed })).rejects.toMatchObject(
      failure('user_not_found', { name: 'ann' }),
    )
    await expect(store.locks.create({ target: r, until, ...deed })).rejects.toMatchObject(
      failure('role_not_found', { name: 'r' }),
    )
    expect(await store.locks.list({ now: start, isEndedIncluded: true })).toEqual([])
  })

  test('locks that hold are listed, newest first; those that have ended on demand', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann'), deedAt(start))
    const { lock: short } = await store.locks.create({ target: ann, until: after(10), ...deed })
    const { lock: long } = await store.locks.create({ target: r, until: after(20), ...deed })
    expect(await store.locks.list({ now: after(9) })).toEqual([long, short])
    expect(await store.locks.list({ now: after(10) })).toEqual([long])
    expect(await store.locks.list({ now: after(20) })).toEqual([])
    expect(await store.locks.list({ now: after(20), isEndedIncluded: true })).toEqual([long, short])
  })

  test('a lock can be lifted early, once, and by nobody twice', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const { lock } = await store.locks.create({ target: ann, until: after(100), ...deed })
    const lifted = { ...lock, liftedAt: after(5), liftedBy: 'op2' }
    expect(await store.locks.lift(lock.id, { by: actorNamed('op2'), at: after(5) })).toEqual(lifted)
    expect(await store.locks.lift(lock.id, { by: actorNamed('op3'), at: after(6) })).toEqual(lifted)
    expect(await store.locks.list({ now: after(7) })).toEqual([])
    const { lock: over } = await store.locks.create({ target: ann, until: after(10), ...deed })
    expect(await store.locks.lift(over.id, { by: op, at: after(10) })).toEqual(over)
    await expect(store.locks.lift(99, { by: op, at: start })).rejects.toMatchObject(
      failure('lock_not_found', { id: 99 }),
    )
  })

  test('a locked user does not stand until the last of the locks has ended', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const foreign = aToken('foreign', sealer)
    const lockedUntil = async (now: Date) => (await store.tokens.standing({ ...foreign, now })).user?.lockedUntil
    expect(await lockedUntil(start)).toBeNull()
    await store.locks.create({ target: ann, until: after(10), ...deed })
    const { lock } = await store.locks.create({ target: ann, until: after(20), ...deed })
    expect(await lockedUntil(after(9))).toEqual(after(20))
    expect((await store.users.credentials('ann'))?.lockedUntil).toEqual(after(20))
    expect(await lockedUntil(after(20))).toBeNull()
    await store.locks.lift(lock.id, { by: op, at: after(1) })
    expect(await lockedUntil(after(9))).toEqual(after(10))
    expect(await lockedUntil(after(10))).toBeNull()
  })

  test('a lock is the user\u2019s, not that of who has the name later', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    await store.locks.create({ target: ann, until: after(10), ...deed })
    await store.users.delete('ann', { by: op, at: start })
    await store.users.insert(aUser('ann'), deedAt(start))
    expect((await store.users.credentials('ann'))?.lockedUntil).toBeNull()
  })

  test('a locked role allows nothing at Gatehouse until the lock ends', async (store, sealer) => {
    const role = 'gatehouse:operator'
    await store.users.insert(aUser('ann', { roleNames: [role] }), deedAt(start))
    const isOperator = async (now: Date) =>
      (await store.tokens.standing({ ...aToken('t1', sealer), now })).user?.authorities.length === 1
    expect(await isOperator(start)).toBe(true)
    await store.locks.create({ target: { kind: 'role', name: role }, until: after(10), ...deed })
    expect(await isOperator(after(9))).toBe(false)
    expect(await isOperator(after(10))).toBe(true)
  })

  test('a lock on the administrators\u2019 role is refused: nobody could end it', async (store) => {
    const lock = { target: { kind: 'role', name: 'Admin' }, until: after(10), ...deed } as const
    await expect(store.locks.create(lock)).rejects.toMatchObject(
      failure('role_protected', { name: 'Admin', act: 'lock' }),
    )
    expect(await store.locks.list({ now: start })).toEqual([])
  })

  test('the last administrator who is not locked stays one', async (store) => {
    for (const name of ['ann', 'bob']) await store.users.insert(aUser(name, { roleNames: ['Admin'] }), deedAt(start))
    await store.locks.create({ target: ann, until: after(10), ...deed })
    const acts = [
      () => store.users.delete('bob', deedAt(start)),
      () => store.users.setDisabled('bob', true, deedAt(start)),
      () => store.users.update('bob', { roleNames: [] }, deedAt(start)),
    ]
    for (const act of acts) await expect(act()).rejects.toMatchObject({ code: 'last_administrator' })
    await store.users.delete('bob', deedAt(after(10)))
  })

  test('the keys of the roles that are locked now are told', async (store) => {
    for (const name of ['r', 's']) await store.roles.insert(aRole(name), deedAt(start))
    await store.users.insert(aUser('ann'), deedAt(start))
    await store.locks.create({ target: ann, until: after(50), ...deed })
    await store.locks.create({ target: r, until: after(10), ...deed })
    const { lock } = await store.locks.create({ target: { kind: 'role', name: 's' }, until: after(20), ...deed })
    const keyOf = async (name: string) => (await store.roles.get(name))?.key ?? 0
    const [rKey, sKey] = [await keyOf('r'), await keyOf('s')]
    expect(await store.locks.lockedRoleKeys(start)).toEqual(new Set([rKey, sKey]))
    expect(await store.locks.lockedRoleKeys(after(10))).toEqual(new Set([sKey]))
    await store.locks.lift(lock.id, { by: op, at: after(1) })
    expect(await store.locks.lockedRoleKeys(after(10))).toEqual(new Set())
  })

  test('a lock on the last administrator who is not locked is refused', async (store) => {
    for (const name of ['ann', 'bob']) await store.users.insert(aUser(name, { roleNames: ['Admin'] }), deedAt(start))
    await store.users.insert(aUser('eve'), deedAt(start))
    await store.locks.create({ target: ann, until: after(10), ...deed })
    const bob = { target: { kind: 'user', name: 'bob' }, until: after(20) } as const
    await expect(store.locks.create({ ...bob, ...deed })).rejects.toMatchObject(
      failure('last_administrator', { name: 'bob', act: 'lock' }),
    )
    await store.locks.create({ target: { kind: 'user', name: 'eve' }, until: after(20), ...deed })
    await store.locks.create({ ...bob, ...deed, at: after(10) })
  })
}
