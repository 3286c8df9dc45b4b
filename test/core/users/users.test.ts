import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Propagation } from '../../../src/core/revocation/propagation.ts'
import { canarySubject, serviceSubject } from '../../../src/core/tokens/token-issuer.ts'
import type { PasswordHasher } from '../../../src/core/users/password-hasher.ts'
import { createUsers, type Users } from '../../../src/core/users/users.ts'
import { actorNamed, deedAt, op } from '../../actors.ts'
import { aToken } from '../../store/conformance/samples.ts'
import { createParts } from '../keys/ring-parts.ts'

const password = randomBytes(12).toString('base64')

/** Makes hashes that cost nothing and counts them. */
function createCheapHasher(): PasswordHasher & { hashed: number; readonly askers: (string | undefined)[] } {
  return {
    hashed: 0,
    askers: [],
    async hash(text, turn) {
      this.hashed += 1
      this.askers.push(turn?.asker)
      return `hash of ${text}`
    },
    verify: async (text, hash) => ({ isVerified: hash === `hash of ${text}`, isOutdated: false }),
  }
}

function start() {
  const parts = createParts()
  const hasher = createCheapHasher()
  const { store, clock } = parts
  const waited: { readonly sequence: number; readonly budgetMs: number }[] = []
  const propagation: Propagation = {
    async reached(sequence, budgetMs) {
      waited.push({ sequence, budgetMs })
    },
  }
  const users = createUsers({ users: store.users, hasher, clock, propagation, budgetMs: 250 })
  return { ...parts, hasher, waited, users }
}

let parts: ReturnType<typeof start>

beforeEach(async () => {
  parts = start()
  await parts.store.roles.insert({ name: 'readers', description: '', grants: [], annotations: {} }, deedAt(new Date()))
})

test('a user has a thousand roles at most, also where they are all the same', async () => {
  const { users, hasher } = parts
  const roleNames = Array.from({ length: 1001 }, () => 'readers')
  const error = { code: 'field_invalid', details: { field: 'roles', value: '1001 roles' } }
  await expect(users.create({ name: 'ann', password, roleNames }, op)).rejects.toMatchObject(error)
  await users.create({ name: 'ann', password, roleNames: roleNames.slice(1) }, op)
  await expect(users.update('ann', { password, roleNames }, { by: op })).rejects.toMatchObject(error)
  expect([(await users.get('ann'))?.roles.length, hasher.hashed]).toEqual([1000, 1])
})

test('each who sets passwords waits in a line of their own', async () => {
  const { users, hasher } = parts
  await users.create({ name: 'ann', password, roleNames: [] }, op)
  await users.update('ann', { password: 'new' }, { by: actorNamed('ann') })
  expect(new Set(hasher.askers).size).toBe(2)
  expect(hasher.askers).not.toContain(undefined)
})

