import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, test } from 'vitest'
import type { AuditRowBody } from '../../src/http/routes/shapes/audit.ts'
import { startService, type TestService } from '../service.ts'
import { type Client, clientOf, loggedIn } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

async function start(): Promise<{ service: TestService; client: Client }> {
  const service = await startService({ store: 'file' })
  await service.makeRole({ name: 'reader', clusters: [{ id: 'lake', perm: '2' }] })
  await service.makeUser('ann', 'pw', ['reader'])
  return { service, client: await loggedIn(service) }
}

/** The chain as docs/guides/audit.md describes it, computed from what was exported alone. */
function hashesOf(rows: readonly AuditRowBody[]): string[] {
  const text = (value: unknown) => (value === null ? null : JSON.stringify(value))
  const ms = (instant: string | null) => (instant === null ? null : Date.parse(instant))
  let previous = '0'.repeat(64)
  return rows.map((row) => {
    const { id, action, outcome, actor, via, address, requestId, target, reason, repeats } = row
    const who = [id, ms(row.at), action, outcome, actor, via, address, requestId]
    const what = [target?.kind ?? null, target?.name ?? null, text(row.before), text(row.after), text(row.details)]
    const array = JSON.stringify([...who, ...what, reason, repeats, ms(row.since)])
    previous = createHash('sha256')
      .update(previous + array)
      .digest('hex')
    return previous
  })
}

const lines = (text: string) => text.trimEnd().split('\n')

test('list tells who did what to whom, from where, and by conditions', async () => {
  const { service, client } = await start()
  await using _ = service
  await service.request('POST', '/v1/users/ann', { body: { password: 'wrong' } })
  const { code, out } = await client(['audit', 'list', '--target', 'user:ann'])
  expect(code).toBe(0)
  expect(out).toMatch(/^ID +WHEN +WHO +DID +TO +FROM +NOTE$/m)
  expect(out).toMatch(/^\d+ +\S+Z +ann +login\.refused +user ann +127\.0\.0\.1 +refused: wrong_password$/m)
  expect(out).toMatch(/^\d+ +\S+Z +admin +user\.created +user ann +127\.0\.0\.1 +-$/m)
  const refused = await client(['audit', 'list', '--refused', '--from', '1h', '--json'])
  expect(JSON.parse(refused.out)).toMatchObject([{ action: 'login.refused', outcome: 'refused' }])
  expect(lines((await client(['audit', 'list', '--limit', '2', '--quiet'])).out)).toHaveLength(2)
  expect((await client(['audit', 'list', '--until', '2020-01-01'])).out).toBe(
    'Nothing of that kind is in the audit trail.\n',
  )
  expect(await client(['audit', 'list', '--from', 'yesterday'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--from must be an instant'),
  })
  expect(await client(['audit', 'list', '--action', 'user.eaten'])).toMatchObject({ code: 1 })
})

test('show tells what was before and what is after, line by line', async () => {
  const { service, client } = await start()
  await using _ = service
  const body = { desc: 'reads the lake', clusters: [{ id: 'lake', perm: '6' }] }
  await service.request('PUT', '/v1/roles/reader', { token: await service.adminToken(), body })
  const [id = ''] = lines((await client(['audit', 'list', '--action', 'role.changed', '--quiet'])).out)
  const { out } = await client(['audit', 'show', id])
  expect(out).toMatch(/^Did +role\.changed$/m)
  expect(out).toMatch(/^To +role reader$/m)
  expect(out).toMatch(/^- grants: .*"permissions":"2"/m)
  expect(out).toMatch(/^\+ grants: .*"permissions":"6"/m)
  expect(out).toMatch(/^\+ description: reads the lake$/m)
  expect(await client(['audit', 'show', 'last'])).toMatchObject({ code: 2 })
  expect(await client(['audit', 'show', '9999'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('no row 9999'),
  })
})

test('tail shows the last rows, then each as it is written; as JSON lines for programs', async () => {
  const { service, client } = await start()
  await using _ = service
  const tail = client.start(['audit', 'tail', '--target', 'role:new', '--json'])
  const words = client.start(['audit', 'tail'])
  await expect
    .poll(() => words.text.out, { timeout: 10_000 })
    .toMatch(/ {2}user\.created {2}user ann {2}127\.0\.0\.1\n/)
  await service.makeRole({ name: 'other' })
  await service.makeRole({ name: 'new' })
  await expect.poll(() => lines(tail.text.out).length, { timeout: 10_000 }).toBe(1)
  await expect.poll(() => tail.text.out, { timeout: 10_000 }).toContain('role.created')
  await expect.poll(() => words.text.out, { timeout: 10_000 }).toMatch(/role other .*\n.*role new /)
  tail.interrupt()
  words.interrupt()
  expect(JSON.parse((await tail.ended).out)).toMatchObject({ action: 'role.created', target: { name: 'new' } })
  expect((await words.ended).code).toBe(0)
})

test('what others have written into a role controls nobody\u2019s terminal, and looks like nothing else', async () => {
  const { service, client } = await start()
  await using _ = service
  const desc = 'x\u001b[2J\u009b8m\u202ey\n+ isAdministrator: true'
  await service.request('PUT', '/v1/roles/reader', { token: await service.adminToken(), body: { desc } })
  const [id = ''] = lines((await client(['audit', 'list', '--action', 'role.changed', '--quiet'])).out)
  const { out } = await client(['audit', 'show', id])
  expect(out).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  expect(out).toMatch(/^\+ description: "x\\u001b\[2J\ufffd8m\ufffdy\\n\+ isAdministrator: true"$/m)
  const asJson = JSON.parse((await client(['audit', 'show', id, '--json'])).out)
  expect(asJson.after.description).toBe(desc)
})

test('export writes every row as a line of JSON, to standard output or to a new file of one\u2019s own', async () => {
  const { service, client } = await start()
  await using _ = service
  const { out } = await client(['audit', 'export'])
  const rows = lines(out).map((line) => JSON.parse(line) as AuditRowBody)
  expect(rows.map(({ hash }) => hash)).toEqual(hashesOf(rows))
  expect(rows.map(({ id }) => id)).toEqual(rows.map((_row, index) => index + 1))
  const saved = await client(['audit', 'export', '--output', 'audit.jsonl', '--action', 'user.created'])
  expect(saved).toMatchObject({ code: 0, out: '2 rows are in audit.jsonl.\n' })
  const file = join(client.home, 'audit.jsonl')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(lines(readFileSync(file, 'utf8'))).toHaveLength(2)
  const again = await client(['audit', 'export', '--output', 'audit.jsonl'])
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('it exists already') })
})

