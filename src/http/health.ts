import { type Context, Hono } from 'hono'
import type { HttpEnv } from './env.ts'

export interface HealthDeps {
  /** Undefined when ready; else what is missing, for people. */
  readonly notReady: () => Promise<string | undefined>
}

/** `/healthz`: the process answers. `/readyz`: it can do its work (store readable, workers running, not draining). */
export function healthRoutes({ notReady }: HealthDeps) {
  const requestId = (c: Context<HttpEnv>) => ({ 'X-Request-Id': c.get('requestId') })
  return new Hono<HttpEnv>()
    .get('/healthz', (c) => c.json({ status: 'ok' }, 200, requestId(c)))
    .get('/readyz', async (c) => {
      const reason = await notReady()
      if (reason !== undefined) return c.json({ status: 'not ready', reason }, 503, requestId(c))
      return c.json({ status: 'ready' }, 200, requestId(c))
    })
}
