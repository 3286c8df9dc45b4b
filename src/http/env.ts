import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Origin } from '../core/sessions/actor.ts'

/** What every request carries through the HTTP edge. */
export interface HttpEnv {
  Bindings: HttpBindings
  Variables: {
    /** Stands in the log line, the answer's X-Request-Id header and the audit row. */
    requestId: string
    /** Of the client; null where its connection is gone already. */
    address: string | null
    /** Who asked, once known; for the log line. */
    subject?: string
    /** What went wrong on our side, where that was told to the caller in general words; for the log. */
    failure?: unknown
  }
}

/** Where what a request asks for comes from. */
export function originOf(c: Context<HttpEnv>, via: Origin['via']): Origin {
  return { address: c.get('address'), requestId: c.get('requestId'), via }
}
