import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService } from '../service.ts'
import { clientOf, loggedIn, makeSecret } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

test('a role is made, shown, changed in part, and removed', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const client = await loggedIn(service)
  const made = await client(['role', 'create', 'reader', '--on', 'lake/s3://photos=ro', 'lake=LIST-BUCKETS'])
  expect(made).toMatchObject({ code: 0, err: '' })
  expect(made.out).toMatch(/^lake\/aws:\/\/photos +GET,HEAD-OBJECT,HEAD-BUCKET,LIST-OBJECTS +771$/m)
  expect((await client(['role', 'set', 'reader', '--description', 'Reads photos'])).out).toMatch(/^lake +LIST-BUCKETS/m)
  expect((await client(['role', 'list', '--cluster', 'lake'])).out).toMatch(
    /^reader +lake\/aws.* and 1 more +Reads photos$/m,
  )
  const { entries } = JSON.parse((await client(['role', 'set', 'reader', '--nothing', '--json'])).out)
  expect(entries).toEqual([])
  expect((await client(['role', 'show', 'reader'])).out).toMatch(/^Description +Reads photos\nAllows +nothing$/m)
  expect(await client(['role', 'create', 'bad', '--on', 'lake=GTE'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('did you mean GET'),
  })
  expect(await client(['role', 'set', 'reader'])).toMatchObject({ code: 2, err: expect.stringContaining('--on') })
  expect(await client(['role', 'create', 'bad', '--on', 'lake'])).toMatchObject({ code: 2 })
  expect((await client(['role', 'remove', 'reader'])).out).toContain('is removed')
  expect((await client(['role', 'show', 'reader'])).code).toBe(1)
  expect((await client(['role', 'permissions'])).out).toMatch(/^ADMIN +131072 +clusters +administer the cluster$/m)
})

test('a user is made with a made-up password, given and taken roles, disabled, enabled and removed', async () => {
  await using service = await startService()
  const client = await loggedIn(service)
  for (const role of ['reader', 'writer']) await client(['role', 'create', role])
  const made = await client(['user', 'create', 'ann', '--role', 'reader', '--generate', '--quiet'])
  expect(made).toMatchObject({ code: 0, err: '' })
  const token = await service.login('ann', made.out.trim())
  expect((await client(['user', 'grant', 'ann', 'writer'])).out).toBe(
    'ann has: reader, writer. Tokens learn of it at the next login.\n',
  )
  expect((await client(['user', 'list', '--role', 'writer', '--quiet'])).out).toBe('ann\n')
  expect((await client(['user', 'take', 'ann', 'reader', 'writer'])).out).toBe('ann has: no role.\n')
  const tokens = await client(['token', 'list', '--user', 'ann', '--state', 'revoked'])
  expect(tokens.out).toMatch(/^\S+ +ann +revoked +\d+s ago +in .* \(revocation \d+\)$/m)
  expect((await service.request('GET', '/api/v1/whoami', { token })).status).toBe(401)
  await client(['user', 'disable', 'ann'])
  expect((await client(['user', 'list', '--disabled'])).out).toMatch(/^ann +disabled/m)
  await client(['user', 'enable', 'ann'])
  expect((await client(['user', 'show', 'ann'])).out).toMatch(/^State +enabled$/m)
  expect((await client(['user', 'remove', 'ann'])).code).toBe(0)
  expect(await client(['user', 'show', 'ann'])).toMatchObject({ code: 1, err: 'gatehouse: There is no user ann.\n' })
})

test('whoever is logged in changes the own password by the present one', async () => {
  await using service = await startService()
  const [present, next] = [makeSecret(), makeSecret()]
  await service.makeUser('ann', present)
  const client = clientOf(service)
  await client(['login', 'ann', '--password-stdin'], { input: present })
  const file = join(client.home, 'present')
  const change = (text: string) => {
    writeFileSync(file, `${text}\n`)
    return client(['user', 'password', '--current-password-file', file, '--password-stdin'], { input: next })
  }
  expect(await change('wrong')).toMatchObject({ code: 1, err: expect.stringContaining('is not the password') })
  expect(await change(present)).toMatchObject({ code: 0, out: expect.stringContaining('ann has a new password') })
  expect((await client(['whoami', '--quiet'])).out).toBe('ann\n')
  await service.login('ann', next)
})

describe('clusters and settings', () => {
  test('a cluster is registered, changed and forgotten; one that refuses says why and what to do', async () => {
    await using service = await startService()
    const client = await loggedIn(service)
    const { uuid, urls } = await service.startCluster({ alias: 'lake' })
    const registered = await client(['cluster', 'register', uuid, ...urls, '--alias', 'lake'])
    expect(registered).toMatchObject({ code: 0, out: expect.stringContaining('The cluster lake is registered') })
    expect((await client(['cluster', 'list'])).out).toMatch(/lake +unknown .* not looked at yet/)
    expect((await client(['cluster', 'set', 'lake', '--no-alias', '--quiet'])).out).toBe(`${uuid}\n`)
    expect((await client(['cluster', 'remove', uuid])).code).toBe(0)
    const misnamed = await client(['cluster', 'register', 'lake', ...urls])
    expect(misnamed).toMatchObject({ code: 1, err: expect.stringContaining('under its own UUID (`ais show cluster`)') })
    expect((await client(['cluster', 'list'])).out).toBe('No cluster is registered.\n')
    const refused = await client(['cluster', 'register', 'nowhere', 'http://127.0.0.1:1'])
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/said: .*Check that/) })
    expect(await client(['cluster', 'set', 'lake'])).toMatchObject({ code: 2 })
  })

  test('settings are listed and changed, a secret from standard input', async () => {
    await using service = await startService()
    const client = await loggedIn(service)
    expect((await client(['setting', 'list'])).out).toMatch(/^log\.level +3 +\S+ +yes/m)
    expect((await client(['setting', 'set', 'log.level', '4'])).out).toMatch(/^log\.level +4 +runtime/m)
    const wrong = await client(['setting', 'set', 'auth.expiration_time', 'soon'])
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('must be a duration') })
    const secret = makeSecret()
    const set = await client(['setting', 'set', 'auth.secret', '--value-stdin'], { input: secret })
    expect(set.out).toMatch(/^auth\.secret +\*{8} +runtime/m)
    expect(set.out + set.err).not.toContain(secret)
  })
})
