/** Backups, restores and upgrades that are killed in the middle, or made while everything is busy. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { createSealer } from '../../src/core/keys/sealer.ts'
import { verifyBackup } from '../../src/store/backup/verify.ts'
import { findMasterKey } from '../../src/store/master-key.ts'
import { findDamage } from '../../src/store/sqlite/inspect.ts'
import { findPendingMigrations, migrate } from '../../src/store/sqlite/migrate.ts'
import { openDatabase } from '../../src/store/sqlite/open.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { deedAt } from '../actors.ts'
import { buildProgram, makeFolder, root, run, startProgram } from '../cli/program.ts'
import { aUser } from '../store/conformance/samples.ts'
import { install } from './program.ts'
import { expectNothingLost } from './promise.ts'
import { sized, useFastFolders } from './size.ts'

beforeAll(buildProgram)
beforeAll(useFastFolders)

/** Runs the program and kills it after so long; answers whether it was killed before it ended by itself. */
function runAndKill(
  args: readonly string[],
  afterMs: number,
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = spawn(join(root, 'bin/gatehouse'), args, {
    env: { PATH: process.env.PATH, HOME: makeFolder(), GATEHOUSE_OPS_PORT: 'off', ...env },
    stdio: 'ignore',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  setTimeout(() => child.kill('SIGKILL'), afterMs)
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal === 'SIGKILL')))
}

const limitMs = sized(30_000, 600_000)

/** Moments spread over a run that takes so long, its start of Node left out. */
function moments(wholeMs: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => wholeMs * (0.25 + (0.8 * (index + Math.random())) / count))
}

async function timed(act: () => Promise<{ readonly code: number | null; readonly err: string }>): Promise<number> {
  const startedAt = performance.now()
  const { code, err } = await act()
  if (code !== 0) throw new Error(err)
  return performance.now() - startedAt
}

async function masterKeyOf(folder: string): Promise<Buffer> {
  const key = await findMasterKey({ value: undefined, file: join(folder, 'master.key') })
  if (key === undefined) throw new Error('there is no master key')
  return key
}

/** A folder as a service leaves it, with so many tokens in it. */
async function makeDataFolder(tokens: number): Promise<string> {
  const installation = await install()
  const process = await installation.start()
  await process.revokeAll(installation.tokens(tokens))
  process.signal('SIGTERM')
  await process.ended
  return installation.folder
}

function checkWhole(file: string): void {
  const client = new Database(file)
  expect(findDamage(client, true)).toBeUndefined()
  client.close()
}

test('a backup under load is whole, has what was acknowledged before it, and loses no revocation', async () => {
  const installation = await install()
  const service = await installation.start()
  await installation.addCluster()
  await service.revokeAll(installation.tokens(50))
  let isOver = false
  const revoking = (async () => {
    while (!isOver) expect(new Set(await service.revokeAll(installation.tokens(64)))).toEqual(new Set([200]))
  })()
  const path = join(makeFolder(), 'backup')
  const acknowledged = installation.scene.tokens().length
  const { code, err } = await run('gatehouse', ['backup', path, '--data-dir', installation.folder, '--verify'])
  isOver = true
  await revoking
  expect([code, err]).toEqual([0, ''])
  const { rows } = (await verifyBackup(path, { masterKey: undefined })).manifest
  expect(rows.changes).toBeGreaterThanOrEqual(acknowledged)
  expect(rows.changes).toBeLessThan(installation.scene.tokens().length)
  await expectNothingLost(installation.scene, 20_000)
})

test(
  'kill -9 of a backup, again and again: what has the name is a backup, and whatever is left is no hindrance',
  async () => {
    const folder = await makeDataFolder(300)
    const masterKey = await masterKeyOf(folder)
    const target = makeFolder()
    const backUp = (name: string) => ['backup', join(target, name), '--data-dir', folder]
    const wholeMs = await timed(() => run('gatehouse', backUp('first')))
    for (const [round, at] of moments(wholeMs, sized(5, 60)).entries()) {
      await runAndKill(backUp(`b${round}`), at)
      if (!existsSync(join(target, `b${round}`))) continue
      const { checks } = await verifyBackup(join(target, `b${round}`), { masterKey })
      expect(checks.filter(({ result }) => result !== 'good')).toEqual([])
    }
    await timed(() => run('gatehouse', backUp('last')))
    checkWhole(join(folder, 'gatehouse.db'))
  },
  limitMs,
)

