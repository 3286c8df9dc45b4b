import { expect } from 'vitest'
import { deedAt } from '../../actors.ts'
import { after, aRevocation, aRole, aToken, aUser, by, revokeAll, type StoreTest, start } from './samples.ts'

export function tokenConformance(test: StoreTest): void {
  test('a recorded token is not revoked, nor is one that nobody knows', async (store, sealer) => {
    const token = aToken('t1', sealer)
    await store.tokens.record(token, deedAt(start))
    await store.tokens.record(token, deedAt(start))
    expect(await store.tokens.isRevoked(token.fingerprint)).toBe(false)
    expect(await store.tokens.isRevoked(aToken('t2', sealer).fingerprint)).toBe(false)
  })

  test('standing tells of revocation and of the user as the store has it now', async (store, sealer) => {
    await store.users.insert(aUser('ann', { roleNames: ['Admin'] }), deedAt(start))
    await store.users.insert(aUser('bob', { roleNames: ['Admin'] }), deedAt(start))
    const key = (await store.users.get('ann'))?.key ?? 0
    const token = aToken('t1', sealer, { userKey: key })
    await store.tokens.record(token, deedAt(start))
    const standing = () => store.tokens.standing({ ...token, now: start })
    expect(await standing()).toEqual({
      isRevoked: false,
      record: 'kept',
      user: { key, authorities: [{ role: 'administrator', clusterId: null }], isDisabled: false, lockedUntil: null },
    })
    await store.users.update('ann', { roleNames: [] }, deedAt(start))
    expect(await standing()).toEqual({
      isRevoked: false,
      record: 'kept',
      user: { key, authorities: [], isDisabled: false, lockedUntil: null },
    })
    await store.revocations.record(aRevocation(token))
    expect((await standing()).isRevoked).toBe(true)
    await store.users.delete('ann', by)
    expect(await standing()).toEqual({ isRevoked: true, record: 'kept', user: undefined })
  })

  test('a role that does not administer, or is deleted, makes nobody an administrator', async (store, sealer) => {
    await store.roles.insert(aRole('r'), deedAt(start))
    await store.users.insert(aUser('ann', { roleNames: ['r'] }), deedAt(start))
    expect((await store.tokens.standing({ ...aToken('t1', sealer), now: start })).user?.authorities).toEqual([])
  })

  test('a token of a former user of the name opens nothing for the one who has it now', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    const token = aToken('t1', sealer, { userKey: (await store.users.get('ann'))?.key ?? 0, issuedAt: after(9000) })
    await store.tokens.record(token, deedAt(start))
    await store.users.delete('ann', by)
    await store.users.insert(aUser('ann'), deedAt(start))
    expect(await store.tokens.standing({ ...token, now: start })).toEqual({
      isRevoked: true,
      record: 'kept',
      user: undefined,
    })
  })

  test('a token that has no row, or whose row names no user, must not be older than the user, to the second', async (store, sealer) => {
    await store.users.insert(aUser('ann', { tokensNotBefore: start }), deedAt(start))
    const second = new Date(Math.floor(start.getTime() / 1000) * 1000)
    for (const isKnown of [false, true]) {
      const sameSecond = aToken(`same ${isKnown}`, sealer, { issuedAt: second })
      const older = aToken(`older ${isKnown}`, sealer, { issuedAt: new Date(second.getTime() - 1000) })
      if (isKnown) for (const token of [sameSecond, older]) await store.tokens.record(token, deedAt(start))
      expect((await store.tokens.standing({ ...sameSecond, now: start })).user).toBeDefined()
      expect((await store.tokens.standing({ ...older, now: start })).user).toBeUndefined()
    }
  })

  test('expired tokens are purged with their changes, in bounded steps, and no others', async (store, sealer) => {
    const [, , lasting = 0] = await revokeAll(store, sealer, ['t1', 't2', 't3'])
    const live = aToken('live', sealer, { expiresAt: after(120_000) })
    const { sequence } = await store.revocations.record(aRevocation(live))
    expect(sequence).toBeGreaterThan(lasting)
    expect(await store.tokens.purgeExpired(after(60_000), 10)).toBe(0)
    expect(await store.tokens.purgeExpired(after(60_001), 2)).toBe(2)
    expect(await store.tokens.purgeExpired(after(60_001), 2)).toBe(1)
    expect(await store.tokens.isRevoked(live.fingerprint)).toBe(true)
    expect(await store.tokens.isRevoked(aToken('t1', sealer).fingerprint)).toBe(false)
    expect(await store.revocations.after(0, { limit: 10, now: start })).toMatchObject([{ sequence, token: 'live' }])
  })
}

