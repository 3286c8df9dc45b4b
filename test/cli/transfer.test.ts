import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { writeAuthnDatabase } from '../../bench/authn-database.ts'
import { createSealer } from '../../src/core/keys/sealer.ts'
import { loadMasterKey } from '../../src/store/master-key.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { append, aUser, makeAuthn, makeFolder, unpackFixture } from '../authn.ts'
import { buildProgram, root, run, startProgram } from './program.ts'

beforeAll(buildProgram)

/** No secret: the fixture's own key signs. */
const env = { AIS_AUTHN_SECRET_KEY: '' }

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

async function logIn(url: string, name: string, password: string): Promise<number> {
  const answer = await fetch(`${url}/v1/users/${name}`, { method: 'POST', body: JSON.stringify({ password }) })
  return answer.status
}

describe('authn started where AuthN has run, without a password for an administrator,', () => {
  test('takes its data over, in one line, and leaves the database as it was', async () => {
    const fixture = unpackFixture()
    // Nobody is to be told by a test.
    append(fixture.database, [
      ['cluster##EastUuid-01', null],
      ['cluster##WestUuid-02', null],
    ])
    const before = digestOf(fixture.database)
    const service = await startProgram('authn', [`-config=${fixture.folder}`], { env })
    expect(service.text.err).toBe('')
    const lines = service.text.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const taken = lines.filter(({ event }) => event === 'authn.taken_over')
    expect(taken).toEqual([
      expect.objectContaining({ from: fixture.database, users: 7, keys: 3, signingKey: 'in_place' }),
    ])
    expect(lines.filter(({ event }) => event === 'authn.finding')).toEqual([])
    for (const [name, password] of Object.entries(fixture.passwords)) {
      expect(await logIn(service.url, name, password)).toBe(200)
    }
    const bearer = { Authorization: `Bearer ${fixture.live['admin, first key']}` }
    const listed = await fetch(`${service.url}/v1/users`, { headers: bearer })
    expect(await listed.json()).toEqual(fixture.snapshot.users)
    const revoked = { Authorization: `Bearer ${fixture.revoked['admin, 20 years']}` }
    expect((await fetch(`${service.url}/v1/users`, { headers: revoked })).status).toBe(401)
    expect((await service.stop()).code).toBe(0)
    expect(digestOf(fixture.database)).toBe(before)
  })

  test('ends with one line where the database is none', async () => {
    const folder = makeAuthn('not a database')
    const { code, out, err } = await run('gatehouse', ['serve', '--data-dir', folder], { env: { AIS_AUTHN_PORT: '0' } })
    expect(code).toBe(4)
    expect(err).toBe(
      `gatehouse: ${join(folder, 'authn.db')} is no database of AIStore's AuthN: it does not hold BuntDB's records\n`,
    )
    expect(out).not.toContain('service.started')
  })
})