test(
  'kill -9 of a restore, again and again: what was there or what was restored starts, whole',
  async () => {
    const folder = await makeDataFolder(300)
    const sealer = createSealer(await masterKeyOf(folder))
    const backup = join(makeFolder(), 'backup')
    await timed(() => run('gatehouse', ['backup', backup, '--data-dir', folder]))
    const store = openSqliteStore({ file: join(folder, 'gatehouse.db'), sealer })
    await store.users.insert(aUser('old'), deedAt(new Date()))
    await store.close()
    const copyOf = (from: string) => {
      const to = makeFolder()
      cpSync(from, to, { recursive: true })
      return to
    }
    const restore = (to: string) => ['restore', backup, '--data-dir', to, '--force']
    const wholeMs = await timed(() => run('gatehouse', restore(copyOf(folder))))
    const seen = new Set<boolean>()
    for (const at of moments(wholeMs, sized(6, 80))) {
      const victim = copyOf(folder)
      await runAndKill(restore(victim), at)
      checkWhole(join(victim, 'gatehouse.db'))
      const found = openSqliteStore({ file: join(victim, 'gatehouse.db'), sealer })
      const isOld = (await found.users.get('old')) !== undefined
      expect((await found.restores.pending(new Date())) === undefined).toBe(isOld)
      expect(await found.users.get('admin')).toBeDefined()
      await found.close()
      seen.add(isOld)
      // Nothing that was left stands in the way of another try.
      await timed(() => run('gatehouse', restore(victim)))
      rmSync(victim, { recursive: true })
    }
    expect(seen).toContain(true)
  },
  limitMs,
)

test(
  'kill -9 of an upgrade, again and again: the next start has the whole of it, and each backup is whole',
  async () => {
    const folder = makeOldFolder(sized(3_000, 60_000))
    const masterKey = await masterKeyOf(folder)
    const file = join(folder, 'gatehouse.db')
    const env = {
      AIS_AUTHN_SECRET_KEY: randomBytes(24).toString('hex'),
      AIS_AUTHN_SU_PASS: randomBytes(9).toString('hex'),
      GATEHOUSE_HOST: '127.0.0.1',
    }
    const serve = ['serve', '--data-dir', folder, '--port', '0', '--ops-port', 'off']
    const rounds = sized(6, 60)
    for (let round = 0; round < rounds && isPending(file); round += 1) {
      await runAndKill(serve, 100 + (round * 1_000) / rounds, env)
      checkWhole(file)
    }
    await (await startProgram('gatehouse', serve, { env })).stop()
    expect(isPending(file)).toBe(false)
    const client = new Database(file)
    expect(client.prepare('SELECT count(*) FROM tokens').pluck().get()).toBe(sized(3_000, 60_000))
    client.close()
    const backups = readdirSync(folder).filter((name) => /^before-[^.]*$/.test(name))
    expect(backups.length).toBeGreaterThan(0)
    for (const name of backups) {
      const { checks } = await verifyBackup(join(folder, name), { masterKey })
      expect(checks.filter(({ result }) => result !== 'good')).toEqual([])
    }
  },
  limitMs,
)

function isPending(file: string): boolean {
  const client = new Database(file)
  const pending = findPendingMigrations(client)
  client.close()
  return pending.length > 0
}

/** As an early version left it. */
function makeOldFolder(tokens: number): string {
  const folder = makeFolder()
  const migrations = join(makeFolder(), 'migrations')
  mkdirSync(migrations)
  for (const name of readdirSync('migrations').filter((name) => name.slice(0, 4) < '0003')) {
    cpSync(join('migrations', name), join(migrations, name))
  }
  const key = randomBytes(32)
  const sealer = createSealer(key)
  writeFileSync(join(folder, 'master.key'), key.toString('base64'), { mode: 0o600 })
  const client = openDatabase(join(folder, 'gatehouse.db'))
  migrate(client, migrations)
  client.prepare('INSERT INTO master_key_check VALUES (1, ?)').run(sealer.seal('gatehouse'))
  const at = Date.now()
  const insert = client.prepare(
    `INSERT INTO tokens (fingerprint, jti, subject, audience, origin, issued_at, expires_at, sealed_text)
     VALUES (?, ?, 'ann', '[]', 'issued', ?, ?, ?)`,
  )
  const sealed = sealer.seal('a token')
  client.transaction(() => {
    for (let number = 0; number < tokens; number += 1) {
      insert.run(Buffer.from(`f${number}`), `j${number}`, at, at + 86_400_000, sealed)
    }
  })()
  client.close()
  return folder
}
