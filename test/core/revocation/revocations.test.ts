import { afterEach, beforeEach, expect, test } from 'vitest'
import { DomainError } from '../../../src/core/errors.ts'
import { createRevocations } from '../../../src/core/revocation/revocations.ts'
import type { VerifiedToken } from '../../../src/core/tokens/token-verifier.ts'
import { createHandClock } from '../../clock.ts'
import { openMemoryStore } from '../../delivery/script.ts'
import { aToken } from '../../store/conformance/samples.ts'

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
  const revoked = await it.revocations.revokeByText('t1')
  expect(revoked).toEqual({ sequence: 1, actId: 1, isNew: true })
  expect(await changes()).toMatchObject([{ sequence: 1, kind: 'token_revoked', token: 't1' }])
  expect(it.waited).toEqual([{ sequence: 1, budgetMs: 250 }])
})

test('a token that the table does not know is revoked all the same', async () => {
  await it.revocations.revokeByText('foreign', { actor: 'operator' })
  const { fingerprint } = aToken('foreign', it.sealer)
  expect(await it.store.tokens.isRevoked(fingerprint)).toBe(true)
})

test('revoking again changes nothing, and waits for the first revocation', async () => {
  await it.revocations.revokeByText('t1')
  await it.revocations.revokeByText('t2')
  expect(await it.revocations.revokeByText('t1')).toEqual({ sequence: 1, actId: 1, isNew: false })
  expect(await changes()).toHaveLength(2)
  expect(it.waited.at(-1)).toEqual({ sequence: 1, budgetMs: 250 })
})

test('a token that does not verify is refused, and nothing is written', async () => {
  await expect(it.revocations.revokeByText('bad')).rejects.toMatchObject({ code: 'token_invalid' })
  expect(await changes()).toEqual([])
  expect(it.waited).toEqual([])
})
