import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Logger } from '../../core/logger.ts'
import type { ClientAddressOf } from '../client-address.ts'
import type { HttpEnv } from '../env.ts'

/** An id that a caller may bring along: short, and harmless in a log line or header. */
const acceptableId = /^[A-Za-z0-9._-]{1,64}$/

/** A UUID that begins with the time (RFC 9562, version 7), so that ids of one time lie together in the index of the audit. */
function makeRequestId(atMs: number): string {
  const time = atMs.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

/** What is told of each request for counting. */
export interface AnsweredRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly seconds: number
}

/**
 * Gives each request an id (the caller's X-Request-Id if it is a sane one) and writes one line when it has been answered.
 * Neither query nor headers are written: they may hold secrets.
 */
export function requestLog(
  log: Logger,
  observe: ((request: AnsweredRequest) => void) | undefined,
  addressOf: ClientAddressOf,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { incoming } = c.env
    const brought = incoming.headers['x-request-id']
    const requestId = typeof brought === 'string' && acceptableId.test(brought) ? brought : makeRequestId(Date.now())
    const address = addressOf(incoming)
    c.set('requestId', requestId)
    c.set('address', address)
    const startedAt = performance.now()
    await next()
    const subject = c.get('subject')
    const error = c.get('failure')
    const { method, path } = c.req
    const { status } = c.res
    const ms = performance.now() - startedAt
    observe?.({ method, path, status, seconds: ms / 1000 })
    const line = {
      requestId,
      method,
      path,
      status,
      ms: Math.round(ms * 100) / 100,
      remote: address,
      ...(subject === undefined ? {} : { subject }),
    }
    if (error === undefined) log.info({ event: 'http.answered', ...line })
    else log.error({ event: 'http.failed', ...line, error })
  }
}