describe('creating a user', () => {
  test('hashes the password and gives the roles', async () => {
    const { users, store } = parts
    await users.create({ name: 'ann', password, roleNames: ['readers'] }, op)
    expect(await users.get('ann')).toMatchObject({ name: 'ann', isBuiltIn: false, isDisabled: false })
    expect((await users.get('ann'))?.roles.map(({ name }) => name)).toEqual(['readers'])
    expect((await store.users.credentials('ann'))?.passwordHash).toBe(`hash of ${password}`)
    expect((await users.list({ limit: 10 })).map(({ name }) => name)).toEqual(['ann'])
  })

  test.each([
    ['no name', { name: '', password }, { code: 'field_missing', details: { field: 'name' } }],
    ['no password', { name: 'ann', password: '' }, { code: 'field_missing', details: { field: 'password' } }],
    ['a bad name', { name: 'an n', password }, { code: 'field_invalid', details: { what: 'user ID', value: 'an n' } }],
  ])('is refused with %s before any hashing', async (_what, account, error) => {
    await expect(parts.users.create({ ...account, roleNames: [] }, op)).rejects.toMatchObject(error)
    expect(parts.hasher.hashed).toBe(0)
  })

  test('is refused where the name is taken, before any hashing', async () => {
    await parts.users.create({ name: 'ann', password, roleNames: [] }, op)
    await expect(parts.users.create({ name: 'ann', password, roleNames: [] }, op)).rejects.toMatchObject({
      code: 'user_exists',
    })
    expect(parts.hasher.hashed).toBe(1)
  })

  test('leaves nothing behind where a role is unknown', async () => {
    const { users } = parts
    const refused = users.create({ name: 'ann', password, roleNames: ['readers', 'nosuch'] }, op)
    await expect(refused).rejects.toMatchObject({ code: 'roles_unknown', details: { names: ['nosuch'] } })
    expect(await users.get('ann')).toBeUndefined()
  })

  test('gives one of two who ask at once the name', async () => {
    const both = [1, 2].map(() => parts.users.create({ name: 'ann', password, roleNames: [] }, op))
    const outcomes = await Promise.allSettled(both)
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('makes tokens of an earlier user of the name worthless, but not those of its own first second', async () => {
    const { users, store, clock } = parts
    await clock.advance(700)
    await users.create({ name: 'ann', password, roleNames: [] }, op)
    const second = Math.floor(clock.now().getTime() / 1000) * 1000
    const standing = (issuedAt: Date) =>
      store.tokens.standing({ fingerprint: randomBytes(32), subject: 'ann', issuedAt, now: clock.now() })
    expect((await standing(new Date(second))).user).toBeDefined()
    expect((await standing(new Date(second - 1000))).user).toBeUndefined()
  })
})

describe('updating a user', () => {
  beforeEach(() => parts.users.create({ name: 'ann', password, roleNames: ['readers'] }, op))

  test('changes the password and leaves the roles, or the other way round', async () => {
    const { users, store } = parts
    await users.update('ann', { password: 'another' }, { by: op })
    expect((await store.users.credentials('ann'))?.passwordHash).toBe('hash of another')
    expect((await users.get('ann'))?.roles).toHaveLength(1)
    await users.update('ann', { roleNames: [] }, { by: op })
    expect((await store.users.credentials('ann'))?.passwordHash).toBe('hash of another')
    expect((await users.get('ann'))?.roles).toEqual([])
  })

  test('changes nothing where a role is unknown', async () => {
    const refused = parts.users.update('ann', { password: 'another', roleNames: ['nosuch'] }, { by: op })
    await expect(refused).rejects.toMatchObject({ code: 'roles_unknown' })
    expect((await parts.store.users.credentials('ann'))?.passwordHash).toBe(`hash of ${password}`)
  })

  test('is refused for an unknown user, before any hashing', async () => {
    const before = parts.hasher.hashed
    for (const change of [{}, { password }, { roleNames: ['readers'] }]) {
      await expect(parts.users.update('bob', change, { by: op })).rejects.toMatchObject({ code: 'user_not_found' })
    }
    expect(parts.hasher.hashed).toBe(before)
  })

  test('is refused with an empty password', async () => {
    await expect(parts.users.update('ann', { password: '' }, { by: op })).rejects.toMatchObject({
      code: 'field_missing',
    })
  })
})

describe('tokens that say what is no longer true', () => {
  const acts: readonly [of: string, act: (users: Users) => Promise<void>][] = [
    ['user.deleted', (users) => users.delete('ann', op)],
    ['user.disabled', (users) => users.setDisabled('ann', true, op)],
    ['user.password_changed', (users) => users.update('ann', { password: 'another' }, { by: op })],
    ['user.roles_changed', (users) => users.update('ann', { roleNames: [] }, { by: op, revokeNarrowed: true })],
  ]
  beforeEach(async () => {
    const { users, store, sealer, clock } = parts
    await users.create({ name: 'ann', password, roleNames: ['readers'] }, op)
    const roleKeys = [(await store.roles.get('readers'))?.key ?? 0]
    const expiresAt = new Date(clock.now().getTime() + 60_000)
    await store.tokens.record(aToken('t1', sealer, { roleKeys, expiresAt }), deedAt(clock.now()))
  })

  test.each(acts)('%s: are revoked before the answer, which waits for clusters', async (of, act) => {
    await act(parts.users)
    expect(await parts.store.tokens.isRevoked(aToken('t1', parts.sealer).fingerprint)).toBe(true)
    expect(parts.waited).toEqual([{ sequence: await parts.store.revocations.lastSequence(), budgetMs: 250 }])
    const [kept] = await parts.store.revocationActs.list({ limit: 9 })
    expect(kept).toMatchObject({ selector: { by: 'consequence', of, name: 'ann' }, actor: 'op', tokens: 1 })
  })

  test('stay where roles change and nobody wants them gone, and nothing is waited for', async () => {
    await parts.users.update('ann', { roleNames: [] }, { by: op })
    await parts.users.setDisabled('ann', false, op)
    expect(await parts.store.tokens.isRevoked(aToken('t1', parts.sealer).fingerprint)).toBe(false)
    expect(parts.waited).toEqual([])
  })
})

describe('the first administrator', () => {
  test('is made with the password given, which is not answered', async () => {
    const { users, store } = parts
    expect(await users.ensureFirstAdministrator({ name: 'root user', password })).toBeUndefined()
    expect(await users.get('root user')).toMatchObject({ isBuiltIn: true, roles: [{ isAdministrator: true }] })
    expect((await store.users.credentials('root user'))?.passwordHash).toBe(`hash of ${password}`)
  })

  test('gets a long random password of unmistakable characters where none is given', async () => {
    const made = await parts.users.ensureFirstAdministrator({ name: 'admin', password: undefined })
    expect(made?.name).toBe('admin')
    expect(made?.password).toMatch(/^[a-zA-Z2-9]{20,}$/)
    expect(made?.password).not.toMatch(/[lIO]/)
    expect((await parts.store.users.credentials('admin'))?.passwordHash).toBe(`hash of ${made?.password}`)
    const others = await start().users.ensureFirstAdministrator({ name: 'admin', password: undefined })
    expect(others?.password).not.toBe(made?.password)
  })

  test('is not made where anybody administers, nor is anything hashed', async () => {
    await parts.users.create({ name: 'ann', password, roleNames: ['Admin'] }, op)
    expect(await parts.users.ensureFirstAdministrator({ name: 'admin', password: undefined })).toBeUndefined()
    expect(await parts.users.get('admin')).toBeUndefined()
    expect(parts.hasher.hashed).toBe(1)
  })

  test('is made beside users of whom none administers, under a name that none of them has', async () => {
    await parts.users.create({ name: 'admin', password, roleNames: [] }, op)
    await expect(parts.users.ensureFirstAdministrator({ name: 'admin', password })).rejects.toMatchObject({
      code: 'field_invalid',
      details: { value: 'admin', rule: expect.stringContaining('AIS_AUTHN_SU_NAME') },
    })
    await parts.users.ensureFirstAdministrator({ name: 'root', password })
    expect((await parts.users.get('root'))?.roles[0]?.isAdministrator).toBe(true)
    expect((await parts.users.get('admin'))?.roles).toEqual([])
  })

  test('keeps tokens that a replaced server issued to that name', async () => {
    await parts.users.ensureFirstAdministrator({ name: 'admin', password })
    const token = { fingerprint: randomBytes(32), subject: 'admin', issuedAt: new Date(1000), now: parts.clock.now() }
    expect((await parts.store.tokens.standing(token)).user?.authorities).toEqual([
      { role: 'administrator', clusterId: null },
    ])
  })

  test.each(['', serviceSubject, canarySubject])('cannot be called %j', async (name) => {
    await expect(parts.users.ensureFirstAdministrator({ name, password })).rejects.toThrow()
  })

  test('cannot have an empty password', async () => {
    await expect(parts.users.ensureFirstAdministrator({ name: 'admin', password: '' })).rejects.toMatchObject({
      code: 'field_missing',
    })
  })
})
