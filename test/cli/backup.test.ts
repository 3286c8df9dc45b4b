import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildProgram, makeFolder, run, startProgram } from './program.ts'

beforeAll(buildProgram)

const password = randomBytes(12).toString('hex')

/** A service that runs on a folder of its own. */
async function startOn(dataDir: string) {
  return startProgram('gatehouse', ['serve', '--data-dir', dataDir], { env: { AIS_AUTHN_SU_PASS: password } })
}

const gatehouse = (...args: string[]) => run('gatehouse', args)

test('a backup beside a service, verified, restored elsewhere, where the same password logs in', async () => {
  const dataDir = makeFolder()
  const service = await startOn(dataDir)
  const backups = makeFolder()
  const made = await gatehouse('backup', backups, '--data-dir', dataDir, '--verify', '--quiet')
  const path = made.out.trimEnd()
  expect([made.code, made.err]).toEqual([0, ''])
  expect(readdirSync(backups).map((name) => join(backups, name))).toEqual([path])
  expect(path).toMatch(/\/gatehouse-\d{8}T\d{6}Z$/)
  expect(await service.stop()).toMatchObject({ code: 0 })

  const verified = await gatehouse('backup', 'verify', path, '--data-dir', dataDir, '--json')
  expect(verified.code).toBe(0)
  const { checks } = JSON.parse(verified.out) as { checks: { what: string; result: string }[] }
  expect(new Set(checks.map(({ result }) => result))).toEqual(new Set(['good']))

  const elsewhere = makeFolder()
  const masterKey = ['--master-key-file', join(dataDir, 'master.key')]
  const restored = await gatehouse('restore', path, '--data-dir', elsewhere, ...masterKey)
  expect(restored.code).toBe(0)
  expect(restored.out).toContain('gatehouse revoke before')
  const again = await startProgram('gatehouse', ['serve', '--data-dir', elsewhere, ...masterKey])
  const login = await fetch(`${again.url}/v1/users/admin`, { method: 'POST', body: JSON.stringify({ password }) })
  expect(login.status).toBe(200)
  const { out } = await again.stop()
  expect(out).toContain('"event":"store.restored"')
})

test('a restore is refused while a service runs, is forced over what is there when none does, and says where that is', async () => {
  const dataDir = makeFolder()
  const service = await startOn(dataDir)
  const path = join(makeFolder(), 'backup')
  await gatehouse('backup', path, '--data-dir', dataDir)
  const refused = await gatehouse('restore', path, '--data-dir', dataDir, '--force')
  expect(refused.code).toBe(13)
  expect(refused.err).toBe(`gatehouse: a service, or a backup, is using ${dataDir}: stop it first\n`)
  service.signal('SIGKILL')
  await service.ended
  const unforced = await gatehouse('restore', path, '--data-dir', dataDir)
  expect([unforced.code, unforced.err]).toEqual([13, expect.stringContaining('--force')])
  const dry = await gatehouse('restore', path, '--data-dir', dataDir, '--force', '--dry-run')
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('It can be restored.')])
  const forced = await gatehouse('restore', path, '--data-dir', dataDir, '--force', '--json')
  const { keptAside, carriedRevocations } = JSON.parse(forced.out) as {
    keptAside: string[]
    carriedRevocations: number
  }
  expect([keptAside.length, carriedRevocations]).toEqual([1, 0])
})

test('with the master key in it a backup needs no other, and a warning says what that means', async () => {
  const dataDir = makeFolder()
  await (await startOn(dataDir)).stop()
  const path = join(makeFolder(), 'backup')
  const { code, err } = await gatehouse('backup', path, '--data-dir', dataDir, '--with-master-key')
  expect([code, err]).toEqual([0, expect.stringContaining('whoever has it has everything')])
  const elsewhere = join(makeFolder(), 'new')
  expect((await gatehouse('restore', path, '--data-dir', elsewhere)).code).toBe(0)
  expect(readdirSync(elsewhere)).toContain('master.key')
})

describe('what stands in the way is one line, with its own exit code', () => {
  test.each([
    [2, ['backup'], 'say where to'],
    [13, ['backup', '/tmp/x', '--data-dir', '/nowhere'], 'there is no database in /nowhere'],
    [13, ['backup', 'verify', '/nowhere'], '/nowhere is no backup: there is nothing'],
    [13, ['restore', '/nowhere', '--data-dir', '/nowhere/else'], '/nowhere is no backup'],
  ])('%i: %j', async (expected, args, line) => {
    const { code, err } = await run('gatehouse', args)
    expect([code, err]).toEqual([expected, expect.stringContaining(line)])
    expect(err).toMatch(/^gatehouse: [^\n]+\n$/)
  })

  test('13: a backup that is damaged', async () => {
    const dataDir = makeFolder()
    await (await startOn(dataDir)).stop()
    const path = join(makeFolder(), 'backup')
    await gatehouse('backup', path, '--data-dir', dataDir)
    writeFileSync(join(path, 'gatehouse.db'), 'nothing')
    const { code, out } = await gatehouse('backup', 'verify', path, '--data-dir', dataDir, '--quiet')
    expect([code, out]).toEqual([13, expect.stringContaining('files: gatehouse.db has 7 bytes')])
  })
})
