import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createApp } from '../../src/http/app.ts'
import { createClientAddress } from '../../src/http/client-address.ts'
import { type Listener, listen } from '../../src/http/listen.ts'
import { collectLog, type LogLine } from '../log-lines.ts'

const lines: LogLine[] = []
const log = collectLog(lines)
const observed: { readonly route: string; readonly status: number }[] = []
let listener: Listener
let url: string

beforeAll(async () => {
  const app = createApp({
    log,
    notReady: async () => undefined,
    api: { root: '/api/v1', handle: async () => new Response('native'), routes: [], paths: [] },
    addressOf: createClientAddress([]),
    observe: (request) => void observed.push(request),
    dialect: {
      paths: ['/v1/users'],
      async handle(c) {
        if (c.req.path === '/broken') throw new Error('inner words')
        if (c.req.path === '/outage') c.set('failure', new Error('the disk is full'))
        c.set('subject', 'somebody')
        return new Response('fine')
      },
      broken: () => new Response('sorry', { status: 500 }),
    },
  })
  const host = '127.0.0.1'
  listener = await listen({
    fetch: app.fetch,
    host,
    port: 0,
    tls: undefined,
    headersTimeoutMs: 1000,
    log,
    clock: systemClock,
  })
  url = `http://${host}:${listener.port}`
})
afterAll(() => listener.close({ drainMs: 0 }))
beforeEach(() => void lines.splice(0))

test('a request leaves one line: what was asked, by whom, and what came of it, without the query', async () => {
  await fetch(`${url}/some/path?token=abc`, { headers: { 'X-Request-Id': 'my-id.1' } })
  expect(lines).toEqual([
    {
      level: 'info',
      event: 'http.answered',
      requestId: 'my-id.1',
      method: 'GET',
      path: '/some/path',
      status: 200,
      ms: expect.any(Number),
      remote: '127.0.0.1',
      subject: 'somebody',
    },
  ])
})

describe('the request id', () => {
  test.each(['a b', 'x'.repeat(65), '"quoted"', ''])(
    '%j, which could do harm in a log or a header, is replaced',
    async (brought) => {
      await fetch(`${url}/x`, { headers: { 'X-Request-Id': brought } })
      expect(lines[0]?.requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
    },
  )
})

test('a request is counted under one of few names, whatever strangers ask for', async () => {
  observed.splice(0)
  for (const path of ['/v1/users', '/v1/users/bob?x', '/healthz', '/nothing/of/ours', '/broken'])
    await fetch(`${url}${path}`)
  expect(observed.map(({ route, status }) => [route, status])).toEqual([
    ['/v1/users', 200],
    ['/v1/users', 200],
    ['/healthz', 200],
    ['other', 200],
    ['other', 500],
  ])
})

test('what breaks is logged with its error, in the one line of the request, and told to nobody', async () => {
  const answer = await fetch(`${url}/broken`)
  expect([answer.status, await answer.text()]).toEqual([500, 'sorry'])
  expect(lines).toMatchObject([{ level: 'error', event: 'http.failed', path: '/broken', status: 500 }])
  expect(lines[0]?.error).toMatchObject({ message: 'inner words' })
})

test('an outage that a dialect tells in its own words is logged as an error', async () => {
  expect((await fetch(`${url}/outage`)).status).toBe(200)
  expect(lines).toMatchObject([{ level: 'error', event: 'http.failed', path: '/outage', subject: 'somebody' }])
})