describe('verify', () => {
  test('says that the trail is whole, and with a head that was kept, that it is still the same one', async () => {
    const { service, client } = await start()
    await using _ = service
    const { code, out } = await client(['audit', 'verify'])
    expect(code).toBe(0)
    expect(out).toMatch(/^The audit trail is whole: rows 1 to \d+ are what was written\.\nHead: \d+:[0-9a-f]{64}\n/)
    const [head = ''] = lines((await client(['audit', 'verify', '--quiet'])).out)
    await service.makeRole({ name: 'later' })
    const compared = await client(['audit', 'verify', '--head', head])
    expect(compared).toMatchObject({ code: 0, out: expect.stringContaining('has the hash that you have kept') })
    const other = await client([
      'audit',
      'verify',
      '--head',
      head.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
    ])
    expect(other).toMatchObject({
      code: 12,
      out: expect.stringContaining('has another hash than the one that you have'),
    })
    const cut = await client(['audit', 'verify', '--head', `999:${head.split(':')[1]}`])
    expect(cut).toMatchObject({ code: 12, out: expect.stringContaining('are missing') })
    expect(await client(['audit', 'verify', '--head', 'abc'])).toMatchObject({ code: 2 })
  })

  test('finds what was changed in the database, through the server and in the file itself', async () => {
    const { service, client } = await start()
    await using _ = service
    const local = ['audit', 'verify', '--local', '--data-dir', service.config.dataDir]
    const stranger = clientOf({ url: 'http://127.0.0.1:1' })
    expect(await stranger(local)).toMatchObject({ code: 0, out: expect.stringMatching(/^The audit trail is whole: /) })
    const database = new Database(service.config.databaseFile)
    database.exec("UPDATE audit SET actor = 'nobody' WHERE id = 2")
    database.close()
    const broken = /^The audit trail is BROKEN: row 2 or the one before it is not what was written\. Rows 1 to 1 follow/
    expect(await client(['audit', 'verify'])).toMatchObject({ code: 12, out: expect.stringMatching(broken) })
    expect(await stranger(local)).toMatchObject({ code: 12, out: expect.stringMatching(broken) })
    const { out } = await client(['audit', 'verify', '--json'])
    expect(JSON.parse(out)).toMatchObject({ isWhole: false, fault: { id: 2, what: 'altered' } })
  })

  test('--local says where there is no database', async () => {
    const { code, err } = await clientOf({ url: '' })(['audit', 'verify', '--local', '--data-dir', 'nowhere'])
    expect(code).toBe(4)
    expect(err).toMatch(/there is no database .*nowhere.*--data-dir/)
  })
})
