import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { HttpEnv } from '../../src/http/env.ts'
import { healthRoutes } from '../../src/http/health.ts'

function appThatLacks(reason: string | undefined) {
  return new Hono<HttpEnv>()
    .use(async (c, next) => {
      c.set('requestId', 'id-1')
      await next()
    })
    .route('/', healthRoutes({ notReady: async () => reason }))
}

test('the process that answers is healthy, whatever it lacks', async () => {
  const answer = await appThatLacks('no database').request('/healthz')
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }])
})

test('it is ready when nothing is missing', async () => {
  const answer = await appThatLacks(undefined).request('/readyz')
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready' }])
})

test('what is missing is said, with the status that takes it out of service', async () => {
  const answer = await appThatLacks('shutting down').request('/readyz')
  expect([answer.status, await answer.json()]).toEqual([503, { status: 'not ready', reason: 'shutting down' }])
})

test.each(['/healthz', '/readyz'])('%s carries the id under which it is logged', async (path) => {
  expect((await appThatLacks(undefined).request(path)).headers.get('X-Request-Id')).toBe('id-1')
})
