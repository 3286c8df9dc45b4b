import { createHmac, createPublicKey, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { presentCluster, presentRole, presentUser } from '../src/adapters/aistore/dialect/present.ts'
import { importAuthn } from '../src/authn-import.ts'
import { openOrMakeStore } from '../src/cli/local-store.ts'
import { DomainError } from '../src/core/errors.ts'
import { formatPrivateKey, readPrivateKey } from '../src/core/keys/private-key-file.ts'
import type { Role } from '../src/core/roles/role.ts'
import type { Store } from '../src/store/store.ts'
import { op } from './actors.ts'
import {
  administrator,
  append,
  aRole,
  aToken,
  aUser,
  configFor,
  countsOf,
  later,
  makeAuthn,
  makeFolder,
  startImport,
  startOn,
  unpackFixture,
} from './authn.ts'
import { startAistoreCluster } from './stand-ins/aistore.ts'

function isKnownToAuthn({ authority, isAdministrator }: Role): boolean {
  return authority === null || isAdministrator
}

/** What clients of AuthN would read from the store. */
async function contentOf(store: Store) {
  const listed = await store.users.list({ limit: 1000 })
  const users = await Promise.all(listed.map(({ name }) => store.users.get(name)))
  const clusters = await store.clusters.list()
  return {
    users: Object.fromEntries(users.flatMap((user) => (user ? [[user.name, presentUser(user)]] : []))),
    roles: (await store.roles.list()).filter(isKnownToAuthn).map((role) => presentRole(role)),
    clusters: { clusters: Object.fromEntries(clusters.map((cluster) => [cluster.id, presentCluster(cluster, true)])) },
    jwks: { keys: (await store.keys.list()).map(({ publicJwk }) => publicJwk) },
  }
}

describe('the data of a real AuthN', () => {
  test('is imported exactly as that server showed it', async () => {
    const { folder, snapshot } = unpackFixture()
    const { store, run } = await startImport()
    const imported = await run(folder)
    const { users, roles, clusters, jwks } = await contentOf(store)
    expect(users).toEqual(snapshot.users)
    expect(roles).toEqual([...snapshot.roles].sort((a, b) => (a.name < b.name ? -1 : 1)))
    expect(clusters).toEqual(snapshot.clusters)
    expect(jwks).toEqual(snapshot.jwks)
    expect(imported).toMatchObject({
      isFirst: true,
      users: { added: 7, unchanged: 0, kept: 0 },
      // Admin is there already.
      roles: { added: 10, unchanged: 0, kept: 0 },
      clusters: { added: 2 },
      keys: { added: 3 },
      revocations: { added: 2, expired: 1 },
      signingKey: 'placed',
    })
  })

  test('imported again changes nothing, and so after its users have logged in', async () => {
    const { folder } = unpackFixture()
    const { store, run } = await startImport()
    await run(folder)
    const before = await contentOf(store)
    const alice = await store.users.credentials('alice')
    await store.users.rehash(alice?.key ?? 0, alice?.passwordHash ?? '', '$argon2id$made at log-in')
    const sequence = await store.revocations.lastSequence()
    const again = await run(folder)
    expect(again).toMatchObject({
      isFirst: false,
      users: { added: 0, unchanged: 7, kept: 0 },
      roles: { added: 0, unchanged: 10, kept: 0 },
      clusters: { added: 0, unchanged: 2, kept: 0 },
      keys: { added: 0, unchanged: 3, kept: 0 },
      revocations: { added: 0, unchanged: 2, kept: 0, expired: 1 },
      signingKey: 'in_place',
    })
    expect(await contentOf(store)).toEqual(before)
    expect(await store.revocations.lastSequence()).toBe(sequence)
    expect((await store.revocationActs.list({ limit: 10, isByTextLeftOut: false })).length).toBe(1)
  })

  test('tried only leaves neither a row nor a key file behind, and says what an import then does', async () => {
    const { folder } = unpackFixture()
    const { store, config, run } = await startImport()
    const empty = await contentOf(store)
    const trial = await run(folder, { isTrial: true })
    expect(await contentOf(store)).toEqual(empty)
    expect(existsSync(config.signingKey.file)).toBe(false)
    expect(await run(folder)).toEqual({ ...trial, isTrial: false })
  })

  test('serves on: passwords, unexpired tokens of all three keys, and no revoked one', async () => {
    const fixture = unpackFixture()
    await using east = await standIn(fixture.folder, 'EastUuid-01', 2)
    await using west = await standIn(fixture.folder, 'WestUuid-02', 1)
    append(fixture.database, [clusterRecord('EastUuid-01', 'east', east), clusterRecord('WestUuid-02', 'west', west)])
    const { call, service } = await startOn(fixture.folder)

    for (const [name, password] of Object.entries(fixture.passwords)) {
      expect((await call('POST', `/v1/users/${name}`, { body: { password } })).status).toBe(200)
    }
    for (const [which, token] of Object.entries(fixture.live)) {
      const name = which.split(',')[0]
      expect((await call('GET', `/v1/users/${name}`, { token })).json()).toEqual(fixture.snapshot.users[name ?? ''])
    }
    const { 'admin, first key': admin = '', 'bob, third key': bob = '' } = fixture.live
    expect((await call('GET', '/v1/users', { token: admin })).json()).toEqual(fixture.snapshot.users)

    await service.settled()
    const { 'alice, 20 years': alice = '', 'admin, 20 years': revokedAdmin = '' } = fixture.revoked
    for (const token of [alice, revokedAdmin]) {
      const answer = await call('GET', '/v1/users/alice', { token })
      expect(answer.status).toBe(401)
      expect(answer.text).toContain('revoked')
      expect([east.knows(token, 0), east.knows(token, 1), west.knows(token)]).toEqual([true, true, true])
    }
    const expired = fixture.revoked['bob, one minute (expired by now)'] ?? ''
    expect(east.knows(expired)).toBe(false)

    // An old token is revoked by its text, everywhere.
    expect((await call('DELETE', '/v1/tokens', { body: { token: bob } })).status).toBe(200)
    await service.settled()
    expect((await call('GET', '/v1/users/bob', { token: bob })).status).toBe(401)
    expect([east.knows(bob), west.knows(bob)]).toEqual([true, true])
  })
})

function clusterRecord(id: string, alias: string, cluster: { readonly urls: readonly string[] }) {
  return [`cluster##${id}`, { id, alias, urls: cluster.urls }] as const
}

async function standIn(folder: string, uuid: string, proxies: number) {
  const pem = createPublicKey(readFileSync(join(folder, 'authn_rsa.key'))).export({ type: 'spki', format: 'pem' })
  const trust = { kind: 'static_key', pem: pem.toString() } as const
  return startAistoreCluster({ version: '5.0', uuid, proxies, trust, clock: { now: () => later } })
}

describe('started beside an authn.db, the service', () => {
  test('takes it over before it makes an administrator, says so, and leaves the old file as it was', async () => {
    const fixture = unpackFixture()
    append(fixture.database, [['session##x', 'from another version']])
    const content = readFileSync(fixture.database)
    const { mtimeMs } = statSync(fixture.database)
    const { lines, call, service } = await startOn(fixture.folder, {
      firstAdministrator: { name: 'admin', password: undefined },
    })
    expect(service.generatedAdministrator).toBeUndefined()
    const taken = lines.filter(({ event }) => event === 'authn.taken_over')
    expect(taken).toEqual([
      expect.objectContaining({ from: fixture.database, users: 7, roles: 10, clusters: 2, keys: 3, revokedTokens: 2 }),
    ])
    expect(lines.filter(({ event }) => event === 'authn.finding').map(({ kind }) => kind)).toContain(
      'collection_unknown',
    )
    expect(JSON.stringify(lines)).not.toContain(fixture.revoked['alice, 20 years'])
    expect(readFileSync(fixture.database).equals(content)).toBe(true)
    expect(statSync(fixture.database).mtimeMs).toBe(mtimeMs)
    const token = fixture.live['admin, first key'] ?? ''
    expect((await call('GET', '/v1/users', { token })).status).toBe(200)
    // The protected account is the one that AuthN had made at its first start.
    expect((await call('DELETE', '/v1/users/admin', { token })).status).toBe(403)
    expect((await call('DELETE', '/v1/users/erin', { token })).status).toBe(200)
  })

  test('does so once: what was changed since is not brought back', async () => {
    const fixture = unpackFixture()
    const first = await startOn(fixture.folder)
    const token = fixture.live['admin, first key'] ?? ''
    expect((await first.call('DELETE', '/v1/users/frank', { token })).status).toBe(200)
    await first.service.close({ drainMs: 0 })
    const second = await startOn(fixture.folder)
    expect(second.lines.some(({ event }) => event === 'authn.taken_over')).toBe(false)
    expect((await second.call('GET', '/v1/users/frank', { token })).status).toBe(404)
  })

  test('does so at the next start where the first one was killed meanwhile', async () => {
    const fixture = unpackFixture()
    const store = await openOrMakeStore(await configFor(fixture.folder))
    await store.close()
    const { lines } = await startOn(fixture.folder)
    expect(lines.find(({ event }) => event === 'authn.taken_over')).toMatchObject({ users: 7 })
  })

  test('finds it where the configuration says that it is', async () => {
    const fixture = unpackFixture()
    const elsewhere = join(makeFolder(), 'other.db')
    copyFileSync(fixture.database, elsewhere)
    rmSync(fixture.database)
    const { authnFile } = await configFor(fixture.folder)
    const config = { authnFile: { ...authnFile, db: { type: 'BuntDB', filepath: elsewhere } } }
    const { lines } = await startOn(fixture.folder, config)
    expect(lines.find(({ event }) => event === 'authn.taken_over')).toMatchObject({ from: elsewhere, users: 7 })
  })

  test('does not start where that is no BuntDB, and makes no administrator', async () => {
    const folder = makeAuthn('SQLite format 3\0')
    await expect(startOn(folder)).rejects.toThrow(/authn\.db is no database of AIStore's AuthN/)
  })

  test('makes an administrator where AuthN had none', async () => {
    const folder = makeAuthn([['user##ann', aUser('ann')]])
    const { service, lines } = await startOn(folder, { firstAdministrator: { name: 'root', password: undefined } })
    expect(service.generatedAdministrator?.name).toBe('root')
    expect(lines).toContainEqual(expect.objectContaining({ event: 'authn.finding', kind: 'administrator_absent' }))
  })
})

describe('the signing key', () => {
  test('is used where it lies', async () => {
    const { folder } = unpackFixture()
    const { run, store, config } = await startImport(await inPlace(folder))
    expect((await run(folder)).signingKey).toBe('in_place')
    const states = (await store.keys.list()).map(({ state }) => state)
    expect(states).toEqual(['retiring', 'retiring', 'active'])
    expect(config.signingKey.file).toBe(join(folder, 'authn_rsa.key'))
  })

  test('is copied to where the service looks for it, mode 0600', async () => {
    const { folder } = unpackFixture()
    const { run, config } = await startImport()
    expect((await run(folder)).signingKey).toBe('placed')
    expect(readFileSync(config.signingKey.file).equals(readFileSync(join(folder, 'authn_rsa.key')))).toBe(true)
    expect(statSync(config.signingKey.file).mode & 0o777).toBe(0o600)
  })

  test('never takes the place of another one, and what it has signed is trusted all the same', async () => {
    const { folder, live } = unpackFixture()
    const ours = await makeOtherKey()
    const data = makeFolder()
    writeFileSync(join(data, 'authn_rsa.key'), ours)
    const { run, config, store } = await startImport(await inPlace(data))
    const imported = await run(folder)
    expect(imported.signingKey).toBe('ours')
    expect(countsOf(imported)).toMatchObject({ signing_key_differs: 1 })
    expect(readFileSync(config.signingKey.file).equals(ours)).toBe(true)
    expect((await store.keys.list()).map(({ state }) => state)).toEqual(['retiring', 'retiring', 'retiring'])
    expect(Object.keys(live)).toHaveLength(6)
  })

  test('that is encrypted is taken as it is with its passphrase, and nothing is without it', async () => {
    const { folder } = unpackFixture()
    const file = join(folder, 'authn_rsa.key')
    const passphrase = 'correct horse battery staple'
    const plain = await readPrivateKey(readFileSync(file), undefined, file)
    const encrypted = await formatPrivateKey(plain, passphrase)
    writeFileSync(file, encrypted)
    const { signingKey } = await configFor(makeFolder())
    for (const wrong of [undefined, 'wrong horse battery staple']) {
      const { run, store, config } = await startImport({ signingKey: { ...signingKey, passphrase: wrong } })
      await expect(run(folder)).rejects.toMatchObject({ name: 'KeyFileError' })
      expect(await store.users.list({ limit: 1 })).toEqual([])
      expect(existsSync(config.signingKey.file)).toBe(false)
    }
    const { run, config } = await startImport({ signingKey: { ...signingKey, passphrase } })
    expect((await run(folder)).signingKey).toBe('placed')
    expect(readFileSync(config.signingKey.file).equals(encrypted)).toBe(true)
  })

  test('that was put there goes again where the import fails', async () => {
    const { folder } = unpackFixture()
    const { store, config } = await startImport()
    const run = () => {
      expect(existsSync(config.signingKey.file)).toBe(true)
      return Promise.reject(new DomainError('storage_failed', { reason: 'the disk is full' }))
    }
    const deps = { config, store: { ...store, imports: { run } }, deed: { by: op, at: later } }
    await expect(importAuthn(deps, folder)).rejects.toMatchObject({ code: 'storage_failed' })
    expect(existsSync(config.signingKey.file)).toBe(false)
  })

  test('is not written over one that another process has put there meanwhile', async () => {
    const { folder } = unpackFixture()
    const { run, config } = await startImport()
    const other = await makeOtherKey()
    const importing = run(folder)
    writeFileSync(config.signingKey.file, other)
    expect((await importing).users.added).toBe(7)
    expect(readFileSync(config.signingKey.file).equals(other)).toBe(true)
  })

  test('that can not be put there is one line, and nothing is imported', async () => {
    const { folder } = unpackFixture()
    const { signingKey } = await configFor(makeFolder())
    const blocked = join(makeFolder(), 'file')
    writeFileSync(blocked, '')
    const { run, store } = await startImport({ signingKey: { ...signingKey, file: join(blocked, 'authn_rsa.key') } })
    await expect(run(folder)).rejects.toMatchObject({ code: 'storage_failed' })
    expect(await store.users.list({ limit: 1 })).toEqual([])
  })

  test('is not missed under a shared secret, which the store keeps from then on', async () => {
    const { folder } = unpackFixture()
    const file = join(folder, 'authn.json')
    const settings = JSON.parse(readFileSync(file, 'utf8'))
    const secret = 'gitlabCISigningKey'
    writeFileSync(file, JSON.stringify({ ...settings, auth: { ...settings.auth, secret } }))
    const { run, store } = await startImport()
    const imported = await run(folder)
    expect(imported.signingKey).toBe('unused')
    expect(await store.settings.list()).toContainEqual(
      expect.objectContaining({ name: 'shared_secret', value: secret }),
    )
    expect(JSON.stringify(imported)).not.toContain(secret)
  })
})

test('under a shared secret old tokens open the service too, and revoked ones do not', async () => {
  const secret = randomBytes(24).toString('hex')
  const token = (iat: number) => {
    const claims = { sub: 'ann', iat, exp: later.getTime() / 1000 + 3600, admin: false, clusters: null }
    const [head = '', body = ''] = aToken(claims, { alg: 'HS256', typ: 'JWT' }).split('.')
    return `${head}.${body}.${createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url')}`
  }
  const [live, revoked] = [token(1), token(2)]
  const folder = makeAuthn([
    ['user##ann', aUser('ann')],
    ['user##admin', aUser('admin', [administrator])],
    [`revoked##${revoked}`, '"!"'],
  ])
  writeFileSync(join(folder, 'authn.json'), JSON.stringify({ auth: { secret } }))
  const { call } = await startOn(folder)
  expect((await call('GET', '/v1/users/ann', { token: live })).status).toBe(200)
  expect((await call('GET', '/v1/users/ann', { token: revoked })).text).toContain('revoked')
})

async function inPlace(folder: string) {
  const { signingKey } = await configFor(folder)
  return { signingKey: { ...signingKey, file: join(folder, 'authn_rsa.key') } }
}

async function makeOtherKey() {
  const { makePrivateKey } = await import('../src/core/keys/rsa-key.ts')
  return formatPrivateKey(await makePrivateKey(2048), undefined)
}

describe('settings of authn.json', () => {
  test('that can be changed at run time are kept, others are named where they differ', async () => {
    const { folder } = unpackFixture()
    const { run, store } = await startImport()
    const imported = await run(folder)
    expect(await store.settings.list()).toMatchObject([{ name: 'token_lifetime_ms', value: String(10 * 3_600_000) }])
    const differing = imported.findings.find(({ kind }) => kind === 'setting_differs')?.where ?? []
    expect(differing).toContain('net.external_url (there: https://authn.example.test)')
    expect(differing).toContain('auth.max_token_age')
  })

  test('that can not be read are told, and the rest is imported', async () => {
    const { folder } = unpackFixture()
    writeFileSync(join(folder, 'authn.json'), '{"auth": {"rsa": {}}}')
    const { run } = await startImport()
    const imported = await run(folder)
    expect(countsOf(imported)).toMatchObject({ settings_unreadable: 1 })
    expect(imported.users.added).toBe(7)
  })
})

describe('into a store that is in use', () => {
  test('ours stays wherever there is something, and what differs is named', async () => {
    const { folder } = unpackFixture()
    const { run, store } = await startImport()
    const deed = { by: op, at: later }
    const none = { grants: [], annotations: {} }
    await store.roles.insert({ name: 'logs-ro', description: 'ours', ...none }, deed)
    const bob = { name: 'bob', passwordHash: 'ours', isBuiltIn: false, tokensNotBefore: later }
    await store.users.insert({ ...bob, roleNames: ['Admin'] }, deed)
    const east = {
      id: 'EastUuid-01',
      kind: 'aistore',
      alias: 'ours',
      urls: ['http://127.0.0.1:1'],
      annotations: {},
    } as const
    await store.clusters.insert({ ...east, registeredAt: later }, 0, [], deed)
    const imported = await run(folder)
    expect(imported).toMatchObject({
      isFirst: false,
      users: { added: 6, unchanged: 0, kept: 1 },
      roles: { added: 9, unchanged: 0, kept: 1 },
      clusters: { added: 1, unchanged: 0, kept: 1 },
    })
    expect(
      imported.findings.filter(({ outcome }) => outcome === 'ours_kept').map(({ kind, where }) => [kind, where[0]]),
    ).toEqual(
      expect.arrayContaining([
        ['user_differs', 'bob'],
        ['role_differs', 'logs-ro'],
        ['cluster_differs', 'EastUuid-01'],
      ]),
    )
    expect((await store.users.credentials('bob'))?.passwordHash).toBe('ours')
    expect((await store.roles.get('logs-ro'))?.description).toBe('ours')
    expect((await store.clusters.get('EastUuid-01'))?.alias).toBe('ours')
    // Nobody becomes protected, and no setting changes, in a service that runs already.
    expect((await store.users.get('admin'))?.isBuiltIn).toBe(false)
    expect(await store.settings.list()).toEqual([])
  })

  test('a cluster that is registered is told what was revoked elsewhere', async () => {
    const { folder } = unpackFixture()
    const { run, store } = await startImport()
    const cluster = { id: 'c1', kind: 'aistore', alias: null, urls: ['http://127.0.0.1:1'], annotations: {} } as const
    await store.clusters.insert({ ...cluster, registeredAt: later }, 0, [], { by: op, at: later })
    await run(folder)
    const due = await store.cursors.claimDue({ now: later, limit: 10, leaseUntil: later, holder: 'test' })
    expect(due.map(({ cluster: { id } }) => id).sort()).toEqual(['EastUuid-01', 'WestUuid-02', 'c1'])
  })

  test('an alias or id that stands for another cluster here is not taken', async () => {
    const { run, store } = await startImport()
    const ours = { id: 'c1', kind: 'aistore', alias: 'east', urls: [], annotations: {} } as const
    await store.clusters.insert({ ...ours, registeredAt: later }, 0, [], { by: op, at: later })
    const imported = await run(
      makeAuthn([
        ['cluster##c2', { id: 'c2', alias: 'east', urls: ['http://127.0.0.1:1'] }],
        ['cluster##east', { id: 'east', urls: ['http://127.0.0.1:1'] }],
      ]),
    )
    expect(countsOf(imported)).toMatchObject({ cluster_alias_taken: 1, cluster_name_taken: 1 })
    expect((await store.clusters.list()).map(({ id, alias }) => [id, alias])).toEqual([
      ['c1', 'east'],
      ['c2', null],
    ])
  })
})

test('the administrator of the configured name becomes the protected one, else the first who administers', async () => {
  const records = [
    ['role##Admin', administrator],
    ['user##zoe', aUser('zoe', [administrator])],
    ['user##ann', aUser('ann', [administrator])],
    ['user##admin', aUser('admin', [aRole('r1')])],
  ] as const
  const named = await startImport({ firstAdministrator: { name: 'ann', password: undefined } })
  await named.run(makeAuthn(records))
  expect(await builtIn(named.store)).toEqual(['ann'])
  const unnamed = await startImport()
  await unnamed.run(makeAuthn(records))
  expect(await builtIn(unnamed.store)).toEqual(['zoe'])
})

async function builtIn(store: Store) {
  const users = await store.users.list({ limit: 100 })
  const whole = await Promise.all(users.map(({ name }) => store.users.get(name)))
  return whole.flatMap((user) => (user?.isBuiltIn ? [user.name] : []))
}

test('all revoked tokens are one act, that says where they come from', async () => {
  const token = (sub: string) => aToken({ sub, exp: later.getTime() / 1000 + 60, iat: later.getTime() / 1000 })
  const { run, store } = await startImport()
  await run(makeAuthn(['ann', 'bob'].map((sub) => [`revoked##${token(sub)}`, '"!"'] as const)))
  const acts = await store.revocationActs.list({ limit: 10, isByTextLeftOut: false })
  expect(acts).toHaveLength(1)
  expect(acts[0]).toMatchObject({
    tokens: 2,
    lastSequence: 2,
    actor: op.subject,
    expiresAt: new Date(later.getTime() + 60_000),
  })
})
