import { expect, test } from 'vitest'
import { SettingsBody } from '../../../src/http/routes/shapes/settings.ts'
import { startService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

test('settings are shown with where they come from, changed together, and secrets stay hidden', async () => {
  await using service = await startService()
  const api = apiOf(service)
  const read = async () => {
    const { items } = SettingsBody.parse((await api('GET', '/settings')).body)
    return Object.fromEntries(items.map(({ name, ...rest }) => [name, rest]))
  }
  expect(await read()).toMatchObject({
    'auth.secret': { value: null, isSecret: true, isChangeable: true, changedAt: null },
    'auth.expiration_time': { value: '24h0m', isSecret: false },
    'log.level': { value: 3 },
  })
  const secret = 'a secret that clusters have too'
  const body = { 'auth.secret': secret, 'auth.expiration_time': '12h', 'log.level': 5 }
  const changed = await api('PATCH', '/settings', { body })
  expect(changed.status).toBe(200)
  expect(JSON.stringify(changed.body)).not.toContain(secret)
  expect(
    (
      await service.request('GET', '/api/v1/keys', {
        token: await service.login('admin', service.administrator.password),
      })
    ).text,
  ).toContain('HS256')
})

test('a setting is refused with its name, and nothing is changed', async () => {
  await using service = await startService()
  const api = apiOf(service)
  const before = (await api('GET', '/settings')).body
  for (const [body, field] of [
    [{ 'auth.expiration_time': 'soon', 'log.level': 1 }, 'auth.expiration_time'],
    [{ 'auth.expiration_time': '10s', 'log.level': 1 }, 'auth.expiration_time'],
    [{ 'auth.expiration_time': '99999h', 'log.level': 1 }, 'auth.expiration_time'],
    [{ 'log.level': 9 }, 'log.level'],
    [{ 'log.colour': 'red' }, 'log.colour'],
    [{ 'auth.secret': '********' }, 'auth.secret'],
  ] as const) {
    const answer = await api('PATCH', '/settings', { body })
    expect(answer.status).toBe(422)
    expect(problemIn(answer).fields?.map((each) => each.field)).toEqual([field])
  }
  expect((await api('GET', '/settings')).body).toEqual(before)
})

test('what a flag decides is said to be fixed', async () => {
  const fixed = { value: 2, source: 'flag' } as const
  await using service = await startService({ config: { logLevel: fixed } })
  const api = apiOf(service)
  const { items } = SettingsBody.parse((await api('GET', '/settings')).body)
  expect(items.at(-1)).toMatchObject({ name: 'log.level', value: 2, source: 'flag', isChangeable: false })
  const answer = await api('PATCH', '/settings', { body: { 'log.level': 4 } })
  expect(problemIn(answer)).toMatchObject({ status: 409, code: 'setting_fixed', fields: [{ field: 'log.level' }] })
})
