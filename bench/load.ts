/**
 * A closed loop of HTTP requests over kept connections: each sends its next request when the last one is answered. Plain
 * sockets and ready-made bytes, so that the load costs a fraction of what it measures.
 */
import { connect, type Socket } from 'node:net'
import { nowMs } from './clock.ts'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  /** No request is sent after this; those under way are waited for. */
  readonly durationMs: number
  /** The bytes of the request of this number, counted from 0 over all connections; undefined = no more. */
  readonly request: (number: number) => Buffer | undefined
}

export interface LoadResult {
  readonly count: number
  /** From the first request to the last answer. */
  readonly seconds: number
  readonly perSecond: number
  readonly startedAt: number
  /** When each request was sent, by its number. */
  readonly sentAt: readonly number[]
  /** In order of length. */
  readonly latenciesMs: Float64Array
}

/** @throws Error where an answer has another status than 200 or a connection breaks */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => open(options.port)))
  const startedAt = nowMs()
  const until = startedAt + options.durationMs
  const sentAt: number[] = []
  const latencies: number[] = []
  let lastAnswerAt = startedAt

  function serve(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      const isWhole = createAnswerReader()
      let sent = 0

      function send() {
        const at = nowMs()
        const bytes = at < until ? options.request(sentAt.length) : undefined
        if (bytes === undefined) return resolve()
        sent = at
        sentAt.push(at)
        socket.write(bytes)
      }

      socket.on('data', (chunk) => {
        const status = isWhole(chunk)
        if (status === undefined) return
        lastAnswerAt = nowMs()
        latencies.push(lastAnswerAt - sent)
        if (status !== 200) return reject(new Error(`a request was answered with status ${status}`))
        send()
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the service closed a connection')))
      send()
    })
  }

  try {
    await Promise.all(sockets.map(serve))
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy()
  }
  const seconds = (lastAnswerAt - startedAt) / 1000
  const count = latencies.length
  return {
    count,
    seconds,
    perSecond: count / seconds,
    startedAt,
    sentAt,
    latenciesMs: new Float64Array(latencies).sort(),
  }
}

/** The value below which `share` of the values lie. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(new Float64Array(values).sort(), 0.5)
}

export interface RequestParts {
  readonly method: string
  readonly path: string
  readonly bearer?: string
  readonly body?: string
}

export function writeRequest({ method, path, bearer, body = '' }: RequestParts): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1']
  if (bearer !== undefined) lines.push(`Authorization: Bearer ${bearer}`)
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = '0\r\n\r\n'

/** Takes what arrives on a connection that has one request under way; answers the status when the answer is whole. */
function createAnswerReader(): (chunk: Buffer) => number | undefined {
  let kept: Buffer | undefined
  return (chunk) => {
    const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk])
    const status = readStatus(bytes)
    kept = status === undefined ? bytes : undefined
    return status
  }
}

function readStatus(bytes: Buffer): number | undefined {
  const headLength = bytes.indexOf(headEnd)
  if (headLength < 0) return undefined
  const head = bytes.toString('latin1', 0, headLength).toLowerCase()
  const at = head.indexOf('\r\ncontent-length: ')
  const isWhole =
    at >= 0
      ? bytes.length >= headLength + 4 + Number.parseInt(head.slice(at + 18), 10)
      : head.includes('\r\ntransfer-encoding: chunked')
        ? bytes.toString('latin1', bytes.length - lastChunk.length) === lastChunk
        : true
  return isWhole ? Number.parseInt(head.slice(9, 12), 10) : undefined
}
