import { type Context, Hono } from 'hono'
import type { Logger } from '../core/logger.ts'
import type { HttpEnv } from './env.ts'
import { type HealthDeps, healthRoutes } from './health.ts'
import { requestLog } from './middleware/request-log.ts'

/** A system's own protocol at the root of the port. */
export interface RootDialect {
  readonly handle: (context: Context<HttpEnv>) => Promise<Response>
  readonly broken: (context: Context<HttpEnv>) => Response
}

export interface AppDeps extends HealthDeps {
  readonly log: Logger
  readonly dialect: RootDialect
}

/** The HTTP edge, all that is mounted: health, then the dialect for everything else. */
export function createApp({ log, dialect, notReady }: AppDeps) {
  const app = new Hono<HttpEnv>()
  app.use(requestLog(log))
  app.route('/', healthRoutes({ notReady }))
  app.all('*', dialect.handle)
  app.onError((error, c) => {
    log.error({ event: 'http.failed', requestId: c.get('requestId'), method: c.req.method, path: c.req.path, error })
    return dialect.broken(c)
  })
  return app
}
