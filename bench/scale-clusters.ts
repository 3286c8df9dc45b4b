/**
 * Stand-in clusters by the thousand in one process: a listener each, which answer pushes, handshakes and probes as an
 * AIStore cluster of one proxy does and keep nothing but the canary. Messages: `open` (how many) -> `opened`, `kill` (which, how) -> `killed`, `await_tokens` -> `arrived`,
 * `count_at` (which cluster, how many tokens) -> `counted`, `totals` -> `totals`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nowMs } from './clock.ts'
import type { ScaleCommand } from './scale-host.ts'
import { tokenMark } from './tokens.ts'

interface Cluster {
  readonly number: number
  readonly server: Server
  /** By its mark. */
  canary: string
  /** Refuses connections, or takes them and never answers. */
  death: 'refuses' | 'black_hole' | undefined
  tokens: number
}

/** Pushes up to this size are looked at token by token. */
const smallPush = 256 * 1024
const separator = Buffer.from('","')

let clusters: Cluster[] = []
let healthy = 0
let totals = { pushes: 0, bytes: 0, probes: 0 }
/** Tokens that are waited for: which clusters have each, and since when all have. */
const awaited = new Map<string, { readonly holders: Set<number>; at: number }>()
let counting: { readonly cluster: Cluster; readonly tokens: number } | undefined
/** The same body goes to many clusters: it is decoded once. */
let decoded: { readonly body: Buffer; readonly marks: readonly string[]; readonly canary: string | undefined }[] = []

function decode(body: Buffer) {
  const known = decoded.find((entry) => entry.body.equals(body))
  if (known !== undefined) return known
  const { tokens } = JSON.parse(body.toString('latin1')) as { tokens: readonly string[] }
  const fresh = { body, marks: tokens.map(tokenMark), canary: findCanary(tokens[0]) }
  decoded = [fresh, ...decoded.slice(0, 7)]
  return fresh
}

/** It goes first where there is one. */
function findCanary(token = ''): string | undefined {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return payload.includes('"gatehouse:canary"') ? tokenMark(token) : undefined
}

function countTokens(body: Buffer): number {
  let count = 1
  for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + 3)) count += 1
  // The separator before "version" is another one: `"],"version"`.
  return count
}

function takePush(cluster: Cluster, body: Buffer) {
  const at = nowMs()
  totals.pushes += 1
  totals.bytes += body.length
  if (body.length <= smallPush) {
    const { marks, canary } = decode(body)
    cluster.canary = canary ?? cluster.canary
    cluster.tokens += marks.length
    for (const mark of marks) noteArrival(mark, cluster, at)
  } else {
    cluster.canary = findCanary(firstToken(body)) ?? cluster.canary
    cluster.tokens += countTokens(body)
  }
  if (counting?.cluster === cluster && cluster.tokens >= counting.tokens) {
    counting = undefined
    process.send?.({ type: 'counted', at, tokens: cluster.tokens })
  }
}

function firstToken(body: Buffer): string {
  return body.toString('latin1', body.indexOf('["') + 2, body.indexOf(separator))
}

function noteArrival(mark: string, cluster: Cluster, at: number) {
  const token = awaited.get(mark)
  if (token === undefined || cluster.death !== undefined) return
  token.holders.add(cluster.number)
  if (token.holders.size < healthy || token.at > 0) return
  token.at = at
  reportIfComplete()
}

function reportIfComplete() {
  const ends = [...awaited.values()].map(({ at }) => at)
  if (ends.length === 0 || ends.some((at) => at === 0)) return
  process.send?.({ type: 'arrived', marks: [...awaited.keys()], at: new Float64Array(ends) })
  awaited.clear()
}

function answer(cluster: Cluster, request: IncomingMessage, body: Buffer, response: ServerResponse) {
  if (request.method === 'DELETE') {
    takePush(cluster, body)
    return void response.writeHead(200, { 'content-length': 0 }).end()
  }
  const token = (request.headers.authorization ?? '').slice('Bearer '.length)
  if (token === '') return refuse(response, 'token required')
  if (cluster.canary === tokenMark(token)) return refuse(response, 'not authorized: token revoked')
  if (request.method === 'POST') return void response.writeHead(200, { 'content-length': 0 }).end()
  totals.probes += 1
  response.writeHead(200, { 'content-type': 'application/json' }).end(presentMap(cluster))
}

function refuse(response: ServerResponse, message: string) {
  response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ message, status: 401 }))
}

function presentMap({ number, server }: Cluster): string {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const node = { daemon_id: `proxy-${number}`, daemon_type: 'proxy', public_net: { direct_url: url } }
  return JSON.stringify({ uuid: `bench-cluster-${number}`, proxy_si: node, pmap: { [node.daemon_id]: node }, tmap: {} })
}

async function openOne(number: number): Promise<Cluster> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (cluster.death === undefined) answer(cluster, request, Buffer.concat(chunks), response)
    })
  })
  const cluster: Cluster = { number, server, canary: '', death: undefined, tokens: 0 }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return cluster
}

async function open(count: number) {
  for (const { server } of clusters) server.close().closeAllConnections()
  clusters = []
  for (let number = 0; number < count; number += 1) clusters.push(await openOne(number))
  healthy = count
  const urls = clusters.map(({ server }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  process.send?.({ type: 'opened', urls })
}

/** Every tenth one; of these half refuse connections, and half never answer. */
function killTenth() {
  for (const cluster of clusters.filter(({ number }) => number % 10 === 0)) {
    cluster.death = cluster.number % 20 === 0 ? 'refuses' : 'black_hole'
    if (cluster.death === 'refuses') cluster.server.close().closeAllConnections()
    healthy -= 1
  }
  process.send?.({ type: 'killed' })
}

process.on('disconnect', () => process.exit())
process.on('message', (message: ScaleCommand) => {
  if (message.type === 'open') void open(message.count)
  if (message.type === 'kill_tenth') killTenth()
  if (message.type === 'await_tokens') {
    awaited.clear()
    for (const mark of message.marks) awaited.set(mark, { holders: new Set(), at: 0 })
    process.send?.({ type: 'awaiting' })
  }
  if (message.type === 'count_at') {
    const cluster = clusters[message.cluster]
    if (cluster === undefined) return
    cluster.tokens = 0
    counting = { cluster, tokens: message.tokens }
    process.send?.({ type: 'counting' })
  }
  if (message.type === 'totals') {
    process.send?.({ ...totals, type: 'totals' })
    totals = { pushes: 0, bytes: 0, probes: 0 }
  }
})
