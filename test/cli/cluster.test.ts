import { beforeAll, expect, test } from 'vitest'
import { startService } from '../service.ts'
import { loggedIn } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

test('clusters are listed with what is wrong, and shown with what to do', async () => {
  await using service = await startService({ clusters: ['lake', 'pond'] })
  const client = await loggedIn(service)
  const tokens = await service.issueTokens(2)
  await service.cluster('pond').stop()
  for (const token of tokens) await service.revoke(token)
  const list = await client(['cluster', 'list'])
  expect(list).toMatchObject({ code: 0, err: '' })
  expect(list.out).toMatch(/^CLUSTER +STATE +BEHIND +FOR +ACKNOWLEDGED +RESTART SEEN +NEXT TRY +WHY$/m)
  expect(list.out).toMatch(/^pond +retrying +2 +.*nothing listens there$/m)
  expect(list.out).toMatch(/^lake +\S.* +0 +-/m)
  const show = await client(['cluster', 'show', 'pond'])
  expect(show.out).toMatch(/^Behind +2 revocations, for \d+s/m)
  expect(show.out).toMatch(/^What to do +Check that/m)
  expect((await client(['cluster', 'list', '--json'])).out).toMatch(/^\[\n/)
  expect((await client(['cluster', 'show', 'pond', '--quiet'])).out).toBe('retrying\n')
  expect(await client(['cluster', 'show', 'sea'])).toMatchObject({
    code: 1,
    err: 'gatehouse: No cluster is registered under the id or alias sea.\n',
  })
})

test('--watch --json is one line a change, until it is interrupted', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const client = await loggedIn(service)
  const [token = ''] = await service.issueTokens(1)
  const watching = client.start(['cluster', 'show', 'lake', '--watch', '--json'])
  const behind = () =>
    watching.text.out
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).behind)
  await expect.poll(behind, { timeout: 5000 }).toEqual([0])
  await service.cluster('lake').stop()
  await service.revoke(token)
  await expect.poll(() => behind().at(-1), { timeout: 5000 }).toBe(1)
  await service.cluster('lake').start()
  await expect.poll(() => behind().at(-1), { timeout: 5000 }).toBe(0)
  watching.interrupt()
  expect(await watching.ended).toMatchObject({ code: 0, err: '' })
})

test('a resync tells a cluster everything again', async () => {
  await using service = await startService({ clusters: ['lake'] })
  const client = await loggedIn(service)
  const [token = ''] = await service.issueTokens(1)
  await service.revoke(token)
  await service.cluster('lake').stop()
  await service.cluster('lake').start()
  const { code, out } = await client(['cluster', 'resync', 'lake'])
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('lake is being told every revocation again') })
  await expect.poll(() => service.cluster('lake').knows(token), { timeout: 5000 }).toBe(true)
})

test('keys are listed and rotated, and clusters that refuse the new one are named', async () => {
  await using service = await startService({ clusters: [{ alias: 'lake', trust: 'static_key' }] })
  const client = await loggedIn(service)
  expect((await client(['key', 'list'])).out).toMatch(/^\S{43} +RS256 +active/m)
  const { code, out } = await client(['key', 'rotate'])
  expect(code).toBe(9)
  expect(out).toMatch(/^The key \S{43} signs from now on\./)
  expect(out).toMatch(/^lake +/m)
  const states = JSON.parse((await client(['key', 'list', '--json'])).out).items.map(
    (key: { state: string }) => key.state,
  )
  expect(states).toEqual(['retiring', 'active'])
})
