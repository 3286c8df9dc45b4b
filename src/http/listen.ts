/** The port: HTTP or HTTPS, limits on what clients may send, and an end that lets requests in flight finish. */
import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type Certificate, type CertificateFiles, followCertificate, readCertificate } from './certificate.ts'
import { followTraffic, type Traffic } from './traffic.ts'

/** The port can't be opened. The message is one line for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

export interface ListenOptions {
  readonly fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>
  /** Interface to listen on; undefined = all. */
  readonly host: string | undefined
  /** 0 = any free one. */
  readonly port: number
  /** Undefined = plain HTTP. The files are read again when they change. */
  readonly tls: CertificateFiles | undefined
  /** How long a client may take to send the headers of a request. */
  readonly headersTimeoutMs: number
  readonly log: Logger
  readonly clock: Clock
  /** Ends the patience with a port that is taken. */
  readonly giveUp?: AbortSignal
}

export interface Listener {
  /** The one that was opened, also where 0 was asked for. */
  readonly port: number
  /**
   * Takes no new connection, closes idle ones, waits at most `drainMs` for requests in flight, then cuts what is left. A
   * connection that was just opened has a second to bring its first request. Answers once no connection is open.
   */
  close(options: { readonly drainMs: number }): Promise<void>
}

/** The port lies in the range from which Linux takes client ports: a passing connection may hold it for a moment. */
const portPatienceMs = 5000
const portPauseMs = 250

const handshakeTimeoutMs = 10_000
const requestTimeoutMs = 60_000
/** Longer than load balancers commonly keep idle connections, so that they close first and never meet a closed one. */
const keepAliveTimeoutMs = 75_000
const limitsCheckMs = 5000
/** The first request of a connection may be under way when the end begins, and so may its TLS handshake. */
const newcomerGraceMs = 1000
/** As many as may wait to be taken. */
const backlog = 1024
const maximumRounds = 2 * backlog
/** An administrator's token names every cluster it is good for, so it can be big. */
const maxHeaderBytes = 64 * 1024

/**
 * Opens the port and answers requests with `fetch`.
 *
 * @throws ListenError where the port stays taken for some seconds or may not be opened
 * @throws CertificateError where the certificate or its key can't be used
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, tls, log, clock } = options
  const closing = new AbortController()
  const certificate = tls && (await readCertificate(tls))
  const server = createServer(options, certificate)
  const traffic = followTraffic(server, closing.signal)
  server.on('clientError', (error: Error, socket: Duplex) => refuse(error, socket, traffic))
  await openPort(server, options)
  server.on('error', (error) => log.error({ event: 'http.server_failed', error }))
  const use = ({ cert, key }: Certificate) => setCertificate(server, cert, key)
  const following =
    tls && certificate && followCertificate(tls, certificate, use, { log, clock, signal: closing.signal })

  return {
    port: portOf(server),
    async close({ drainMs }) {
      closing.abort()
      await readWhatHasArrived(traffic)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      traffic.closeIdle()
      const giveUp = new AbortController()
      if (traffic.hasNewcomers()) void clock.wait(newcomerGraceMs, giveUp.signal).then(traffic.closeNewcomers)
      const drained = closed.then(() => giveUp.abort())
      await clock.wait(drainMs, giveUp.signal)
      if (!giveUp.signal.aborted) {
        log.warn({ event: 'http.requests_cut', requests: traffic.inFlight(), host })
        server.closeAllConnections()
        traffic.closeAll()
      }
      await drained
      await following
    },
  }
}

/**
 * A request that lies unread in its connection is in flight too, and so is one whose connection still waits to be taken:
 * the event loop goes round until nothing more comes. Each round takes one connection.
 */
async function readWhatHasArrived(traffic: Traffic): Promise<void> {
  for (let quiet = 0, rounds = 0; quiet < 2 && rounds < maximumRounds; rounds += 1) {
    const before = traffic.arrived()
    await nextTurn()
    quiet = traffic.arrived() === before ? quiet + 1 : 0
  }
}

function createServer(
  { fetch, host = 'localhost', headersTimeoutMs }: ListenOptions,
  certificate: Certificate | undefined,
): Server | HttpsServer {
  const limits: ServerOptions = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, headersTimeoutMs),
    connectionsCheckingInterval: Math.min(limitsCheckMs, headersTimeoutMs),
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maxHeaderBytes,
    noDelay: true,
  }
  // What stands in the URL of a request without a Host header, such as HTTP/1.0 allows.
  const hostname = host.includes(':') ? `[${host}]` : host
  const adaptor = { fetch: fetch as (request: Request) => Response | Promise<Response>, hostname }
  if (certificate === undefined) {
    return createAdaptorServer({ ...adaptor, createServer: createHttpServer, serverOptions: limits }) as Server
  }
  const { cert, key } = certificate
  const serverOptions = { ...limits, cert, key, minVersion: 'TLSv1.2' as const, handshakeTimeout: handshakeTimeoutMs }
  return createAdaptorServer({ ...adaptor, createServer: createHttpsServer, serverOptions }) as HttpsServer
}

function setCertificate(server: Server | HttpsServer, cert: Buffer, key: Buffer) {
  if ('setSecureContext' in server) server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' })
}

/** Opens the port, with some patience where it is taken. @throws ListenError */
async function openPort(server: Server, { host, port, log, clock, giveUp }: ListenOptions): Promise<void> {
  const where = host === undefined ? `port ${port}` : `port ${port} of ${host}`
  const until = clock.now().getTime() + portPatienceMs
  let hasSaidSo = false
  for (;;) {
    const error = await tryToListen(server, host, port)
    if (error === undefined) return
    if (error.code !== 'EADDRINUSE') throw new ListenError(`can't open ${where}: ${reasonOf(error)}`, { cause: error })
    if (clock.now().getTime() >= until || giveUp?.aborted) {
      throw new ListenError(
        `${where} is taken by another program (tried for ${portPatienceMs / 1000} s): stop it or choose another port`,
        { cause: error },
      )
    }
    if (!hasSaidSo) log.warn({ event: 'http.port_taken', port, host, tryingForMs: portPatienceMs })
    hasSaidSo = true
    await clock.wait(portPauseMs, giveUp)
  }
}

function tryToListen(
  server: Server,
  host: string | undefined,
  port: number,
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', opened)
      resolve(error)
    }
    const opened = () => {
      server.off('error', failed)
      resolve(undefined)
    }
    server.once('error', failed)
    server.once('listening', opened)
    server.listen({ port, ...(host === undefined ? {} : { host }), backlog })
  })
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'the host is not an address of this machine'
  return message
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** What Node's parser refuses never reaches the application: a plain answer, and the end of the connection. */
function refuse(error: Error & { code?: string }, socket: Duplex, traffic: Traffic) {
  const status = refusals[error.code ?? ''] ?? (error.code?.startsWith('HPE_') ? '400 Bad Request' : undefined)
  if (status === undefined || !socket.writable || traffic.isAnswering(socket)) {
    socket.destroy()
    return
  }
  const body = `${status}\n`
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n`
  socket.end(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)
}

const refusals: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}
