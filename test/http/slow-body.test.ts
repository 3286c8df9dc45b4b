import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startService, type TestService } from '../service.ts'
import { parseAnswer, type RawAnswer } from './raw-request.ts'

/** Sends a request without its body, and then the body when told to; the server has begun to read it meanwhile. */
async function beginRequest(service: TestService, method: string, path: string, token: string, body: unknown) {
  const text = JSON.stringify(body)
  const { hostname, port } = new URL(service.url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const head = {
    Host: 'service',
    Connection: 'close',
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    Expect: '100-continue',
  }
  const continued = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  socket.write(
    `${method} ${path} HTTP/1.1\r\n${Object.entries(head)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  await continued
  chunks.length = 0
  return async (): Promise<RawAnswer> => {
    socket.write(text)
    await closed
    return parseAnswer(Buffer.concat(chunks).toString('utf8'))
  }
}

test('a request that was begun before its sender lost the right to it changes nothing afterwards', async () => {
  await using service = await startService()
  const password = randomBytes(12).toString('base64url')
  const roles = [{ name: 'Admin' }]
  await service.makeUser('mallory', password, ['Admin'])
  const token = await service.login('mallory', password)
  const calls: [method: string, path: string, body: unknown, refused: number][] = [
    ['POST', '/v1/users', { id: 'backdoor', pass: password, roles }, 401],
    ['PUT', '/v1/users/admin', { pass: password }, 401],
    ['POST', '/v1/roles', { name: 'backdoor', desc: '', clusters: [], buckets: [], admin: false }, 401],
    ['POST', '/v1/clusters', { id: 'backdoor', alias: '', urls: [] }, 401],
    ['PUT', '/v1/daemon', { log: { level: '5' } }, 401],
    ['POST', '/api/v1/locks', { user: 'admin', forSeconds: 60 }, 401],
  ]
  const finish = await Promise.all(
    calls.map(([method, path, body]) => beginRequest(service, method, path, token, body)),
  )
  const admin = await service.adminToken()
  const deleted = await service.request('DELETE', '/v1/users/mallory', { token: admin })
  expect(deleted.status).toBe(200)
  for (const [at, [method, path, , refused]] of calls.entries()) {
    expect([method, path, (await finish[at]?.())?.status]).toEqual([method, path, refused])
  }
  expect((await service.request('GET', '/v1/users/backdoor', { token: admin })).status).toBe(404)
  await service.login(service.administrator.name, service.administrator.password)
})

test('a request whose sender keeps the right is done when its body is whole', async () => {
  await using service = await startService()
  const token = await service.adminToken()
  const finish = await beginRequest(service, 'POST', '/v1/users', token, { id: 'ann', pass: 'p', roles: [] })
  expect((await finish()).status).toBe(200)
})