export function revocationConformance(test: StoreTest): void {
  test('a revocation marks the token and appends its change', async (store, sealer) => {
    const token = aToken('t1', sealer)
    await store.tokens.record(token, deedAt(start))
    const { sequence, isNew } = await store.revocations.record(aRevocation(token))
    expect(isNew).toBe(true)
    expect(await store.tokens.isRevoked(token.fingerprint)).toBe(true)
    expect(await store.revocations.lastSequence()).toBe(sequence)
    expect(await store.revocations.after(0, { limit: 9, now: start })).toEqual([
      { sequence, kind: 'token_revoked', token: 't1', recordedAt: aRevocation(token).at, expiresAt: token.expiresAt },
    ])
  })

  test('a token that the store does not know is revoked all the same', async (store, sealer) => {
    const token = aToken('foreign', sealer, { origin: 'foreign', jti: null, kid: null })
    expect((await store.revocations.record(aRevocation(token))).isNew).toBe(true)
    expect(await store.tokens.isRevoked(token.fingerprint)).toBe(true)
  })

  test('a second revocation changes nothing and answers the first one\u2019s sequence', async (store, sealer) => {
    const token = aToken('t1', sealer)
    const recorded = await Promise.all([1, 2].map(() => store.revocations.record(aRevocation(token))))
    const first = recorded[0]?.sequence
    expect(recorded).toEqual([
      { sequence: first, actId: 1, isNew: true },
      { sequence: first, actId: 1, isNew: false },
    ])
    expect(await store.revocations.record(aRevocation(token, { at: after(1) }))).toEqual({
      sequence: first,
      actId: 1,
      isNew: false,
    })
    expect(await store.revocations.lastSequence()).toBe(first)
  })

  test('changes are read in order, after a sequence, up to a limit, while their tokens live', async (store, sealer) => {
    const sequences = await revokeAll(store, sealer, ['t1', 't2', 't3'])
    await store.revocations.record(aRevocation(aToken('dying', sealer, { expiresAt: after(10) })))
    await revokeAll(store, sealer, ['t4'])
    const texts = async (sequence: number, limit: number, now: Date) =>
      (await store.revocations.after(sequence, { limit, now })).map((change) => change.token)
    expect(await texts(0, 9, start)).toEqual(['t1', 't2', 't3', 'dying', 't4'])
    expect(await texts(0, 9, after(10))).toEqual(['t1', 't2', 't3', 't4'])
    expect(await texts(sequences[0] ?? 0, 2, start)).toEqual(['t2', 't3'])
    expect(await texts(await store.revocations.lastSequence(), 9, start)).toEqual([])
  })

  test('sequences grow and are never used again, even when the log is empty again', async (store, sealer) => {
    expect(await store.revocations.lastSequence()).toBe(0)
    const [first = 0] = await revokeAll(store, sealer, ['t1'])
    await store.tokens.purgeExpired(after(999_999), 10)
    expect(await store.revocations.lastSequence()).toBe(first)
    const [second = 0] = await revokeAll(store, sealer, ['t2'])
    expect(second).toBeGreaterThan(first)
  })
}