describe('gatehouse import', () => {
  test('--dry-run makes nothing, and says what there is', async () => {
    const { folder } = unpackFixture()
    const data = join(makeFolder(), 'data')
    const { code, out } = await run('gatehouse', ['import', folder, '--dry-run', '--data-dir', data])
    expect(code).toBe(0)
    expect(out).toContain(`Nothing was changed. This is what taking over ${join(folder, 'authn.db')} would do:`)
    expect(out).toMatch(/^users +7 +0 +0$/m)
    expect(existsSync(data)).toBe(false)
  })

  test('takes everything over for the service that starts then; a second time it changes nothing', async () => {
    const fixture = unpackFixture()
    append(fixture.database, [
      ['cluster##EastUuid-01', null],
      ['cluster##WestUuid-02', null],
    ])
    const data = makeFolder()
    const first = await run('gatehouse', ['import', fixture.folder, '--data-dir', data])
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toContain(
      `AuthN's configuration serves here as it is: --config ${join(fixture.folder, 'authn.json')}`,
    )
    expect(statSync(join(data, 'authn_rsa.key')).mode & 0o777).toBe(0o600)
    const again = await run('gatehouse', ['import', fixture.database, '--json', '--data-dir', data])
    expect(JSON.parse(again.out)).toMatchObject({
      isFirst: false,
      users: { added: 0, unchanged: 7, kept: 0 },
      revokedTokens: { added: 0, kept: 0 },
      signingKey: 'in_place',
    })
    const quiet = await run('gatehouse', ['import', fixture.database, '--quiet', '--data-dir', data])
    expect(quiet).toMatchObject({ code: 0, out: '', err: '' })
    const service = await startProgram('gatehouse', ['serve', '--data-dir', data], { env })
    expect(service.text.err).toBe('')
    expect(await logIn(service.url, 'alice', fixture.passwords.alice ?? '')).toBe(200)
    await service.stop()
  })

  test.each([
    ['nothing there', (folder: string) => folder, 4, /^gatehouse: there is no .*authn\.db: name the database/],
    ['no BuntDB', () => makeAuthn('{}'), 4, /is no database of AIStore's AuthN/],
    ['a key that can not be read', () => withKey('damaged'), 6, /the private key file .* is not PEM/],
  ])('with %s ends with one line and leaves the store empty', async (_what, prepare, exitCode, line) => {
    const data = makeFolder()
    const { code, err, out } = await run('gatehouse', ['import', prepare(makeFolder()), '--data-dir', data])
    expect({ code, out }).toEqual({ code: exitCode, out: '' })
    expect(err).toMatch(line)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(await countUsers(data)).toBe(0)
    expect(existsSync(join(data, 'authn_rsa.key'))).toBe(false)
  })
})

function withKey(content: string): string {
  const folder = makeAuthn([['user##ann', aUser('ann')]])
  writeFileSync(join(folder, 'authn_rsa.key'), content)
  return folder
}

async function openStore(data: string) {
  const sealer = createSealer(await loadMasterKey({ value: undefined, file: join(data, 'master.key') }))
  return openSqliteStore({ file: join(data, 'gatehouse.db'), sealer })
}

async function countUsers(data: string): Promise<number> {
  const store = await openStore(data)
  try {
    return await store.exports.read(new Date(), (held) => Array.from(held.users()).length)
  } finally {
    await store.close()
  }
}

describe('killed at any moment', () => {
  test('an import leaves a store with everything or with nothing, and can be run again', async () => {
    const authn = makeFolder()
    const size = { users: 4000, roles: 50, revokedTokens: 4000 }
    writeAuthnDatabase(join(authn, 'authn.db'), size)
    const wholeMs = await timeImport(authn, makeFolder(), undefined)
    const counts = new Set<number>()
    const data = makeFolder()
    mkdirSync(data, { recursive: true })
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      await timeImport(authn, data, (wholeMs * attempt) / 9)
      if (existsSync(join(data, 'master.key'))) counts.add(await countUsers(data))
    }
    expect([...counts].filter((count) => count !== 0 && count !== size.users + 1)).toEqual([])
    expect(counts.has(0)).toBe(true)
    await timeImport(authn, data, undefined)
    expect(await countUsers(data)).toBe(size.users + 1)
    const store = await openStore(data)
    expect(await store.revocations.lastSequence()).toBe(size.revokedTokens)
    await store.close()
    expect(readdirSync(data).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

/** Runs an import, and kills it after so many milliseconds; answers how long it took. */
async function timeImport(authn: string, data: string, killAfterMs: number | undefined): Promise<number> {
  const startedAt = performance.now()
  const child = spawn(join(root, 'bin', 'gatehouse'), ['import', authn, '--quiet', '--data-dir', data], {
    stdio: 'ignore',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return performance.now() - startedAt
}

describe('gatehouse export --authn-db', () => {
  test('writes a database that imports as the same, and never over another file', async () => {
    const { folder, database } = unpackFixture()
    const data = makeFolder()
    await run('gatehouse', ['import', folder, '--data-dir', data])
    const file = join(makeFolder(), 'authn.db')
    const { code, out } = await run('gatehouse', ['export', '--authn-db', file, '--data-dir', data])
    expect(code).toBe(0)
    expect(out).toContain(`Wrote ${file}: 7 users, 11 roles, 2 clusters, 3 public keys,`)
    expect(out).toContain(join(data, 'authn_rsa.key'))
    const again = await run('gatehouse', ['export', '--authn-db', file, '--data-dir', data])
    expect(again).toMatchObject({ code: 1, out: '', err: expect.stringContaining('is there already') })
    const imported = await run('gatehouse', ['import', file, '--json', '--data-dir', data])
    expect(JSON.parse(imported.out)).toMatchObject({ users: { unchanged: 7 }, roles: { unchanged: 10 }, findings: [] })
    expect(existsSync(database)).toBe(true)
  })

  test('from a folder without a database ends with one line, and makes none', async () => {
    const data = makeFolder()
    const { code, err } = await run('gatehouse', ['export', '--authn-db', join(data, 'a.db'), '--data-dir', data])
    expect(code).toBe(4)
    expect(err).toMatch(/^gatehouse: there is no database .*gatehouse\.db/)
    expect(readdirSync(data)).toEqual([])
  })
})
