import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { createSessions } from '../../../src/core/sessions/sessions.ts'
import type { TokenProfile } from '../../../src/core/tokens/token-profile.ts'
import { actorNamed, op, origin } from '../../actors.ts'
import { hourMs, profile, startSessions } from './session-parts.ts'

type Parts = Awaited<ReturnType<typeof startSessions>>

// What happens between reading the credentials and writing the token must count: a token that slips through would live on.

/** Sessions in which `act` happens when the claims are made up, the first `times` times. */
function interrupt({ deps, password }: Parts, act: () => Promise<unknown>, times = 1) {
  let left = times
  let pending: Promise<unknown> = Promise.resolve()
  const interrupted: TokenProfile = {
    ...profile,
    present(user, clusters) {
      if (left > 0) pending = act()
      left -= 1
      return profile.present(user, clusters)
    },
  }
  const issuer = {
    ...deps.issuer,
    async issue(...request: Parameters<typeof deps.issuer.issue>) {
      await pending
      return deps.issuer.issue(...request)
    },
  }
  const login = (name: string) =>
    createSessions({ ...deps, issuer }).login({ name, password, profile: interrupted, origin })
  return { login, left: () => left }
}

const acts: readonly [what: string, code: string, act: (parts: Parts) => Promise<unknown>][] = [
  ['deleted', 'invalid_credentials', ({ users }) => users.delete('ann', op)],
  ['disabled', 'invalid_credentials', ({ users }) => users.setDisabled('ann', true, op)],
  [
    'given another password',
    'invalid_credentials',
    ({ users }) => users.update('ann', { password: 'another' }, { by: op }),
  ],
  [
    'locked',
    'locked',
    ({ store, clock }) => {
      const at = clock.now()
      const target = { kind: 'user', name: 'ann' } as const
      const until = new Date(at.getTime() + hourMs)
      return store.locks.create({ target, until, by: actorNamed('admin'), reason: '', at })
    },
  ],
]
test.each(acts)('a user who is %s while a login is under way gets no token', async (_what, code, act) => {
  const parts = await startSessions()
  await expect(interrupt(parts, () => act(parts)).login('ann')).rejects.toMatchObject({ code })
})

test('a role that is locked while a login is under way does not get into the token', async () => {
  const parts = await startSessions()
  const at = parts.clock.now()
  const target = { kind: 'role', name: 'readers' } as const
  const until = new Date(at.getTime() + hourMs)
  const { login } = interrupt(parts, () =>
    parts.store.locks.create({ target, until, by: actorNamed('admin'), reason: '', at }),
  )
  const { text } = await login('ann')
  expect(decodeJwt(text).roles).toEqual([])
  await parts.authenticator.authenticate(text, origin)
})

test('a login begun before all of a user\u2019s tokens were revoked gets one made after it', async () => {
  const parts = await startSessions()
  const deed = { by: actorNamed('admin'), reason: '', at: parts.clock.now() }
  const selector = { by: 'user', name: 'ann' } as const
  const { login, left } = interrupt(parts, () => parts.store.revocations.revokeSelected(selector, deed))
  await parts.authenticator.authenticate((await login('ann')).text, origin)
  expect(left()).toBe(-1)
})

test('what happens to others holds nobody up', async () => {
  const parts = await startSessions()
  await parts.users.create({ name: 'bob', password: parts.password, roleNames: [] }, op)
  const { login, left } = interrupt(parts, () => parts.users.delete('bob', op))
  await login('ann')
  expect(left()).toBe(0)
})

test('who is revoked again and again is told to come back', async () => {
  const parts = await startSessions()
  const deed = { by: actorNamed('admin'), reason: '', at: parts.clock.now() }
  const { login } = interrupt(
    parts,
    () => parts.store.revocations.revokeSelected({ by: 'user', name: 'ann' }, deed),
    99,
  )
  await expect(login('ann')).rejects.toMatchObject({ code: 'too_busy' })
})
