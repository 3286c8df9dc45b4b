/** What the parts of the stand-in cluster pass around: a request that was read, an answer to be sent. */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface ReadRequest {
  readonly method: string
  /** Without the query, percent-escapes decoded, empty segments dropped: ['v1', 'buckets', 'b']. */
  readonly segments: readonly string[]
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Which proxy was asked; 0 is the primary. */
  readonly proxy: number
  readonly remoteAddress: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** No, as AIStore says it: `cmn/err.go` (contract 1.2 describes the same shape). */
export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const done: Answer = { status: 200 }

export function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: `${JSON.stringify(value)}\n`,
  }
}

export function presentRefusal(refusal: Refusal, request: ReadRequest, node: string): Answer {
  const body = {
    message: refusal.message,
    method: request.method,
    url_path: request.path,
    remote_addr: request.remoteAddress,
    caller: '',
    node,
    status: refusal.status,
  }
  const headers = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }
  return { status: refusal.status, headers, body: `${JSON.stringify(body)}\n` }
}

export async function readRequest(message: IncomingMessage, proxy: number): Promise<ReadRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const url = new URL(message.url ?? '/', 'http://cluster.invalid')
  return {
    method: message.method ?? 'GET',
    segments: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    body: Buffer.concat(chunks),
    proxy,
    remoteAddress: `${message.socket.remoteAddress}:${message.socket.remotePort}`,
  }
}

export function send(response: ServerResponse, answer: Answer) {
  const body = answer.body ?? ''
  response.writeHead(answer.status, { 'Content-Length': Buffer.byteLength(body), ...answer.headers })
  response.end(body)
}

/** A body as an object; an empty or unreadable one is refused as Go's decoder does. */
export function parseObject(request: ReadRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(request.body.toString() || 'null')
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Falls through to the refusal.
  }
  throw new Refusal(400, `${request.path}: failed to unmarshal (${request.method})`)
}
