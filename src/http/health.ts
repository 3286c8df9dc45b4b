import { Hono } from 'hono'
import type { HttpEnv } from './env.ts'

export interface HealthDeps {
  /** Undefined when ready; else what is missing, for people. */
  readonly notReady: () => Promise<string | undefined>
}

/** `/healthz`: the process answers. `/readyz`: it can do its work (store readable, workers running, not draining). */
export function healthRoutes({ notReady }: HealthDeps) {
  return new Hono<HttpEnv>()
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .get('/readyz', async (c) => {
      const reason = await notReady()
      return reason === undefined ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reason }, 503)
    })
}
