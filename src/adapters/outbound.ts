/**
 * The one HTTP client for everything that Gatehouse asks of other servers: time limits, no redirects, a size limit,
 * kept connections, TLS. What the network or the other side does is an answer or a Failure, never an exception.
 */
import pRetry from 'p-retry'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import type { Clock } from '../core/clock.ts'
import { classifyFailure, type Failure } from './outbound-failures.ts'
import { type Authorities, loadTrust } from './outbound-trust.ts'

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  /** http or https, without credentials. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly signal?: AbortSignal
  /** Limit of the whole call, retries included; default is the client's. */
  readonly timeoutMs?: number
  /** Longest answer that is read; 64 KiB by default. */
  readonly maximumBytes?: number
  /** The connection is closed after the answer. */
  readonly isLast?: boolean
}

export interface Answer {
  readonly kind: 'answered'
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** From `Retry-After` (RFC 9110 section 10.2.3), at most an hour. */
  readonly retryAfterMs?: number
}

export interface Outbound {
  /** Every call must be idempotent: a connection that breaks before there is an answer is tried again at once. */
  request(request: OutboundRequest): Promise<Answer | Failure>
  close(): Promise<void>
}

const connectTimeoutMs = 5_000
const keepAliveMs = 20_000
const connectionsPerOrigin = 16
const resetRetries = 2
const retryPauseMs = 50
const defaultMaximumBytes = 64 * 1024
const maximumRetryAfterMs = 3_600_000
/** What a timer can count; one that is set further ahead goes off at once. */
const maximumTimerMs = 2 ** 31 - 1

/** A kept connection that the other side has closed meanwhile: nothing was answered, so asking again is right. */
class ConnectionLost extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.said)
    this.failure = failure
  }
}

export function createOutbound(deps: {
  /** Limit of one call, connecting included. */
  readonly timeoutMs: number
  readonly isTlsVerified: boolean
  /** Absent = Node's own. */
  readonly authorities?: Authorities
  readonly clock: Clock
}): Outbound {
  const lanes = createLanes(deps)

  async function attempt(request: OutboundRequest, signal: AbortSignal): Promise<Answer | Failure> {
    const { origin, path } = target(request.url)
    const lane = lanes.take(origin)
    try {
      const response = await lane.agent.request({ origin, path, ...toSend(request), signal })
      return await readAnswer(response, request.maximumBytes ?? defaultMaximumBytes, deps.clock)
    } catch (error) {
      const failure = classifyFailure(error)
      if (failure.failure === 'reset' && !signal.aborted) throw new ConnectionLost(failure)
      return failure
    } finally {
      lanes.free(lane, origin)
    }
  }

  /** Nearly every call succeeds at the first try, which costs less without p-retry around it. */
  async function tryAndRetry(request: OutboundRequest, signal: AbortSignal): Promise<Answer | Failure> {
    try {
      return await attempt(request, signal)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
    }
    return pRetry(() => attempt(request, signal), {
      retries: resetRetries - 1,
      minTimeout: retryPauseMs,
      shouldRetry: ({ error }) => error instanceof ConnectionLost,
      signal,
    })
  }

  return {
    async request(request) {
      const limitMs = request.timeoutMs ?? deps.timeoutMs
      const limit = limitTime(limitMs, request.signal)
      const result = await tryAndRetry(request, limit.signal)
        .catch((error: unknown) => (error instanceof ConnectionLost ? error.failure : classifyFailure(error)))
        .finally(limit.end)
      if (result.kind === 'answered') return result
      if (limit.isOver())
        return { kind: 'failed', failure: 'timed_out', said: `no answer within ${presentMs(limitMs)}` }
      if (request.signal?.aborted)
        return { kind: 'failed', failure: 'aborted', said: 'no answer until the call was given up' }
      return result
    },
    close: lanes.close,
  }
}

interface Lane {
  readonly agent: Agent
  /** How many calls are under way, by server; one without any is not kept. */
  readonly calls: Map<string, number>
}

