import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readBuntdbLog } from '../src/adapters/aistore/import/buntdb-log.ts'
import { exportAuthn } from '../src/authn-export.ts'
import { openOrMakeStore } from '../src/cli/local-store.ts'
import type { Store } from '../src/store/store.ts'
import { op } from './actors.ts'
import { aUser, countsOf, later, makeAuthn, makeFolder, startImport, startOn, unpackFixture } from './authn.ts'

const by = { by: op, at: later }

/** What a server that reads the file has in the end, by key. */
function recordsOf(file: string): ReadonlyMap<string, string> {
  const content = readFileSync(file)
  const log = {
    size: content.length,
    modifiedAt: later,
    read: (into: Buffer, offset: number, length: number, position: number) =>
      content.copy(into, offset, position, position + length),
  }
  const records = new Map<string, string>()
  for (const event of readBuntdbLog(log, later)) {
    if (event.does !== 'set') throw new Error(`${event.does} at ${event.at}`)
    records.set(event.key.toString(), event.value.toString())
  }
  return records
}

async function exportFrom(store: Store, at = later) {
  const file = join(makeFolder(), 'authn.db')
  return { file, exported: await exportAuthn(store, file, { by: op, at }) }
}

async function importFixture() {
  const fixture = unpackFixture()
  const { store, run } = await startImport()
  await run(fixture.folder)
  return { fixture, store }
}

function userIn(records: ReadonlyMap<string, string>, name: string) {
  const { pass, roles } = JSON.parse(records.get(`user##${name}`) ?? '{}')
  const hash = Buffer.from(pass, 'hex').toString()
  return { hash, roles: roles.map((role: { readonly name: string }) => role.name) }
}

test('what came from a real AuthN goes back as it came, byte for byte, but for what has expired', async () => {
  const { fixture, store } = await importFixture()
  const { file, exported } = await exportFrom(store)
  const expired = fixture.revoked['bob, one minute (expired by now)']
  const before = new Map([...recordsOf(fixture.database)].filter(([key]) => key !== `revoked##${expired}`))
  expect(recordsOf(file)).toEqual(before)
  expect(exported).toMatchObject({ users: 7, roles: 11, clusters: 2, keys: 3, revokedTokens: 2, findings: [] })
})

test('imported into an empty store it is the same again', async () => {
  const { fixture, store } = await importFixture()
  const { file } = await exportFrom(store)
  const second = await startImport()
  const imported = await second.run(file)
  expect(imported).toMatchObject({ users: { added: 7 }, roles: { added: 10 }, revocations: { added: 2, expired: 0 } })
  expect(countsOf(imported)).toEqual({ signing_key_absent: 1 })
  const contentOf = async (from: Store) => (await from.roles.list()).map(({ key: _key, ...role }) => role)
  expect(await contentOf(second.store)).toEqual(await contentOf(store))
  expect(await second.run(fixture.database)).toMatchObject({
    users: { added: 0, unchanged: 7, kept: 0 },
    roles: { added: 0, unchanged: 10, kept: 0 },
    clusters: { added: 0, unchanged: 2, kept: 0 },
  })
})

test('an imported user whose hash a log-in has replaced goes back with the one that AuthN checks', async () => {
  const { folder, passwords } = unpackFixture()
  const service = await startOn(folder)
  const before = userIn(recordsOf(join(folder, 'authn.db')), 'alice')
  const login = await service.call('POST', '/v1/users/alice', { body: { password: passwords.alice ?? '' } })
  expect(login.status).toBe(200)
  await service.service.close({ drainMs: 0 })

  const store = await openOrMakeStore(service.config)
  expect((await store.users.credentials('alice'))?.passwordHash).toMatch(/^\$argon2id\$/)
  const { file, exported } = await exportFrom(store)
  expect(userIn(recordsOf(file), 'alice')).toEqual(before)
  expect(exported.findings).toEqual([])

  // A new password is not the old one there either.
  await store.users.update('alice', { passwordHash: '$argon2id$of another password' }, by)
  const changed = await exportFrom(store)
  expect(userIn(recordsOf(changed.file), 'alice').hash).toBe('!')
  expect(countsOf(changed.exported)).toEqual({ password_left_behind: 1 })
  await store.close()
})

