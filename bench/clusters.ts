/**
 * Stand-in clusters that cost next to nothing: one process, a listener each, which take every handshake and note when
 * each revoked token came. Messages: `open` (how many) -> `opened`, `reset` -> `was_reset`, `report_at` (when so many
 * tokens are everywhere) -> `report`.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { nowMs } from './clock.ts'
import type { ClustersReport } from './cluster-host.ts'
import { tokenMark } from './tokens.ts'

interface Arrival {
  /** A bit for each cluster that has it. */
  clusters: number
  at: number
}

let servers: Server[] = []
let everyCluster = 0
let arrivals = new Map<string, Arrival>()
let complete = 0
let requests = 0
let bytes = 0
let awaited: number | undefined
/** The same body goes to many clusters: it is decoded once. */
let decoded: { body: Buffer; marks: readonly string[] }[] = []

function decode(body: Buffer): readonly string[] {
  const known = decoded.find((entry) => entry.body.equals(body))
  if (known !== undefined) return known.marks
  const { tokens } = JSON.parse(body.toString('latin1')) as { tokens: readonly string[] }
  const marks = tokens.map(tokenMark)
  decoded = [{ body, marks }, ...decoded.slice(0, 7)]
  return marks
}

function takeTokens(cluster: number, body: Buffer) {
  const at = nowMs()
  requests += 1
  bytes += body.length
  for (const mark of decode(body)) {
    const arrival = arrivals.get(mark) ?? { clusters: 0, at }
    if (arrival.clusters === 0) arrivals.set(mark, arrival)
    if (arrival.clusters === everyCluster) continue
    arrival.clusters |= 1 << cluster
    arrival.at = at
    if (arrival.clusters === everyCluster) complete += 1
  }
  reportIfDue()
}

function reportIfDue() {
  if (awaited === undefined || complete < awaited) return
  awaited = undefined
  const whole = [...arrivals].filter(([, arrival]) => arrival.clusters === everyCluster)
  const report: ClustersReport = {
    type: 'report',
    marks: whole.map(([mark]) => mark),
    at: new Float64Array(whole.map(([, { at }]) => at)),
    requests,
    bytes,
  }
  process.send?.(report)
}

function reset() {
  arrivals = new Map()
  decoded = []
  complete = 0
  requests = 0
  bytes = 0
  awaited = undefined
}

function openCluster(cluster: number): Server {
  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method === 'DELETE')
        takeTokens(cluster, chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
      response.writeHead(200, { 'content-length': 0 }).end()
    })
  })
}

async function open(count: number) {
  for (const server of servers) server.close().closeAllConnections()
  everyCluster = count === 32 ? -1 : (1 << count) - 1
  reset()
  servers = Array.from({ length: count }, (_, index) => openCluster(index))
  const urls = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }),
  )
  process.send?.({ type: 'opened', urls })
}

process.on('disconnect', () => process.exit())
process.on('message', (message: { type: string; count?: number }) => {
  if (message.type === 'open') void open(message.count ?? 0)
  if (message.type === 'report_at') {
    awaited = message.count ?? 0
    reportIfDue()
  }
  if (message.type === 'reset') {
    reset()
    process.send?.({ type: 'was_reset' })
  }
})
