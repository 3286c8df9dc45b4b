/** What operators' own systems ask: metrics and health, on a listener of its own that is not for the world. */
import { Hono } from 'hono'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createClientAddress } from './client-address.ts'
import type { HttpEnv } from './env.ts'
import { type HealthDeps, healthRoutes } from './health.ts'
import { type Listener, listen } from './listen.ts'
import { requestLog } from './middleware/request-log.ts'

export interface OperationsDeps extends HealthDeps {
  readonly log: Logger
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

/** `/metrics` in Prometheus's text format, `/healthz` and `/readyz`. */
function createOperationsApp({ log, renderMetrics, notReady }: OperationsDeps) {
  return new Hono<HttpEnv>()
    .use(requestLog(log, undefined, createClientAddress([])))
    .get('/metrics', async () => {
      const { contentType, text } = await renderMetrics()
      return new Response(text, { headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' } })
    })
    .route('/', healthRoutes({ notReady }))
    .all('*', () => new Response('There are /metrics, /healthz and /readyz.\n', { status: 404 }))
    .onError((error, c) => {
      c.set('failure', error)
      return new Response('Something broke; the log says more.\n', { status: 500 })
    })
}

export interface OperationsListening extends OperationsDeps {
  /** Undefined = nowhere. */
  readonly operations: { readonly host: string; readonly port: number; readonly isRequired: boolean } | undefined
  readonly net: { readonly headersTimeoutMs: number }
  readonly clock: Clock
  /** The service ends. */
  readonly giveUp: AbortSignal
}

/**
 * Opens the listener. Where nobody has asked for it, not being able to open it must not keep the service from running: it
 * is logged, and undefined is answered.
 * @throws ListenError where it is required
 */
export async function openOperations(deps: OperationsListening): Promise<Listener | undefined> {
  const { operations, net, log, clock, giveUp } = deps
  if (operations === undefined) return undefined
  const { host, port, isRequired } = operations
  const { fetch } = createOperationsApp(deps)
  try {
    const { headersTimeoutMs } = net
    const listener = await listen({ fetch, host, port, tls: undefined, headersTimeoutMs, log, clock, giveUp })
    log.info({ event: 'operations.listening', host, port: listener.port })
    return listener
  } catch (error) {
    if (isRequired) throw error
    if (giveUp.aborted) return undefined
    log.warn({ event: 'operations.not_listening', host, port, error })
    return undefined
  }
}
