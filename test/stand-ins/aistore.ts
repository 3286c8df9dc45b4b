/**
 * A stand-in for an AIStore cluster: some proxies on loopback that answer as the real ones do.
 *
 * It verifies tokens itself, enforces ACLs, keeps the revoked list in memory and forgets it when it restarts, and answers
 * a handshake as 4.1, 4.3 (to 4.9) and 5.0 do. Made from NVIDIA/aistore at those versions; each part names its source.
 * Not like a real one: no targets (proxies serve objects), no storage, an issuer of discovery may be http.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Answer,
  done,
  json,
  presentRefusal,
  type ReadRequest,
  Refusal,
  readRequest,
  send,
} from './aistore-answers.ts'
import { createDataRoutes } from './aistore-data.ts'
import { createFaults, type Fault, type FaultScope } from './aistore-faults.ts'
import { isAllowed } from './aistore-permissions.ts'
import { createRevokedLists } from './aistore-revoked.ts'
import { type AistoreVersion, createTokenChecker, type TokenChecker, type Trust } from './aistore-tokens.ts'
import { createGate, createTrustRoutes, takeToken } from './aistore-trust.ts'

export type { Fault, FaultScope } from './aistore-faults.ts'
export type { AistoreVersion, Trust } from './aistore-tokens.ts'

export interface AistoreClusterOptions {
  readonly version: AistoreVersion
  readonly trust: Trust
  /** `auth.client_auth_required`; default true. */
  readonly clientAuth?: boolean
  /** `auth.required_claims.aud` = the cluster's uuid; default false. */
  readonly requiredAudience?: boolean
  readonly proxies?: number
  readonly uuid?: string
  /** Ports of the proxies, in order; 0 or missing = any free one. */
  readonly ports?: readonly number[]
  /** The cluster's own time, for `exp`, `nbf` and the pause between fetches of keys. */
  readonly clock?: { now(): Date }
}

/** One call to `/v1/tokens`, whatever came of it. */
export interface TokenCall {
  readonly method: string
  readonly path: string
  readonly proxy: number
  readonly contentType: string
  readonly body: string
  readonly bearer: string | undefined
  /** What was answered; 0 when a fault kept the answer back. */
  readonly status: number
}

export interface AistoreCluster extends AsyncDisposable {
  readonly uuid: string
  readonly version: AistoreVersion
  /** Of the primary. */
  readonly url: string
  /** Of all proxies, the primary first. */
  readonly urls: readonly string[]
  /** Batches that were taken, in order. */
  pushes(): readonly { readonly tokens: readonly string[] }[]
  /** Handshakes that were taken or refused, in order. */
  handshakes(): readonly TokenCall[]
  /** All calls to `/v1/tokens`, in order. */
  tokenCalls(): readonly TokenCall[]
  /** Whether that proxy, or every one, has the token on its revoked list. */
  knows(token: string, proxy?: number): boolean
  /** Tokens on that proxy's list and the list's version. */
  revokedState(proxy?: number): { readonly tokens: number; readonly version: number }
  isUp(): boolean
  /** Ports closed, connections cut. */
  stop(): Promise<void>
  /** Up again at the same ports; the revoked list is gone, as memory is, unless `keepsList`. */
  start(options?: { readonly keepsList?: boolean }): Promise<void>
  /** That proxy forgets its list and is back at once; 0 is the primary (contract W4). */
  restartProxy(proxy: number): void
  /** From now on requests meet this; `undefined` ends it. */
  fault(fault: Fault | undefined, scope?: FaultScope): void
  /** Lets requests go on that a `held` fault keeps. */
  release(): void
  /** How many requests a `held` fault keeps. */
  held(): number
  /** How many requests it works on, without those that a fault keeps. */
  busy(): number
  /** From now on it takes other keys, as when its configuration is changed; the revoked list stays. */
  trust(trust: Trust): void
}

function createUuid(): string {
  return `S${randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')}`
}

