import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { clusterAdministratorRole } from '../../../src/core/roles/role.ts'
import { migrate } from '../../../src/store/sqlite/migrate.ts'
import { openDatabase } from '../../../src/store/sqlite/open.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { deedAt, op } from '../../actors.ts'
import { aCluster, after, aRevocation, aToken, start } from '../conformance/samples.ts'

// A database as an earlier version left it, opened by this one.

const sealer = createSealer(randomBytes(32))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-upgrade-'))
  file = path.join(folder, 'gatehouse.db')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Only the migrations up to and with this one. */
function migrationsUpTo(number: string): string {
  const some = path.join(folder, `up-to-${number}`)
  mkdirSync(some)
  for (const name of readdirSync('migrations').filter((name) => name.slice(0, 4) <= number)) {
    cpSync(path.join('migrations', name), path.join(some, name))
  }
  return some
}

test('what was revoked before there were acts stays revoked, and each is an act of its own', async () => {
  const old = openDatabase(file)
  migrate(old, migrationsUpTo('0001'))
  const at = start.getTime()
  const insertToken = old.prepare(
    `INSERT INTO tokens (key, fingerprint, jti, subject, user_key, audience, origin, issued_at, expires_at, revoked_at, sealed_text)
     VALUES (?, ?, ?, 'ann', 1, '["c1"]', 'issued', ?, ?, ?, ?)`,
  )
  old.exec(`INSERT INTO users VALUES (1, 'ann', 'hash', 0, NULL, ${at}, ${at}, ${at})`)
  old.exec('INSERT INTO user_roles VALUES (1, 0, 1), (1, 1, 1)')
  old.exec(`INSERT INTO clusters VALUES ('c1', 'aistore', NULL, '[]', '{}', NULL, ${at}, ${at})`)
  old.exec(
    `INSERT INTO cluster_cursors (cluster_id, acknowledged, resync_until, attempts, next_attempt_at) VALUES ('c1', 7, 0, 0, ${at})`,
  )
  for (const [key, text] of ['revoked', 'live'].entries()) {
    const { fingerprint, jti, sealedText, expiresAt } = aToken(text, sealer)
    insertToken.run(key + 1, fingerprint, jti, at, expiresAt.getTime(), text === 'revoked' ? at : null, sealedText)
  }
  old.exec(`INSERT INTO changes VALUES (7, 'token_revoked', 1, ${after(60_000).getTime()}, ${at}, 'op', 'logout')`)
  old.exec(`INSERT INTO changes VALUES (9, 'token_revoked', 2, ${at}, ${at}, 'op', 'gone')`)
  old.exec('DELETE FROM changes WHERE sequence = 9')
  old.close()

  const store = openSqliteStore({ file, sealer })
  const revoked = aToken('revoked', sealer)
  expect(await store.tokens.isRevoked(revoked.fingerprint)).toBe(true)
  expect(await store.tokens.isRevoked(aToken('live', sealer).fingerprint)).toBe(false)
  const status = await store.revocationActs.token({ fingerprint: revoked.fingerprint })
  expect(status?.revocation).toMatchObject({
    sequence: 7,
    act: { selector: { by: 'text' }, actor: 'op', reason: 'logout', tokens: 1, lastSequence: 7, at: start },
    holdings: [{ clusterId: 'c1', isHeld: true, since: start }],
  })
  expect(await store.cursors.list(start)).toMatchObject([{ clusterId: 'c1', canary: null, isCanaryWanted: false }])
  expect(await store.probes.nextDueAt()).toEqual(start)
  expect(await store.userSearch.find({ role: 'Admin' }, { limit: 9 })).toMatchObject({
    users: [{ name: 'ann', roleNames: ['Admin'] }],
  })
  const deed = { by: op, reason: 'test', at: start }
  expect(await store.revocations.revokeSelected({ by: 'role', name: 'Admin' }, deed)).toMatchObject({
    tokens: 1,
    lastSequence: 10,
  })
  await store.close()
})

test('a log that was emptied before an upgrade does not begin anew', async () => {
  const old = openDatabase(file)
  migrate(old, migrationsUpTo('0001'))
  const { fingerprint, sealedText } = aToken('old', sealer)
  old
    .prepare(
      `INSERT INTO tokens (key, fingerprint, subject, audience, origin, issued_at, expires_at, sealed_text)
       VALUES (1, ?, 'ann', '[]', 'issued', 1, 2, ?)`,
    )
    .run(fingerprint, sealedText)
  old.exec("INSERT INTO changes VALUES (41, 'token_revoked', 1, 2, 1, 'op', 'logout'); DELETE FROM changes")
  old.close()

  const store = openSqliteStore({ file, sealer })
  await store.clusters.insert(aCluster('c1'), await store.revocations.lastSequence(), [], deedAt(start))
  expect(await store.revocations.record(aRevocation(aToken('new', sealer)))).toMatchObject({ sequence: 42 })
  expect(await store.cursors.list(start)).toMatchObject([{ acknowledged: 41, behind: 1 }])
  await store.close()
})

test('clusters that were there before there were built-in roles have their administrators\u2019 role', async () => {
  const old = openDatabase(file)
  migrate(old, migrationsUpTo('0006'))
  const at = start.getTime()
  old.exec(
    `INSERT INTO users (key, name, password_hash, is_built_in, tokens_not_before, created_at, updated_at)
     VALUES (1, 'ann', 'hash', 0, ${at}, ${at}, ${at})`,
  )
  old.exec('INSERT INTO user_roles VALUES (1, 0, 1)')
  old.exec(`INSERT INTO clusters VALUES ('c1', 'aistore', 'one', '[]', '{}', NULL, ${at}, ${at})`)
  old.close()

  const store = openSqliteStore({ file, sealer })
  expect((await store.tokens.standing({ ...aToken('t', sealer), now: start })).user?.authorities).toEqual([
    { role: 'administrator', clusterId: null },
  ])
  const made = await store.roles.get('gatehouse:cluster-administrator:c1')
  await store.clusters.insert(aCluster('c2'), 0, [], deedAt(start))
  const { name, description, authority, ...kind } = clusterAdministratorRole({ id: 'c1' })
  expect(made).toMatchObject({ name, description, authority, ...kind, isBuiltIn: true, isAdministrator: false })
  const another = await store.roles.get('gatehouse:cluster-administrator:c2')
  expect(another).toMatchObject({ isBuiltIn: true, authority: { role: 'cluster_administrator', clusterId: 'c2' } })
  await store.clusters.delete('c1', deedAt(start))
  expect(await store.roles.get(name)).toBeUndefined()
  await store.close()
})
