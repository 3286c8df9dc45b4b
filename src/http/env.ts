import type { HttpBindings } from '@hono/node-server'

/** What every request carries through the HTTP edge. */
export interface HttpEnv {
  Bindings: HttpBindings
  Variables: {
    /** Stands in the log line, the answer's X-Request-Id header and the audit row. */
    requestId: string
    /** Who asked, once known; for the log line. */
    subject?: string
    /** What went wrong on our side, where that was told to the caller in general words; for the log. */
    failure?: unknown
  }
}
