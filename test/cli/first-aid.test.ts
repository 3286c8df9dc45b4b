import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createSealer } from '../../src/core/keys/sealer.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { deedAt } from '../actors.ts'
import { startService, type TestService } from '../service.ts'
import { clientOf, loggedIn, makeSecret } from './client.ts'

/** The data folder of a service, as the flags and variables of a local command name it. */
function localOf({ config }: TestService) {
  return { flags: ['--local', '--data-dir', config.dataDir], env: { GATEHOUSE_MASTER_KEY: config.masterKey ?? '' } }
}

/** As twenty failed logins do. */
async function lockOut({ config }: TestService, name: string) {
  const sealer = createSealer(Buffer.from(config.masterKey ?? '', 'base64'))
  const store = openSqliteStore({ file: config.databaseFile, sealer })
  const until = new Date(Date.now() + 600_000)
  await store.loginLocks.put({ target: { kind: 'user', name }, until, failures: 20 }, deedAt(new Date()))
  await store.close()
}

test('a lost password is reset on the data folder, beside the running service, and takes the tokens with it', async () => {
  await using service = await startService({ store: 'file', clusters: ['lake'] })
  const token = await service.adminToken()
  const client = clientOf(service)
  const { flags, env } = localOf(service)
  const password = makeSecret()
  const reset = ['user', 'reset-password', 'admin', ...flags, '--password-stdin']
  expect(await client(reset, { input: `${password}\n`, env })).toMatchObject({
    code: 0,
    out: 'admin has a new password. One token is revoked with it.\n',
  })
  await service.login('admin', password)
  expect((await service.request('GET', '/v1/users', { token })).status).toBe(401)
  await expect.poll(() => service.cluster('lake').knows(token), { timeout: 10_000 }).toBe(true)
})

test('one can be made up, and is all that --quiet prints', async () => {
  await using service = await startService({ store: 'file' })
  const { flags, env } = localOf(service)
  const { code, out } = await clientOf(service)(
    ['user', 'reset-password', 'admin', ...flags, '--generate', '--quiet'],
    {
      env,
    },
  )
  expect(code).toBe(0)
  await service.login('admin', out.trim())
})

test('an unknown user, and a folder without a database, are told in one line', async () => {
  await using service = await startService({ store: 'file' })
  const { flags, env } = localOf(service)
  const client = clientOf(service)
  const unknown = await client(['user', 'reset-password', 'nobody', ...flags, '--generate'], { env })
  expect([unknown.code, unknown.err]).toEqual([1, 'gatehouse: there is no user nobody in this data folder\n'])
  const empty = await client(['user', 'unlock', 'admin', '--local', '--data-dir', client.home], { env })
  expect(empty.code).toBe(4)
  expect(empty.err).toContain(`there is no database ${client.home}`)
  expect(readdirSync(client.home).filter((name) => name.startsWith('gatehouse'))).toEqual([])
})

test.each(['over the API', 'on the data folder'])('who is locked out is let in again, %s', async (way) => {
  await using service = await startService({ store: 'file' })
  const client = await loggedIn(service)
  const { flags, env } = localOf(service)
  await lockOut(service, 'eve')
  const more = way === 'over the API' ? [] : flags
  expect(await client(['user', 'unlock', 'eve', ...more], { env })).toMatchObject({
    code: 0,
    out: 'eve may log in again.\n',
  })
  const again = await client(['user', 'unlock', 'eve', ...more, '--json'], { env })
  expect(JSON.parse(again.out)).toEqual({ user: 'eve', ended: 0 })
})
