/** The process of the service ends while it writes the audit trail. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, expect, test } from 'vitest'
import { openAuditFile } from '../../src/store/sqlite/audit-file.ts'
import { buildProgram } from '../cli/program.ts'
import { install } from './program.ts'
import { sized } from './size.ts'

beforeAll(buildProgram)

function findActs(file: string) {
  const client = new Database(file, { readonly: true })
  const acts = client.prepare<[], number>('SELECT key FROM revocations ORDER BY key').pluck().all()
  const told = client
    .prepare<[], number>("SELECT details ->> 'revocation' FROM audit WHERE action = 'token.revoked' ORDER BY id")
    .pluck()
    .all()
  client.close()
  return { acts, told }
}

test('kill -9 in the midst of revocations leaves a row for each act, no row without one, and a whole chain', async () => {
  const installation = await install()
  const file = join(installation.folder, 'gatehouse.db')
  for (let round = 0; round < sized(2, 20); round += 1) {
    const running = await installation.start()
    const answered = running.revokeAll(installation.tokens(400))
    const enough = installation.scene.tokens().length + 60 + 23 * round
    while (installation.scene.tokens().length < enough) await new Promise((resolve) => setImmediate(resolve))
    running.signal('SIGKILL')
    await answered
    await running.ended
    const { acts, told } = findActs(file)
    expect(told).toEqual(acts)
    expect(told.length).toBeGreaterThanOrEqual(installation.scene.tokens().length)
    const trail = openAuditFile(file)
    expect(trail.verify({})).toMatchObject({ isAtEnd: true, fault: null })
    trail.close()
  }
})
