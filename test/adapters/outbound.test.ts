import { describe, expect, test } from 'vitest'
import { createOutbound, parseRetryAfter } from '../../src/adapters/outbound.ts'
import { systemClock } from '../../src/core/clock.ts'
import { deadUrl, type Loopback, serve, serveRaw } from './loopback.ts'

function open(timeoutMs = 2_000) {
  const outbound = createOutbound({ timeoutMs, isTlsVerified: true, clock: systemClock })
  return {
    get: (url: string, more: { signal?: AbortSignal; timeoutMs?: number; maximumBytes?: number } = {}) =>
      outbound.request({ method: 'GET', url, ...more }),
    outbound,
    [Symbol.asyncDispose]: () => outbound.close(),
  }
}

test('an answer comes back whole: status, headers, text; the request went out as given', async () => {
  await using client = open()
  await using server = await serve((_, response) => response.writeHead(201, { 'X-Kind': 'a' }).end('päivää'))
  const answer = await client.outbound.request({
    method: 'DELETE',
    url: `${server.url}/a/b?c=d`,
    headers: { 'content-type': 'application/json' },
    body: '{"e":1}',
  })
  expect(answer).toMatchObject({ kind: 'answered', status: 201, text: 'päivää', headers: { 'x-kind': 'a' } })
  expect(server.requests).toMatchObject([
    { method: 'DELETE', path: '/a/b?c=d', body: '{"e":1}', headers: { 'content-type': 'application/json' } },
  ])
})

test('a redirect is an answer and is not followed', async () => {
  await using client = open()
  await using elsewhere = await serve((_, response) => response.end())
  await using server = await serve((_, response) => response.writeHead(307, { Location: elsewhere.url }).end())
  expect(await client.get(server.url)).toMatchObject({ kind: 'answered', status: 307 })
  expect(elsewhere.requests).toEqual([])
})

test('a time limit that no timer can count is a long one', async () => {
  await using client = open(60 * 24 * 3_600_000)
  await using server = await serve((_, response) => setTimeout(() => response.end('late'), 20))
  expect(await client.get(server.url)).toMatchObject({ kind: 'answered', text: 'late' })
})

test('connections are kept for calls that follow each other', async () => {
  await using client = open()
  await using server = await serve((_, response) => response.end())
  for (let call = 0; call < 10; call += 1) {
    await client.get(server.url)
    await client.outbound.request({ method: 'DELETE', url: server.url, body: '{}' })
  }
  expect(server.connections()).toBeLessThanOrEqual(2)
})

describe('what goes wrong on the way has a class and words', () => {
  async function failure(server: Pick<Loopback, 'url'>, timeoutMs?: number) {
    await using client = open(timeoutMs)
    return await client.get(server.url)
  }

  test('nothing listens', async () => {
    expect(await failure({ url: await deadUrl() })).toEqual({
      kind: 'failed',
      failure: 'refused',
      said: 'the connection was refused: nothing listens there',
    })
  })

  test('accepted and never answered', async () => {
    await using server = await serve(() => undefined)
    expect(await failure(server, 50)).toEqual({
      kind: 'failed',
      failure: 'timed_out',
      said: 'no answer within 50 ms',
    })
  })

  test('the answer begins and never ends', async () => {
    await using server = await serve((_, response) => void response.writeHead(200).write('{'))
    expect(await failure(server, 50)).toMatchObject({ failure: 'timed_out' })
  })

  test('closed in the middle of the answer: not asked again, since something was answered', async () => {
    await using server = await serveRaw((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"half":'),
    )
    expect(await failure(server)).toMatchObject({ failure: 'cut_short' })
    expect(server.connections()).toBe(1)
  })

  test('not HTTP', async () => {
    await using server = await serveRaw((socket) => socket.end('220 mail.example ESMTP\r\n'))
    expect(await failure(server)).toMatchObject({ failure: 'not_http' })
  })

  test('https where plain HTTP is spoken', async () => {
    await using server = await serve((_, response) => response.end())
    const result = await failure({ url: server.url.replace('http:', 'https:') })
    expect(result).toMatchObject({ failure: 'tls', said: expect.stringContaining('http:') })
  })

  test('an unknown host', async () => {
    expect(await failure({ url: 'http://no-such-host.invalid' })).toMatchObject({ failure: 'name_unknown' })
  })

  test('an answer that is too large', async () => {
    await using client = open()
    await using server = await serve((_, response) => response.end('x'.repeat(2_000)))
    expect(await client.get(server.url, { maximumBytes: 1_999 })).toMatchObject({ failure: 'too_large' })
    expect(await client.get(server.url, { maximumBytes: 2_000 })).toMatchObject({ kind: 'answered' })
  })

  test('given up by the caller', async () => {
    await using client = open()
    const stop = new AbortController()
    await using server = await serve(() => stop.abort())
    expect(await client.get(server.url, { signal: stop.signal })).toMatchObject({ failure: 'aborted' })
    expect(await client.get(server.url, { signal: stop.signal })).toMatchObject({ failure: 'aborted' })
    expect(server.requests).toHaveLength(1)
  })
})

test('a connection that breaks before there is an answer is tried again at once', async () => {
  await using client = open()
  let calls = 0
  await using server = await serveRaw((socket) => {
    calls += 1
    if (calls < 3) socket.resetAndDestroy()
    else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  expect(await client.get(server.url)).toMatchObject({ kind: 'answered', status: 200 })
  expect(calls).toBe(3)
})

test('a connection that always breaks is given up after the third time', async () => {
  await using client = open()
  await using server = await serveRaw((socket) => socket.resetAndDestroy())
  expect(await client.get(server.url)).toMatchObject({ kind: 'failed', failure: 'reset' })
  expect(server.connections()).toBe(3)
})

test.each([
  ['an answer that is not HTTP', 'hello\r\n\r\n', 'not_http'],
  ['an answer cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'cut_short'],
])('%s is not asked for again within the call', async (_, answer, failure) => {
  await using client = open()
  await using server = await serveRaw((socket) => socket.end(answer))
  expect(await client.get(server.url)).toMatchObject({ kind: 'failed', failure })
  expect(server.connections()).toBe(1)
})

test('a 503 is an answer, asked once, with its Retry-After', async () => {
  await using client = open()
  await using server = await serve((_, response) => response.writeHead(503, { 'Retry-After': '7' }).end())
  expect(await client.get(server.url)).toMatchObject({ kind: 'answered', status: 503, retryAfterMs: 7_000 })
  expect(server.requests).toHaveLength(1)
})

describe('Retry-After', () => {
  const now = new Date('2026-03-01T12:00:00Z')
  test.each([
    ['30', 30_000],
    ['0', 0],
    ['999999999', 3_600_000],
    ['Sun, 01 Mar 2026 12:01:00 GMT', 60_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms)
  })
})
