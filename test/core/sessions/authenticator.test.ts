import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../../src/core/sessions/authenticator.ts'
import { canarySubject, createTokenIssuer, rowOfToken, serviceSubject } from '../../../src/core/tokens/token-issuer.ts'
import { actorNamed, deedAt, op, origin } from '../../actors.ts'
import { hourMs, startSessions } from './session-parts.ts'

type Parts = Awaited<ReturnType<typeof startSessions>>

async function revoke({ verifier, sealer, store, clock }: Parts, text: string) {
  const token = rowOfToken(await verifier.verify(text), text, sealer)
  await store.revocations.record({ token, by: actorNamed('ann'), reason: 'test', at: clock.now() })
}

test('a token tells who acts, as the store sees it', async () => {
  const { login, authenticator, store } = await startSessions()
  const { text, jti, expiresAt } = await login('ann')
  const principal = await authenticator.authenticate(text, origin)
  expect(principal).toMatchObject({ subject: 'ann', isAdministrator: false, jti, expiresAt })
  expect(principal.userKey).toBe((await store.users.get('ann'))?.key)
  expect(await authenticator.authenticate((await login('admin')).text, origin)).toMatchObject({ isAdministrator: true })
})

test.each([undefined, ''])('no token (%j) is told as such', async (text) => {
  const { authenticator } = await startSessions()
  await expect(authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_required' })
})

describe('a revoked token', () => {
  test('opens nothing from the next call on', async () => {
    const parts = await startSessions()
    const { text } = await parts.login('ann')
    await parts.authenticator.authenticate(text, origin)
    await revoke(parts, text)
    await expect(parts.authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  })

  test('is said to be revoked even after it has expired', async () => {
    const parts = await startSessions()
    const [revoked, expired] = [await parts.login('ann'), await parts.login('ann')]
    await revoke(parts, revoked.text)
    await parts.clock.advance(24 * hourMs)
    await expect(parts.authenticator.authenticate(revoked.text, origin)).rejects.toMatchObject({
      code: 'token_revoked',
    })
    await expect(parts.authenticator.authenticate(expired.text, origin)).rejects.toMatchObject({
      code: 'token_expired',
    })
  })

  test('is said to be revoked even where its key is gone, and stays so when the key returns', async () => {
    const parts = await startSessions()
    const { text } = await parts.login('ann')
    await revoke(parts, text)
    await parts.ring.useSharedSecret(randomBytes(24).toString('base64'))
    await expect(parts.authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
    await parts.ring.useSharedSecret('')
    await expect(parts.authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  })
})

describe('the store decides, not the claim:', () => {
  const noLonger = { code: 'token_invalid', details: { reason: 'the user no longer exists' } }

  test('the token of a removed user opens nothing', async () => {
    const { login, authenticator, users } = await startSessions()
    const { text } = await login('ann')
    await users.delete('ann', op)
    await expect(authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
  })

  test('nor does it when the name is taken anew', async () => {
    const { login, authenticator, users, password } = await startSessions()
    const { text } = await login('ann')
    await users.delete('ann', op)
    await users.create({ name: 'ann', password, roleNames: [] }, op)
    await expect(authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_revoked' })
    await authenticator.authenticate((await login('ann')).text, origin)
  })

  test('a token without a row belongs to whoever has the name, unless it is older than that user', async () => {
    const { authenticator, ring, sealer, clock, store, users, password } = await startSessions()
    const tokens = { ...store.tokens, record: async () => {} }
    const replaced = createTokenIssuer({ ring, sealer, clock, tokens, issuer: 'http://replaced' })
    const request = {
      userKey: null,
      session: null,
      audience: [],
      reach: [],
      roleKeys: [],
      lifetimeMs: 10 * hourMs,
      claims: { admin: true },
    }
    const { text } = await replaced.issue({ ...request, subject: 'ann' }, op)
    expect(await authenticator.authenticate(text, origin)).toMatchObject({ subject: 'ann', isAdministrator: false })
    await clock.advance(hourMs)
    await users.delete('ann', op)
    await users.create({ name: 'ann', password, roleNames: [] }, op)
    await expect(authenticator.authenticate(text, origin)).rejects.toMatchObject(noLonger)
  })

  test('a former administrator administers nothing, a new one does with an old token', async () => {
    const { login, authenticator, users } = await startSessions()
    const { text } = await login('ann')
    await users.update('ann', { roleNames: ['Admin'] }, { by: op })
    expect((await authenticator.authenticate(text, origin)).isAdministrator).toBe(true)
    await users.update('ann', { roleNames: [] }, { by: op })
    expect((await authenticator.authenticate(text, origin)).isAdministrator).toBe(false)
  })

  test('a disabled user opens nothing', async () => {
    const { login, verifier, store, clock } = await startSessions()
    const user = { key: 1, authorities: op.authorities, isDisabled: true, lockedUntil: null }
    const tokens = { ...store.tokens, standing: async () => ({ isRevoked: false, record: 'kept' as const, user }) }
    const refused = createAuthenticator({ verifier, tokens, issuer: 'http://issuer', clock }).authenticate(
      (await login('ann')).text,
      origin,
    )
    await expect(refused).rejects.toMatchObject({ code: 'token_invalid', details: { reason: 'the user is disabled' } })
  })
})

test.each([
  ['service token', serviceSubject],
  ['canary', canarySubject],
])('a %s that we made for a cluster is never accepted by our own API, whatever it claims', async (what, name) => {
  const { issuer, authenticator, store, clock } = await startSessions()
  const at = clock.now()
  const account = { name, passwordHash: '', roleNames: ['Admin'], isBuiltIn: false }
  await store.users.insert({ ...account, tokensNotBefore: new Date(0) }, deedAt(at))
  const claims = { admin: true, clusters: null }
  const request = { clusterId: 'c1', claims, lifetimeMs: 300_000 }
  const text = what === 'canary' ? (await issuer.mintCanary(request)).token : await issuer.mintServiceToken(request)
  await expect(authenticator.authenticate(text, origin)).rejects.toMatchObject({ code: 'token_invalid' })
})

test('an outage of the store is not mistaken for a bad token', async () => {
  const { login, verifier, store, clock } = await startSessions()
  const tokens = { ...store.tokens, standing: () => Promise.reject(new Error('gone')) }
  const failed = createAuthenticator({ verifier, tokens, issuer: 'http://issuer', clock }).authenticate(
    (await login('ann')).text,
    origin,
  )
  await expect(failed).rejects.toThrow('gone')
})
