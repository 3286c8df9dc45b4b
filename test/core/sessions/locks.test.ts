import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { LockTarget } from '../../../src/core/revocation/lock.ts'
import { createTokenIssuer } from '../../../src/core/tokens/token-issuer.ts'
import { actorNamed, deedAt, op, origin } from '../../actors.ts'
import { hourMs, profile, startSessions } from './session-parts.ts'

type Parts = Awaited<ReturnType<typeof startSessions>>

const ann: LockTarget = { kind: 'user', name: 'ann' }

/** For an hour. */
function lock({ store, clock }: Parts, target: LockTarget) {
  const until = new Date(clock.now().getTime() + hourMs)
  return store.locks.create({ target, until, by: actorNamed('admin'), reason: 'test', at: clock.now() })
}

/** A token that a replaced server issued: its signature is good, and it has no row. */
async function issueForeign({ ring, sealer, clock, store }: Parts): Promise<string> {
  const tokens = { ...store.tokens, record: async () => {} }
  const issuer = createTokenIssuer({ ring, sealer, clock, tokens, issuer: 'http://replaced' })
  const request = { subject: 'ann', userKey: null, session: null, audience: [], reach: [], roleKeys: [] }
  return (await issuer.issue({ ...request, lifetimeMs: 24 * hourMs, claims: {} }, op)).text
}

test('a locked user gets no token until the lock ends by itself, or is lifted', async () => {
  const parts = await startSessions()
  for (const isLifted of [false, true]) {
    const created = await lock(parts, ann)
    const details = { name: 'ann', until: created.lock.until }
    await expect(parts.login('ann')).rejects.toMatchObject({ code: 'locked', details })
    if (isLifted) await parts.store.locks.lift(created.lock.id, deedAt(parts.clock.now()))
    else await parts.clock.advance(hourMs)
    await parts.login('ann')
  }
})

test('that a user is locked is told only to who knows the password', async () => {
  const parts = await startSessions()
  await lock(parts, ann)
  const refused = parts.sessions.login({ name: 'ann', password: 'wrong', profile, origin })
  await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' })
})

test('the tokens of a locked user open nothing; one that could not be revoked opens again when the lock ends', async () => {
  const parts = await startSessions()
  const [{ text }, foreign] = [await parts.login('ann'), await issueForeign(parts)]
  await lock(parts, ann)
  await expect(parts.authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  await expect(parts.authenticator.authenticate(foreign, origin)).rejects.toMatchObject({ code: 'locked' })
  await parts.clock.advance(hourMs)
  await expect(parts.authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  expect((await parts.authenticator.authenticate(foreign, origin)).subject).toBe('ann')
})

test('the grants of a locked role are left out of new tokens, and the role\u2019s tokens are revoked', async () => {
  const parts = await startSessions()
  const at = parts.clock.now()
  await parts.store.roles.insert({ name: 'writers', description: '', grants: [], annotations: {} }, deedAt(at))
  await parts.users.update('ann', { roleNames: ['readers', 'writers'] }, { by: op })
  const before = await parts.login('ann')
  const roles = async () => decodeJwt((await parts.login('ann')).text).roles
  await lock(parts, { kind: 'role', name: 'readers' })
  await expect(parts.authenticator.authenticate(before.text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  expect(await roles()).toEqual(['writers'])
  const during = await parts.login('ann')
  await parts.store.revocations.revokeSelected(
    { by: 'role', name: 'readers' },
    { by: actorNamed('admin'), reason: '', at },
  )
  await parts.authenticator.authenticate(during.text, origin)
  await parts.clock.advance(hourMs)
  expect(await roles()).toEqual(['readers', 'writers'])
})

test('a locked built-in role allows nothing, here nor in new tokens', async () => {
  const parts = await startSessions()
  const foreign = await issueForeign(parts)
  const name = 'gatehouse:operator'
  await parts.users.update('ann', { roleNames: [name] }, { by: op })
  await lock(parts, { kind: 'role', name })
  expect((await parts.authenticator.authenticate(foreign, origin)).authorities).toEqual([])
  const { text } = await parts.login('ann')
  expect(decodeJwt(text).roles).toEqual([])
  expect((await parts.authenticator.authenticate(text, origin)).authorities).toEqual([])
  await parts.clock.advance(hourMs)
  expect((await parts.authenticator.authenticate(text, origin)).authorities).toHaveLength(1)
})
