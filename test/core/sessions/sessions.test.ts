import { randomBytes } from 'node:crypto'
import * as bcrypt from '@node-rs/bcrypt'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import { createSessions } from '../../../src/core/sessions/sessions.ts'
import { deedAt, op, origin } from '../../actors.ts'
import { hourMs, profile, settings, startSessions } from './session-parts.ts'

function cluster(id: string): Cluster {
  return { id, kind: 'aistore', alias: null, urls: [], annotations: {}, registeredAt: new Date() }
}

test('a login answers a token for the user, filled by the profile, good as long as configured', async () => {
  const { login, store, clock } = await startSessions()
  await store.clusters.insert(cluster('c1'), 0, [], deedAt(new Date()))
  const { text, expiresAt } = await login('ann')
  expect(decodeJwt(text)).toMatchObject({ sub: 'ann', roles: ['readers'], aud: ['c1'] })
  expect(expiresAt).toEqual(new Date(clock.now().getTime() + settings.tokenLifetimeMs()))
})

test('every login is a session of its own', async () => {
  const { login, store, verifier } = await startSessions()
  const rows = await Promise.all([login('ann'), login('ann')])
  expect(rows[0]?.text).not.toBe(rows[1]?.text)
  for (const { text } of rows) {
    const { fingerprint } = await verifier.verify(text)
    expect(await store.tokens.isRevoked(fingerprint)).toBe(false)
  }
})

describe('a lifetime', () => {
  test.each([
    ['absent is the configured one', undefined, settings.tokenLifetimeMs()],
    ['of null is the configured one', null, settings.tokenLifetimeMs()],
    ['of 0 is the longest', 0, settings.maximumTokenLifetimeMs],
    ['of a minute is allowed', 60_000, 60_000],
    ['of the maximum is allowed', settings.maximumTokenLifetimeMs, settings.maximumTokenLifetimeMs],
    ['may have a fraction of a millisecond', hourMs + 0.25, hourMs],
  ])('%s', async (_what, asked, given) => {
    const { login, clock } = await startSessions()
    expect((await login('ann', asked)).expiresAt.getTime() - clock.now().getTime()).toBe(given)
  })

  test.each([
    ['below a minute', 59_999.999, 'minimum'],
    ['negative', -1, 'minimum'],
    ['not a number', Number.NaN, 'minimum'],
    ['above the maximum', settings.maximumTokenLifetimeMs + 0.001, 'maximum'],
  ])('%s is refused', async (_what, asked, bound) => {
    const { login } = await startSessions()
    const details = { bound, maximumMs: settings.maximumTokenLifetimeMs }
    await expect(login('ann', asked)).rejects.toMatchObject({ code: 'lifetime_invalid', details })
  })

  test('is looked at only after the credentials', async () => {
    const { sessions } = await startSessions()
    const refused = sessions.login({ name: 'ann', password: 'wrong', requestedLifetimeMs: 1, profile, origin })
    await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' })
  })
})

test('an unknown user, a wrong password and a disabled user are refused alike, after the same work', async () => {
  const { deps, password, store } = await startSessions()
  let verifications = 0
  const hasher = {
    ...deps.hasher,
    verify: (text: string, hash: string | undefined) => {
      verifications += 1
      return deps.hasher.verify(text, hash)
    },
  }
  const users = {
    ...store.users,
    get: (name: string) => store.users.get(name === 'disabled' ? 'ann' : name),
    credentials: async (name: string) => {
      const known = await store.users.credentials(name === 'disabled' ? 'ann' : name)
      return known && { ...known, isDisabled: name === 'disabled' }
    },
  }
  const sessions = createSessions({ ...deps, users, hasher })
  const attempts = [
    { name: 'nosuch', password },
    { name: 'ann', password: `${password}x` },
    { name: 'disabled', password },
  ]
  const errors = await Promise.all(
    attempts.map((attempt) => sessions.login({ ...attempt, profile, origin }).catch((error: unknown) => error)),
  )
  for (const error of errors) expect(error).toMatchObject({ code: 'invalid_credentials', details: {} })
  expect(verifications).toBe(3)
})

test('an empty password is a missing one', async () => {
  const { sessions } = await startSessions()
  const refused = sessions.login({ name: 'ann', password: '', profile, origin })
  await expect(refused).rejects.toMatchObject({ code: 'field_missing', details: { field: 'password' } })
})

test('a user who is removed while the password is verified gets no token, nor does one made anew meanwhile', async () => {
  const { deps, password, users } = await startSessions()
  for (const isMadeAnew of [true, false]) {
    const hasher = {
      ...deps.hasher,
      verify: async (text: string, hash: string | undefined) => {
        const verified = await deps.hasher.verify(text, hash)
        await users.delete('ann', op)
        if (isMadeAnew) await users.create({ name: 'ann', password, roleNames: [] }, op)
        return verified
      },
    }
    const refused = createSessions({ ...deps, hasher }).login({ name: 'ann', password, profile, origin })
    await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' })
  }
})

describe('an imported bcrypt hash', () => {
  async function startWithBcrypt() {
    const parts = await startSessions()
    await parts.store.users.update(
      'ann',
      {
        passwordHash: await bcrypt.hash(parts.password, 4),
      },
      deedAt(new Date()),
    )
    return parts
  }

  test('is replaced by argon2id at the next login', async () => {
    const { login, store } = await startWithBcrypt()
    await login('ann')
    expect((await store.users.credentials('ann'))?.passwordHash).toMatch(/^\$argon2id\$/)
    await login('ann')
  })

  test('does not keep anybody out where it cannot be replaced', async () => {
    const { deps, entries, password, store } = await startWithBcrypt()
    const users = { ...store.users, rehash: () => Promise.reject(new Error('disk full')) }
    await createSessions({ ...deps, users }).login({ name: 'ann', password, profile, origin })
    expect(entries.map(({ event }) => event)).toContain('password.rehash_failed')
    expect((await store.users.credentials('ann'))?.passwordHash).toMatch(/^\$2/)
  })

  test('does not undo a password change that happens meanwhile', async () => {
    const { deps, password, store, users } = await startWithBcrypt()
    const hasher = {
      ...deps.hasher,
      hash: async (text: string) => {
        await users.update('ann', { password: 'another' }, { by: op })
        return deps.hasher.hash(text)
      },
    }
    await createSessions({ ...deps, hasher }).login({ name: 'ann', password, profile, origin })
    const { passwordHash } = (await store.users.credentials('ann')) ?? {}
    expect((await deps.hasher.verify('another', passwordHash)).isVerified).toBe(true)
  })
})

test('the clusters are read anew only when something has changed', async () => {
  const { deps, password, store } = await startSessions()
  let lists = 0
  const clusters = {
    ...store.clusters,
    list: () => {
      lists += 1
      return store.clusters.list()
    },
  }
  const { login } = createSessions({ ...deps, clusters })
  const audience = async () => decodeJwt((await login({ name: 'ann', password, profile, origin })).text).aud
  expect(await audience()).toBeUndefined()
  expect(await audience()).toBeUndefined()
  expect(lists).toBe(1)
  await store.clusters.insert(cluster(randomBytes(4).toString('hex')), 0, [], deedAt(new Date()))
  expect(await audience()).toHaveLength(1)
  expect(lists).toBe(2)
})
