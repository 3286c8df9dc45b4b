import { type Context, Hono } from 'hono'
import type { Logger } from '../core/logger.ts'
import type { ClientAddressOf } from './client-address.ts'
import type { HttpEnv } from './env.ts'
import { type HealthDeps, healthRoutes } from './health.ts'
import { type AnsweredRequest, requestLog } from './middleware/request-log.ts'
import { createRouteClasses } from './route-class.ts'
import type { NativeApi } from './routes/native-api.ts'

/** A system's own protocol at the root of the port. */
export interface RootDialect {
  /** Where its routes begin, for instance `/v1/users`: what metrics tell apart. */
  readonly paths: readonly string[]
  readonly handle: (context: Context<HttpEnv>) => Promise<Response>
  readonly broken: (context: Context<HttpEnv>) => Response
}

export interface AppDeps extends HealthDeps {
  readonly log: Logger
  readonly dialect: RootDialect
  readonly api: NativeApi
  /** Which client a request comes from. */
  readonly addressOf: ClientAddressOf
  /** Called for each request that was answered. `route` is one of a fixed few. */
  readonly observe: (request: {
    readonly method: string
    readonly route: string
    readonly status: number
    readonly seconds: number
  }) => void
}

/** Bytes of path and query. No honest one comes near it. */
const maximumUrl = 16 * 1024
const tooLong = 'URI Too Long\n'

const healthPaths = ['/healthz', '/readyz']

/** The HTTP edge, all that is mounted: health, the native API, then the dialect for everything else. */
export function createApp({ log, dialect, api, observe, addressOf, notReady }: AppDeps) {
  const app = new Hono<HttpEnv>()
  const classOf = createRouteClasses([...dialect.paths, ...api.paths, ...healthPaths])
  const count = ({ path, ...answered }: AnsweredRequest) => observe({ ...answered, route: classOf(path) })
  app.use(requestLog(log, count, addressOf))
  app.use(async (c, next) => ((c.env.incoming.url?.length ?? 0) > maximumUrl ? c.text(tooLong, 414) : next()))
  app.route('/', healthRoutes({ notReady }))
  app.all(`${api.root}/*`, api.handle)
  app.all('*', dialect.handle)
  app.onError((error, c) => {
    c.set('failure', error)
    return dialect.broken(c)
  })
  return app
}
