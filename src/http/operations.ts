/** What operators' own systems ask: metrics and health, on a listener of its own that is not for the world. */
import { Hono } from 'hono'
import type { Logger } from '../core/logger.ts'
import type { HttpEnv } from './env.ts'
import { type HealthDeps, healthRoutes } from './health.ts'
import { requestLog } from './middleware/request-log.ts'

export interface OperationsDeps extends HealthDeps {
  readonly log: Logger
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

/** `/metrics` in Prometheus's text format, `/healthz` and `/readyz`. */
export function createOperationsApp({ log, renderMetrics, notReady }: OperationsDeps) {
  return new Hono<HttpEnv>()
    .use(requestLog(log))
    .get('/metrics', async () => {
      const { contentType, text } = await renderMetrics()
      return new Response(text, { headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' } })
    })
    .route('/', healthRoutes({ notReady }))
    .all('*', () => new Response('There are /metrics, /healthz and /readyz.\n', { status: 404 }))
}
