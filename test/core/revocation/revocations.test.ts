import { afterEach, beforeEach, expect, test } from 'vitest'
import { DomainError } from '../../../src/core/errors.ts'
import { createRevocations } from '../../../src/core/revocation/revocations.ts'
import type { VerifiedToken } from '../../../src/core/tokens/token-verifier.ts'
import { actorNamed, deedAt, op, origin } from '../../actors.ts'
import { createHandClock } from '../../clock.ts'
import { openMemoryStore } from '../../delivery/script.ts'
import { aToken, aUser } from '../../store/conformance/samples.ts'

function build() {
  const { store, sealer } = openMemoryStore()
  const clock = createHandClock()
  const waited: { readonly sequence: number; readonly budgetMs: number }[] = []
  const revocations = createRevocations({
    revocations: store.revocations,
    locks: store.locks,
    sealer,
    clock,
    budgetMs: 250,
    propagation: {
      async reached(sequence, budgetMs) {
        waited.push({ sequence, budgetMs })
      },
    },
    verifier: {
      async verify(text): Promise<VerifiedToken> {
        if (text === 'bad') throw new DomainError('token_invalid', { reason: 'signature' })
        const row = aToken(text, sealer, { expiresAt: new Date(clock.now().getTime() + 60_000) })
        return { ...row, claims: {} }
      },
    },
  })
  return { store, sealer, clock, waited, revocations }
}

let it: ReturnType<typeof build>
beforeEach(() => {
  it = build()
})
afterEach(() => it.store.close())

const changes = () => it.store.revocations.after(0, { limit: 10, now: it.clock.now() })

test('a token is revoked by its text: on disk, then waited for, then answered', async () => {
  const revoked = await it.revocations.revokeByText('t1', { by: origin })
  expect(revoked).toEqual({ sequence: 1, actId: 1, isNew: true })
  expect(await changes()).toMatchObject([{ sequence: 1, kind: 'token_revoked', token: 't1' }])
  expect(it.waited).toEqual([{ sequence: 1, budgetMs: 250 }])
})

test('a token that the table does not know is revoked all the same', async () => {
  await it.revocations.revokeByText('foreign', { by: actorNamed('operator') })
  const { fingerprint } = aToken('foreign', it.sealer)
  expect(await it.store.tokens.isRevoked(fingerprint)).toBe(true)
})

test('revoking again changes nothing, and waits for the first revocation', async () => {
  await it.revocations.revokeByText('t1', { by: origin })
  await it.revocations.revokeByText('t2', { by: origin })
  expect(await it.revocations.revokeByText('t1', { by: origin })).toEqual({ sequence: 1, actId: 1, isNew: false })
  expect(await changes()).toHaveLength(2)
  expect(it.waited.at(-1)).toEqual({ sequence: 1, budgetMs: 250 })
})

test('a token that does not verify is refused, and nothing is written', async () => {
  await expect(it.revocations.revokeByText('bad', { by: origin })).rejects.toMatchObject({ code: 'token_invalid' })
  expect(await changes()).toEqual([])
  expect(it.waited).toEqual([])
})

const motive = { by: op, reason: 'lost laptop' }
const told = { actor: 'op', reason: 'lost laptop' }

test('what an operator means is revoked: on disk, then waited for, then answered', async () => {
  const at = it.clock.now()
  const expiresAt = new Date(at.getTime() + 60_000)
  for (const text of ['t1', 't2'])
    await it.store.tokens.record(aToken(text, it.sealer, { session: 's1', expiresAt }), deedAt(it.clock.now()))
  const act = await it.revocations.revoke({ by: 'session', session: 's1' }, motive)
  expect(act).toMatchObject({ selector: { by: 'session', session: 's1' }, ...told, at, tokens: 2, lastSequence: 2 })
  expect((await changes()).map((change) => change.token)).toEqual(['t1', 't2'])
  expect(it.waited).toEqual([{ sequence: 2, budgetMs: 250 }])
})

test('where nothing was revoked, nothing is waited for', async () => {
  await it.revocations.revoke({ by: 'issued_before', at: it.clock.now() }, motive)
  expect(it.waited).toEqual([])
})

test('an unknown user is not revoked', async () => {
  const refused = it.revocations.revoke({ by: 'user', name: 'nobody' }, motive)
  await expect(refused).rejects.toMatchObject({ code: 'user_not_found', details: { name: 'nobody' } })
})

test('a lock revokes, is waited for, and can be lifted', async () => {
  const at = it.clock.now()
  const until = new Date(at.getTime() + 1000)
  await it.store.users.insert(aUser('ann'), deedAt(it.clock.now()))
  await it.store.tokens.record(
    aToken('t1', it.sealer, { expiresAt: new Date(at.getTime() + 60_000) }),
    deedAt(it.clock.now()),
  )
  const { lock, act } = await it.revocations.lock({ kind: 'user', name: 'ann' }, until, motive)
  expect(lock).toMatchObject({ target: { kind: 'user', name: 'ann' }, until, ...told, createdAt: at, liftedAt: null })
  expect(act).toMatchObject({ id: lock.actId, tokens: 1, ...told })
  expect(it.waited).toEqual([{ sequence: act.lastSequence, budgetMs: 250 }])
  expect(await it.revocations.lift(lock.id, actorNamed('op2'))).toMatchObject({ liftedAt: at, liftedBy: 'op2' })
  await expect(it.revocations.lift(99, op)).rejects.toMatchObject({ code: 'lock_not_found' })
})

test.each([0, -1, Number.NaN])('a lock must end in the future, not in %d ms', async (ms) => {
  await it.store.users.insert(aUser('ann'), deedAt(it.clock.now()))
  const refused = it.revocations.lock({ kind: 'user', name: 'ann' }, new Date(it.clock.now().getTime() + ms), motive)
  await expect(refused).rejects.toMatchObject({ code: 'field_invalid', details: { field: 'until' } })
  expect(await it.store.locks.list({ now: it.clock.now(), isEndedIncluded: true })).toEqual([])
})
