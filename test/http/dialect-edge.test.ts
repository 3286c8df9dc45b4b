/** What reaches AIStore's part of the port that no proper client would send (contract 1.1). */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../service.ts'
import { parseAnswer, requestRaw, sendRaw } from './raw-request.ts'

let service: TestService
let admin: string

beforeAll(async () => {
  service = await startService()
  admin = await service.adminToken()
})
afterAll(() => service[Symbol.asyncDispose]())

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

/** The log lines that come while `act` runs and until there are `count` of them. */
async function linesOf(count: number, act: () => Promise<unknown>) {
  const before = service.log().length
  await act()
  await expect.poll(() => service.log().length - before).toBeGreaterThanOrEqual(count)
  return service.log().slice(before)
}

describe('paths', () => {
  test.each([
    ['//v1/users', '/v1/users'],
    ['/v1//users?x=1&y=<b>', '/v1/users?x=1&y=<b>'],
    ['/v1/./users/', '/v1/users/'],
    ['/v1/x/../users', '/v1/users'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['//other.example/x', '/other.example/x'],
    ['/nothing//here', '/nothing/here'],
    ['http://service//v1/clusters', '/v1/clusters'],
  ])('%s is sent on to %s, whatever the method', async (target, location) => {
    const got = await requestRaw(service.url, 'GET', target)
    const href = location.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
    expect([got.status, got.headers.location, got.body]).toEqual([
      307,
      location,
      `<a href="${href}">Temporary Redirect</a>.\n\n`,
    ])
    const posted = await requestRaw(service.url, 'POST', target)
    expect([posted.status, posted.headers.location, posted.body]).toEqual([307, location, ''])
  })

  test.each([
    '/',
    '/v1',
    '/v2/users',
    '/v1/Users',
    '/v1%2Fusers',
    '/v1/%2e%2e/users',
    '/v1/users%2Fadmin',
    '/.well-known',
  ])('%s is nowhere', async (target) => {
    const answer = await requestRaw(service.url, 'GET', target)
    expect([answer.status, answer.body]).toEqual([404, '404 page not found\n'])
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  test.each(['/v1/users/%', '/v1/users/%zz', '/%f'])('%s has a bad escape', async (target) => {
    const answer = await requestRaw(service.url, 'GET', target)
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8'])
  })

  test.each([
    ['/v1/users/%00', '/v1/users/\u0000'],
    ['/v1/users/%C3%A4', '/v1/users/ä'],
    ['/v1/users/%ff', '/v1/users/\ufffd'],
    ['/%76%31/users/x%20y', '/v1/users/x y'],
    ['/v1/users/a"<b>', '/v1/users/a"<b>'],
    ['http://service/v1/users/abs', '/v1/users/abs'],
  ])('%s is a name like any other', async (target, path) => {
    const answer = await requestRaw(service.url, 'GET', target, { headers: bearer(admin) })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body)).toMatchObject({ url_path: path, status: 404 })
  })

  test('an escaped slash makes a second name', async () => {
    expect((await requestRaw(service.url, 'GET', '/v1/users/a%2Fb', { headers: bearer(admin) })).status).toBe(400)
  })

  test.each(['*', 'v1/users', '/v1/users/a b', '/v1/\u0001', '/v1/a\\b', 'ftp://service/v1/users'])(
    'the target %j is refused, and the service goes on',
    async (target) => {
      expect((await requestRaw(service.url, 'GET', target)).status).toBe(400)
      expect((await service.request('GET', '/healthz')).status).toBe(200)
    },
  )
})

describe('methods', () => {
  test.each([
    ['/v1/users', 'DELETE, GET, POST, PUT'],
    ['/v1/roles/', 'DELETE, GET, POST, PUT'],
    ['/v1/clusters/x', 'DELETE, GET, POST, PUT'],
    ['/v1/tokens', 'DELETE'],
    ['/v1/daemon', 'PUT, GET'],
    ['/v1/public-key', 'GET'],
    ['/v1/rotate-key', 'POST'],
    ['/.well-known/jwks.json', 'GET'],
    ['/.well-known/openid-configuration', 'GET'],
  ])('%s says what it takes', async (path, allow) => {
    for (const method of ['HEAD', 'TRACE', 'PATCH', 'PROPFIND']) {
      const answer = await requestRaw(service.url, method, path)
      expect([answer.status, answer.headers.allow]).toEqual([405, allow])
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect(answer.body).toBe(method === 'HEAD' ? '' : 'Method Not Allowed\n')
    }
    const options = await requestRaw(service.url, 'OPTIONS', path)
    expect([options.status, options.headers.allow, options.body]).toEqual([200, allow, ''])
  })

  test('a method in lower case is none', async () => {
    expect((await requestRaw(service.url, 'get', '/v1/users')).status).toBe(400)
  })
})

describe('bodies', () => {
  test('an answer without a body says so, instead of sending none in chunks', async () => {
    const answer = await requestRaw(service.url, 'PUT', '/v1/users/admin', { headers: bearer(admin), body: '{}' })
    expect([answer.status, answer.headers['content-length'], answer.headers['content-type'], answer.body]).toEqual([
      200,
      '0',
      undefined,
      '',
    ])
  })

  test('one that is too large is told so, also to a client that closes after it', async () => {
    const body = JSON.stringify({ password: 'x'.repeat(3_000_000) })
    const answer = await requestRaw(service.url, 'POST', '/v1/users/admin', { body })
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([413, { status: 413 }])
    const role = JSON.stringify({ name: 'r', desc: 'x'.repeat(4_200_000) })
    expect((await requestRaw(service.url, 'POST', '/v1/roles', { headers: bearer(admin), body: role })).status).toBe(
      413,
    )
  })

  test('one that is announced beyond all measure is refused before it comes', async () => {
    const head = 'POST /v1/users/admin HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 900000000\r\n\r\n{'
    expect(parseAnswer(await sendRaw(service.url, head)).status).toBe(413)
  })

  test('chunks without end are cut off', async () => {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (data: Buffer) => {
      text += data.toString()
    })
    socket.on('error', () => {})
    const chunk = Buffer.from(`100000\r\n${'a'.repeat(0x100000)}\r\n`)
    socket.write('POST /v1/users/admin HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let sent = 0; sent < 24 && !socket.destroyed; sent += 1) {
      await new Promise<void>((resolve) => socket.write(chunk, () => resolve()))
    }
    await expect.poll(() => text).toContain('HTTP/1.1 413')
    socket.destroy()
  })

  test('an upload that breaks off leaves one line and no error', async () => {
    const lines = await linesOf(1, async () => {
      const { hostname, port } = new URL(service.url)
      const socket = connect(Number(port), hostname)
      socket.write('POST /v1/users/admin HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n{"pass')
      await once(socket, 'connect')
      await new Promise((resolve) => setImmediate(resolve))
      socket.destroy()
    })
    expect(lines).toMatchObject([{ level: 'info', event: 'http.answered', status: 400 }])
    expect(lines[0]).not.toHaveProperty('error')
  })
})

describe('headers', () => {
  test('of two Authorization headers the first one counts', async () => {
    const ask = (first: string, second: string) =>
      sendRaw(
        service.url,
        `GET /v1/users/admin HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\n\r\n`,
      )
    expect(parseAnswer(await ask(admin, 'junk')).status).toBe(200)
    expect(parseAnswer(await ask('junk', admin)).status).toBe(401)
  })

  test('a token of 64 KiB is more than a header holds', async () => {
    expect((await requestRaw(service.url, 'GET', '/v1/users', { headers: bearer('a'.repeat(66_000)) })).status).toBe(
      431,
    )
  })

  test.each(['bearer', 'BEARER', 'Basic', 'Token'])('the scheme %s is no bearer', async (scheme) => {
    const headers = { Authorization: `${scheme} ${admin}` }
    const answer = await requestRaw(service.url, 'GET', '/v1/users', { headers })
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([401, 'token required'])
  })

  test('without a bearer, X-Amz-Security-Token carries the token', async () => {
    const headers = { Authorization: 'Basic eA==', 'X-Amz-Security-Token': admin }
    expect((await requestRaw(service.url, 'GET', '/v1/users', { headers })).status).toBe(200)
  })
})