/**
 * Connections by server and lane: a call takes the first lane that is free for its server, so that each keeps as few
 * connections as it has calls at once, and no call waits behind another. A pool for each server would keep 16 KiB for
 * calls that wait, which is most of what a thousand quiet servers cost.
 */
function createLanes(deps: Parameters<typeof createOutbound>[0]) {
  const connect = createConnector(deps)
  const lanes = Array.from({ length: connectionsPerOrigin }, (): Lane => {
    const agent = new Agent({
      connect,
      connections: 1,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      // One limit for the whole call is kept by the caller; undici's own limits are for each phase.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    return { agent, calls: new Map() }
  })

  return {
    take(origin: string): Lane {
      const count = ({ calls }: Lane) => calls.get(origin) ?? 0
      const lane =
        lanes.find(({ calls }) => !calls.has(origin)) ??
        lanes.reduce((least, other) => (count(other) < count(least) ? other : least))
      lane.calls.set(origin, count(lane) + 1)
      return lane
    },
    free({ calls }: Lane, origin: string) {
      const left = (calls.get(origin) ?? 1) - 1
      if (left > 0) calls.set(origin, left)
      else calls.delete(origin)
    },
    async close() {
      await Promise.all(lanes.map(({ agent }) => agent.destroy()))
    },
  }
}

function createConnector(deps: Parameters<typeof createOutbound>[0]): buildConnector.connector {
  const timeout = Math.min(connectTimeoutMs, deps.timeoutMs)
  const plain = buildConnector({ timeout })
  let tls: buildConnector.connector | undefined
  return (options, callback) => {
    if (options.protocol !== 'https:') return plain(options, callback)
    const secureContext = tls || !deps.authorities ? undefined : loadTrust(deps.authorities)
    tls ??= buildConnector({ timeout, rejectUnauthorized: deps.isTlsVerified, ...(secureContext && { secureContext }) })
    tls(options, callback)
  }
}

function target(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: `${pathname}${search}` }
}

/** Without `reset: false` undici closes the connection after a DELETE with a body. */
function toSend(request: OutboundRequest): Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'reset'> {
  return {
    method: request.method,
    headers: { ...request.headers },
    body: request.body ?? null,
    reset: request.isLast === true,
  }
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  maximumBytes: number,
  clock: Clock,
): Promise<Answer | Failure> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maximumBytes) return { kind: 'failed', failure: 'too_large', said: 'the answer is too large' }
      chunks.push(chunk)
    }
  } catch (error) {
    const failure = classifyFailure(error)
    if (failure.failure !== 'reset') return failure
    return { kind: 'failed', failure: 'cut_short', said: 'the connection broke in the middle of the answer' }
  }
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], clock.now())
  return {
    kind: 'answered',
    status: response.statusCode,
    headers: response.headers,
    text: chunks.length === 0 ? '' : Buffer.concat(chunks).toString('utf8'),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** Milliseconds from seconds or from an HTTP date (RFC 9110 section 10.2.3); undefined where it is neither. */
export function parseRetryAfter(value: string | string[] | undefined, now: Date): number | undefined {
  const text = (Array.isArray(value) ? value[0] : value)?.trim()
  if (text === undefined || text === '') return undefined
  const isDate = /^[A-Z][a-z]+,? /.test(text)
  const ms = isDate ? Date.parse(text) - now.getTime() : /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Number.NaN
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maximumRetryAfterMs)
}

/** A signal that ends with the caller's or when the time is over. */
function limitTime(ms: number, outer: AbortSignal | undefined) {
  const controller = new AbortController()
  let isOver = false
  const timer = setTimeout(
    () => {
      isOver = true
      controller.abort()
    },
    Math.min(ms, maximumTimerMs),
  )
  const give = () => controller.abort()
  if (outer?.aborted) give()
  outer?.addEventListener('abort', give)
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', give)
    },
  }
}

function presentMs(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${ms} ms`
}
