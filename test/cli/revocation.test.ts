import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../service.ts'
import { type Client, loggedIn } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

async function start(): Promise<{ service: TestService; client: Client }> {
  const service = await startService({ clusters: ['lake', 'pond'] })
  return { service, client: await loggedIn(service) }
}

describe('is token X dead everywhere? if not, where not, and why?', () => {
  test('the commands alone answer it, before, during and after', async () => {
    const { service, client } = await start()
    await using _ = service
    const [token = ''] = await service.issueTokens(1)
    const alive = await client(['token', 'show', '-'], { input: token })
    expect(alive).toMatchObject({ code: 9, err: '' })
    expect(alive.out).toMatch(/^Not dead everywhere\. It is alive: nobody has revoked it\.\n/)
    const jti = /^Token +(\S+)$/m.exec(alive.out)?.[1] ?? ''

    await service.cluster('pond').stop()
    const revoked = await client(['revoke', 'token', jti, '--reason', 'laptop stolen'])
    expect(revoked.code).toBe(9)
    expect(revoked.out).toMatch(/^Revocation 1: 1 token is revoked, and kept so whatever happens\./)

    const half = await client(['token', 'show', jti])
    expect(half.code).toBe(9)
    expect(half.out).toContain('It is revoked, but 1 of 2 clusters may still take it.')
    expect(half.out).toMatch(/^lake +yes +/m)
    expect(half.out).toMatch(/^pond +no +.*nothing listens there/m)
    expect(half.out).toMatch(/^pond: Check that/m)
    expect(half.out).toMatch(/^Reason +laptop stolen$/m)

    const watching = client.start(['revocation', 'show', '1', '--watch'])
    await expect.poll(() => watching.text.out, { timeout: 5000 }).toMatch(/^pond +no/m)
    await service.cluster('pond').start()
    const seen = await watching.ended
    expect(seen.code).toBe(0)
    expect(seen.out).toMatch(/^Held by +2 of 2 clusters$/m)

    const dead = await client(['token', 'show', '-'], { input: token })
    expect(dead.code).toBe(0)
    expect(dead.out).toMatch(/^Dead everywhere\. It is revoked, and all 2 clusters refuse it\.\n/)
    expect(service.cluster('pond').knows(token)).toBe(true)
  })

  test('--json prints what the API answers, --quiet the state', async () => {
    const { service, client } = await start()
    await using _ = service
    const token = await service.login('admin', service.administrator.password)
    writeFileSync(join(client.home, 'token'), JSON.stringify({ token }))
    const { out } = await client(['token', 'show', '--file', 'token', '--json'])
    expect(JSON.parse(out)).toMatchObject({ state: 'live', subject: 'admin', isDeadEverywhere: false })
    expect((await client(['token', 'show', '--file', 'token', '--quiet'])).out).toBe('live\n')
  })
})

describe('revoke', () => {
  test.each([
    ['user', 'ann', 1],
    ['role', 'seer', 1],
    ['cluster', 'lake', 2],
    ['before', 'now', 0],
  ])('%s %s: the tokens meant are dead everywhere', async (choice, name, least) => {
    const { service, client } = await start()
    await using _ = service
    await service.makeRole({ name: 'seer', clusters: [{ id: service.cluster('lake').uuid, perm: '8192' }] })
    await service.makeUser('ann', 'ann', ['seer'])
    await service.login('ann', 'ann')
    const { code, out } = await client(['revoke', choice, name, '--json', '--reason', 'a leak'])
    expect(code).toBe(0)
    const made = JSON.parse(out)
    expect(made).toMatchObject({ by: choice === 'before' ? 'issued_before' : choice, reason: 'a leak' })
    expect(made.tokens).toBeGreaterThanOrEqual(least)
  })

  test('a key: also the token that asks for it', async () => {
    const { service, client } = await start()
    await using _ = service
    const kid = (await client(['key', 'list', '--quiet'])).out.trim()
    const { code, out } = await client(['revoke', 'key', kid])
    expect(code).toBe(0)
    expect(out).toMatch(/^Revocation 1: \d+ tokens? (is|are) dead here and on all 2 clusters\.\n$/)
    expect((await client(['whoami'])).code).toBe(7)
  })

  test.each([
    [['revoke', 'user', 'nobody'], 1, 'There is no user nobody.'],
    [['revoke', 'key', `-${'k'.repeat(42)}`, '--reason', 'x'], 1, 'There is no signing key -kkk'],
    [['revoke', 'before', 'yesterday'], 2, 'must be an instant'],
    [['revoke', 'token'], 2, 'name one token'],
    [['revocation', 'show', 'last'], 2, 'named by its number'],
    [['revocation', 'show', '99'], 1, 'There is no revocation 99'],
    [['token', 'show', 'unknown'], 1, 'is known'],
  ])('%j is refused in one line', async (args, exitCode, said) => {
    await using service = await startService()
    const client = await loggedIn(service)
    const { code, out, err } = await client(args)
    expect({ code, out }).toEqual({ code: exitCode, out: '' })
    expect(err).toMatch(/^gatehouse: [^\n]+\n$/)
    expect(err).toContain(said)
  })
})

test('revocations are listed newest first, single tokens only when asked for', async () => {
  const { service, client } = await start()
  await using _ = service
  await service.makeUser('ann', 'ann')
  await client(['revoke', 'user', 'ann', '--reason', 'has left'])
  await service.revoke(await service.login('ann', 'ann'))
  const { out } = await client(['revocation', 'list'])
  expect(out).toMatch(/^ID +WHEN +WHAT +TOKENS +BY +REASON\n1 +\S+ ago +user ann +0 +admin +has left\n$/)
  expect((await client(['revocation', 'list', '--all', '--quiet'])).out).toBe('2\n1\n')
})

test('a lock keeps a user out until it ends or is lifted', async () => {
  const { service, client } = await start()
  await using _ = service
  await service.makeUser('ann', 'ann')
  await service.login('ann', 'ann')
  const made = await client(['lock', 'user', 'ann', '--for', '2h', '--reason', 'looking into it'])
  expect(made.code).toBe(0)
  expect(made.out).toMatch(/^Lock 1: nobody gets a token as ann for 2h \(until [^\n]*\n1 token was revoked/)
  expect((await client(['lock', 'list'])).out).toMatch(/^1 +user ann +in 1h 59m.* +admin +.*looking into it$/m)
  const refused = await client(['login', 'ann', '--password-stdin'], { input: 'ann' })
  expect(refused).toMatchObject({ code: 7, err: expect.stringContaining('locked ann until') })
  expect((await client(['unlock', 'ann'])).out).toBe('Lock 1 of user ann has ended.\n')
  expect((await client(['lock', 'list'])).out).toBe('Nothing is locked.\n')
  expect((await client(['lock', 'list', '--all'])).out).toMatch(/lifted \S+ ago by admin/)
  expect((await client(['unlock', 'ann'])).code).toBe(2)
  expect((await client(['lock', 'role', 'x'])).err).toContain('say when the lock ends')
})
