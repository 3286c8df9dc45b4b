/** What a request leaves in the log: who and what, never a secret. Seen before anything is masked. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { startService } from '../../../service.ts'

test('every request is one line with its id, and with who asked once that is known', async () => {
  await using service = await startService()
  const admin = await service.adminToken()
  await service.makeUser('plain', 'pw')
  const plain = await service.login('plain', 'pw')
  const asked = async (method: string, path: string, options: Parameters<typeof service.request>[2] = {}) => {
    const before = service.log().length
    const answer = await service.request(method, path, options)
    await expect.poll(() => service.log().length).toBeGreaterThan(before)
    const lines = service.log().slice(before)
    expect(lines.filter(({ event }) => event.startsWith('http.'))).toHaveLength(1)
    const line = lines.find(({ event }) => event.startsWith('http.'))
    expect([line?.requestId, line?.method, line?.status]).toEqual([
      answer.headers.get('x-request-id'),
      method,
      answer.status,
    ])
    return line?.subject
  }
  expect(await asked('GET', '/v1/users', { token: admin })).toBe('admin')
  expect(await asked('GET', '/v1/users', { token: plain })).toBe('plain')
  expect(await asked('GET', '/v1/clusters', { token: plain })).toBe('plain')
  expect(await asked('GET', '/v1/roles', { token: plain })).toBe('plain')
  expect(await asked('PUT', '/v1/roles/none', { token: admin, body: '{' })).toBe('admin')
  expect(await asked('POST', '/v1/users/plain', { body: { password: 'pw' } })).toBe('plain')
  expect(await asked('POST', '/v1/users/plain', { body: { password: 'no' } })).toBeUndefined()
  expect(await asked('GET', '/v1/users')).toBeUndefined()
  expect(await asked('GET', '/v1/users', { token: 'junk' })).toBeUndefined()
  expect(await asked('GET', '/healthz')).toBeUndefined()
  expect(await asked('GET', '/nothing')).toBeUndefined()
})

test('no token, password or secret is in any line, at whatever level', async () => {
  await using service = await startService({ clusters: ['one'] })
  const secret = () => randomBytes(12).toString('hex')
  const [first, second, wrong, shared, inUrl] = [secret(), secret(), secret(), secret(), secret()]
  const admin = await service.adminToken()
  await service.makeUser('keeper', first)
  const token = await service.login('keeper', first)
  const send = (method: string, path: string, body?: unknown, bearer: string | undefined = admin) =>
    service.request(method, path, { token: bearer, ...(body === undefined ? {} : { body }) })
  await send('POST', '/v1/users/keeper', { password: wrong })
  await send('POST', '/v1/users/keeper', `{"password":"${wrong}`)
  await send('POST', '/v1/users', { id: 5, pass: wrong })
  await send('PUT', '/v1/users/keeper', { pass: second }, token)
  await send('GET', `/v1/users?token=${token}&password=${second}`)
  await send('GET', '/v1/users', undefined, `${token}x`)
  await send('DELETE', '/v1/tokens', { token: `${token}x` })
  await send('DELETE', '/v1/tokens', { token })
  await send('POST', '/v1/clusters', { id: 'two', urls: [`http://user:${inUrl}@127.0.0.1:1`] })
  await send('POST', '/v1/clusters', { id: 'two', urls: [`http://127.0.0.1:1/?key=${inUrl}`] })
  await send('PUT', '/v1/daemon', { auth: { secret: shared }, log: { level: '5' } })
  await send('GET', '/v1/daemon', undefined, await service.login('keeper', second))

  const log = JSON.stringify(service.log())
  const signatures = [admin, token].map((text) => text.split('.')[2] ?? '')
  for (const hidden of [first, second, wrong, shared, inUrl, admin, token, ...signatures]) {
    expect(log).not.toContain(hidden)
  }
  expect(log).not.toContain('eyJ')
})
