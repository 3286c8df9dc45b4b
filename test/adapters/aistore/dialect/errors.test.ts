import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, onTestFinished, test } from 'vitest'
import { acting } from '../../../../src/adapters/aistore/dialect/call.ts'
import { createRouter } from '../../../../src/adapters/aistore/dialect/routing.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { DomainError } from '../../../../src/core/errors.ts'
import type { HttpEnv } from '../../../../src/http/env.ts'

/** What a client is told, and what stays for the log, where the act behind a route throws this. */
async function told(thrown: unknown) {
  const handler = () => acting('add user bob', () => Promise.reject(thrown))
  const refusals = { note: () => undefined }
  const access = [{ path: '/v1/users', need: 'none', what: 'Break' }] as const
  const users = { allow: 'GET', handlers: { GET: { access, handle: handler } } }
  const route = createRouter(new Map([['v1/users', users]]), { clock: systemClock, refusals })
  const kept: unknown[] = []
  const app = new Hono<HttpEnv>().use(async (c, next) => {
    c.set('requestId', 'id-1')
    await next()
    kept.push(c.get('failure'))
  })
  app.all('*', route).onError((error, c) => {
    kept.push(error)
    return c.text('broken', 500)
  })
  const server = createAdaptorServer({ fetch: app.fetch })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const answer = await fetch(`http://127.0.0.1:${port}/v1/users`, { headers: { Connection: 'close' } })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, failure: kept[0] }
}

test('an outage is told in general words, and kept with its cause for the log', async () => {
  const error = new DomainError('storage_failed', { reason: 'the disk is full' }, { cause: new Error('SQLITE_FULL') })
  const { status, text, failure } = await told(error)
  expect([status, JSON.parse(text)]).toMatchObject([
    500,
    { tcode: 'ErrFailedTo', message: 'AuthN: failed to add user bob, err: nothing was changed: the disk is full' },
  ])
  expect(text).not.toContain('SQLITE_FULL')
  expect(failure).toBe(error)
})

test('what the caller did wrong is not kept for the log', async () => {
  const { status, failure } = await told(new DomainError('user_exists', { name: 'bob' }))
  expect([status, failure]).toEqual([409, undefined])
})

test('where too many wait, the caller hears when to come back, by a status that does not read as unreachable', async () => {
  const { status, headers } = await told(new DomainError('too_busy', { retryAfterSeconds: 7 }))
  expect([status, headers.get('retry-after')]).toEqual([429, '7'])
})

test('a bug is told to nobody', async () => {
  const bug = new TypeError('inner words')
  const { status, text, failure } = await told(bug)
  expect([status, text, failure]).toEqual([500, 'broken', bug])
})