/** Starts a cluster; disposing of it stops it. */
export async function startAistoreCluster(options: AistoreClusterOptions): Promise<AistoreCluster> {
  const { version, clientAuth = true, proxies = 1, uuid = createUuid() } = options
  const now = () => options.clock?.now() ?? new Date()
  const requiredAudience = options.requiredAudience === true ? uuid : undefined
  const makeChecker = (trust: Trust) => createTokenChecker({ version, trust, requiredAudience, now })
  const trusted = { trust: options.trust, checker: makeChecker(options.trust) }
  const checker: TokenChecker = {
    check: (token) => trusted.checker.check(token),
    trustsKey: (key) => trusted.checker.trustsKey(key),
    forget: () => trusted.checker.forget(),
  }
  const revoked = createRevokedLists(proxies)
  const gate = createGate(checker, revoked)
  const faults = createFaults()
  const data = createDataRoutes()
  const calls: TokenCall[] = []
  const batches: { tokens: readonly string[] }[] = []
  const taken = (tokens: readonly string[]) => batches.push({ tokens })
  const trust = () => trusted.trust
  const tokens = createTrustRoutes({ version, trust, clientAuth, uuid, checker, revoked, gate, taken })
  const ports = Array.from({ length: proxies }, (_, proxy) => options.ports?.[proxy] ?? 0)
  let servers: Server[] = []
  let busy = 0

  const urlOf = (proxy: number) => `http://127.0.0.1:${ports[proxy]}`
  const nodeOf = (proxy: number) => `p[Prxy${proxy}${uuid.slice(1, 5)}]`

  function presentNode(kind: 'proxy' | 'target', index: number) {
    const net = { node_hostname: '127.0.0.1', daemon_port: String(ports[index]), direct_url: urlOf(index) }
    const daemon_id = `${kind === 'proxy' ? 'Prxy' : 'Trgt'}${index}${uuid.slice(1, 5)}`
    const nets = { public_net: net, intra_control_net: net, intra_data_net: net }
    return { daemon_id, daemon_type: kind, ...nets, flags: 0, id_digest: index + 1 }
  }

  function presentMap(): Answer {
    const nodes = ports.map((_, proxy) => presentNode('proxy', proxy))
    const target = presentNode('target', 0)
    return json({
      ext: null,
      pmap: Object.fromEntries(nodes.map((node) => [node.daemon_id, node])),
      tmap: { [target.daemon_id]: target },
      proxy_si: nodes[0],
      uuid,
      creation_time: '2026-01-01T00:00:00Z',
      version: '12',
    })
  }

  async function route(request: ReadRequest): Promise<Answer> {
    const demand = async (...[bit, bucket]: Parameters<Parameters<typeof data.handleBuckets>[1]>) => {
      if (!clientAuth) return
      const claims = await gate.admit(request)
      if (!isAllowed(claims, uuid, bit, bucket)) throw new Refusal(403, `access denied: requires ${bit}`)
    }
    const [prefix, what] = request.segments
    if (prefix !== 'v1') throw new Refusal(404, `${request.path} does not exist`)
    if (what === 'tokens' && request.method === 'POST') return tokens.validate(request)
    if (what === 'tokens' && request.method === 'DELETE') return tokens.revoke(request)
    if (what === 'buckets') return data.handleBuckets(request, demand)
    if (what === 'objects') return data.handleObjects(request, demand)
    if (what === 'health') return done
    if (what === 'daemon' && request.method === 'GET' && request.query.get('what') === 'smap') {
      await demand('showCluster')
      return presentMap()
    }
    throw new Refusal(400, `unknown call ${request.method} ${request.path}`)
  }

  function record(request: ReadRequest, status: number) {
    if (request.segments[1] !== 'tokens') return
    const { method, path, proxy } = request
    const contentType = request.headers['content-type'] ?? ''
    calls.push({ method, path, proxy, contentType, body: request.body.toString(), bearer: takeToken(request), status })
  }

  async function handle(message: IncomingMessage, response: ServerResponse, proxy: number) {
    busy += 1
    const request = await readRequest(message, proxy).finally(() => {
      busy -= 1
    })
    const spoilt = await faults.apply(request, message, response)
    if (spoilt !== undefined) return record(request, spoilt)
    busy += 1
    const answering = route(request).finally(() => {
      busy -= 1
    })
    const answer = await answering.catch((error: unknown) => {
      if (error instanceof Refusal) return presentRefusal(error, request, nodeOf(proxy))
      throw error
    })
    record(request, answer.status)
    send(response, answer)
  }

  async function open(proxy: number): Promise<Server> {
    const server = createServer((message, response) => {
      handle(message, response, proxy).catch(() => message.socket.destroy())
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(ports[proxy], '127.0.0.1', resolve)
    })
    ports[proxy] = (server.address() as AddressInfo).port
    return server
  }

  async function start({ keepsList = false } = {}) {
    if (!keepsList) {
      checker.forget()
      for (const proxy of ports.keys()) revoked.restart(proxy)
    }
    for (const proxy of ports.keys()) servers.push(await open(proxy))
  }

  async function stop() {
    const closing = servers
    servers = []
    faults.release()
    await Promise.all(
      closing.map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        server.closeAllConnections()
        return closed
      }),
    )
  }

  await start()
  return {
    uuid,
    version,
    get url() {
      return urlOf(0)
    },
    get urls() {
      return ports.map((_, proxy) => urlOf(proxy))
    },
    pushes: () => [...batches],
    handshakes: () => calls.filter(({ method }) => method === 'POST'),
    tokenCalls: () => [...calls],
    knows: (token, proxy) =>
      proxy === undefined ? ports.every((_, one) => revoked.has(one, token)) : revoked.has(proxy, token),
    revokedState: (proxy = 0) => revoked.state(proxy),
    isUp: () => servers.length > 0,
    stop,
    start,
    restartProxy(proxy) {
      revoked.restart(proxy)
    },
    fault: faults.set,
    release: faults.release,
    held: faults.held,
    busy: () => busy,
    trust(trust) {
      Object.assign(trusted, { trust, checker: makeChecker(trust) })
    },
    [Symbol.asyncDispose]: stop,
  }
}