describe('what AuthN has no place for', () => {
  test('is named: new passwords, disabled and locked users, locked roles; nobody gets in by that', async () => {
    const { store } = await importFixture()
    const madeHere = { name: 'new', passwordHash: '$argon2id$x', roleNames: ['unused'] }
    await store.users.insert({ ...madeHere, isBuiltIn: false, tokensNotBefore: later }, by)
    await store.users.setDisabled('bob', true, by)
    const until = new Date(later.getTime() + 60_000)
    const lock = { until, by: op, at: later, reason: 'test' }
    await store.locks.create({ target: { kind: 'user', name: 'carol' }, ...lock })
    await store.locks.create({ target: { kind: 'role', name: 'everywhere-ro' }, ...lock })
    const { file, exported } = await exportFrom(store)
    expect(exported.findings.map(({ kind, where }) => [kind, ...where])).toEqual([
      ['role_locked', 'everywhere-ro'],
      ['user_disabled', 'bob'],
      ['user_locked', 'carol'],
      ['password_left_behind', 'new'],
    ])
    const records = recordsOf(file)
    for (const name of ['bob', 'carol', 'new']) expect(userIn(records, name).hash).toBe('!')
    expect(userIn(records, 'dave')).toMatchObject({
      hash: expect.stringMatching(/^\$2a\$/),
      roles: ['BucketOwner-west'],
    })
    expect(JSON.parse(records.get('role_user##unused') ?? '')).toEqual({ users: ['new'] })
    expect(records.has('role_user##everywhere-ro')).toBe(false)

    const afterwards = await exportFrom(store, until)
    expect(userIn(recordsOf(afterwards.file), 'dave').roles).toEqual(['everywhere-ro', 'BucketOwner-west'])
  })

  test('is a role at Gatehouse itself, which stays here', async () => {
    const { store } = await importFixture()
    await store.users.update('frank', { roleNames: ['gatehouse:operator', 'unused'] }, by)
    const { file, exported } = await exportFrom(store)
    expect(exported.findings.map(({ kind, where }) => [kind, ...where])).toEqual([
      ['own_role', 'frank: gatehouse:operator'],
    ])
    const records = recordsOf(file)
    expect(userIn(records, 'frank').roles).toEqual(['unused'])
    expect([...records.keys()].filter((key) => key.includes('gatehouse:'))).toEqual([])
  })

  test('is no retired key, no deleted role, and no token that has ended', async () => {
    const { store, fixture } = await importFixture()
    const [first] = await store.keys.list()
    await store.keys.retire(first?.kid ?? '', by)
    await store.roles.delete('logs-ro', { ...by })
    const { file } = await exportFrom(store, new Date('2050-01-01'))
    const records = recordsOf(file)
    expect(JSON.parse(records.get('key##metadata') ?? '').jwks.keys).toEqual(fixture.snapshot.jwks.keys.slice(1))
    expect(records.has('role##logs-ro')).toBe(false)
    expect(userIn(records, 'bob').roles).toEqual([])
    expect([...records.keys()].filter((key) => key.startsWith('revoked##'))).toEqual([])
  })
})

test('more users and tokens than are read at once are all written, each once', async () => {
  const { run, store } = await startImport()
  await run(makeAuthn(Array.from({ length: 2500 }, (_, number) => [`user##u${number}`, aUser(`u${number}`)] as const)))
  const { file, exported } = await exportFrom(store)
  expect(exported.users).toBe(2500)
  expect([...recordsOf(file).keys()].filter((key) => key.startsWith('user##'))).toHaveLength(2500)
})

describe('the file', () => {
  test('is new, readable by its owner alone, and there whole or not at all', async () => {
    const { store } = await importFixture()
    const { file } = await exportFrom(store)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(file, '..'))).toEqual(['authn.db'])
  })

  test('is in the audit trail', async () => {
    const { store } = await importFixture()
    const { file } = await exportFrom(store)
    const { rows } = await store.audit.list({ filter: { action: 'data.exported' }, order: 'newest', limit: 10 })
    expect(rows).toMatchObject([{ actor: op.subject, details: { to: file, users: 7, revokedTokens: 2 } }])
  })

  test('never takes the place of another one', async () => {
    const { store } = await importFixture()
    const folder = makeFolder()
    const file = join(folder, 'authn.db')
    writeFileSync(file, 'mine')
    await expect(exportAuthn(store, file, by)).rejects.toThrow(/is there already/)
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(readdirSync(folder)).toEqual(['authn.db'])
  })

  test('that can not be written is one line', async () => {
    const { store } = await importFixture()
    const nowhere = join(makeFolder(), 'none', 'authn.db')
    await expect(exportAuthn(store, nowhere, by)).rejects.toThrow(`can't write ${nowhere} (ENOENT)`)
  })
})
