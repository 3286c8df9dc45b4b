/** The service in this process with a hand-set clock, stand-in clusters, and what was acknowledged: a scene for faults. */
import { createHandClock, type HandClock } from '../clock.ts'
import { startService, type TestService } from '../service.ts'
import type { TestClusterOptions, TestServiceOptions } from '../service-options.ts'
import type { AistoreCluster, Fault, FaultScope } from '../stand-ins/aistore.ts'
import { expectNothingLost, falseReports, type Scene } from './promise.ts'
import { useFastFolders } from './size.ts'
import { expiryOf, keyMill, secretMill } from './tokens.ts'

export interface World extends AsyncDisposable {
  readonly service: TestService
  readonly clock: HandClock
  readonly scene: Scene
  cluster(alias: string): AistoreCluster
  /** New tokens that live for so long (12 hours unless said otherwise), with so many bytes of ballast. */
  tokens(count: number, livesMs?: number, ballast?: number): Promise<string[]>
  /** Tokens are signed with this secret from now on. */
  useSecret(secret: string): void
  /** Revokes all, some at once; each must be acknowledged. */
  revoke(tokens: readonly string[]): Promise<void>
  /** Revokes so many new ones. */
  revokeNew(count: number): Promise<string[]>
  /** Lets time pass in steps, each with room for what it sets going. */
  pass(ms: number, stepMs?: number): Promise<void>
  /** That proxy, or every one, forgets its list. */
  forget(cluster: AistoreCluster, proxy?: number): void
  /** As the cluster's own, for faults that may come together with forgetting: who can't be asked can't be found out. */
  trouble(cluster: AistoreCluster, fault: Fault | undefined, scope?: FaultScope): void
  /** Up again after a stop: the list is gone. */
  start(cluster: AistoreCluster): Promise<void>
  /** Stopped and started: the list is gone. */
  restart(cluster: AistoreCluster, awayMs: number): Promise<void>
  /** Ends the service and starts it anew on the same data. */
  restartService(): Promise<void>
  /** Takes a cluster off, or puts one on, the list of those that must hold everything. */
  unregister(alias: string): void
  register(alias: string, cluster: AistoreCluster): Promise<void>
  /** No report is false at this moment. */
  expectTruth(): Promise<void>
  /** The promise is kept, within so much time of the hand-set clock. */
  expectKept(withinMs?: number): Promise<void>
}

/** Longest until a probe has looked, at an interval of 10 s and 20 % of jitter, and has been answered. */
const unseenMs = 14_000
/** Long before the resync for safety, which comes every 10 minutes: each fault has a defence of its own. */
const keptWithinMs = 60_000
const atOnce = 64
/** A turn in which this process has done less than this has done nothing. */
const quietMs = 0.3
const mostTurns = 200

export async function startWorld(
  options: Omit<TestServiceOptions, 'clusters' | 'clock'> & { readonly clusters: readonly TestClusterOptions[] },
): Promise<World> {
  const { clusters, ...others } = options
  useFastFolders()
  const clock = createHandClock()
  const service = await startService({
    store: 'file',
    algorithm: 'HS256',
    clock,
    ...others,
    // What is real time there must be short here.
    config: {
      outbound: { timeoutMs: 400, isTlsVerified: true },
      probe: { everyMs: 10_000, resyncEveryMs: 600_000 },
      ...others.config,
    },
    delivery: { timeoutMs: 10_000, retryMs: [500, 1_000, 2_000, 5_000, 10_000], ...others.delivery },
  })
  const registered = new Map<string, AistoreCluster>()
  /** With the instant at which each ends. */
  const acknowledged = new Map<string, number>()
  const troubled = new Set<AistoreCluster>()
  const forgot = new Map<AistoreCluster, { readonly elapsed: number; readonly at: Date }>()
  let elapsed = 0
  let admin = await service.adminToken()
  let secret = service.sharedSecret

  async function pass(ms: number, stepMs = 1_000) {
    for (let passed = 0; passed < ms; passed += stepMs) {
      const step = Math.min(stepMs, ms - passed)
      await clock.advance(step)
      elapsed += step
      await rest()
    }
  }

  /** Room for what was set going, however busy the machine is: until nothing has been done for a while. */
  async function rest() {
    let quietTurns = 0
    for (let turn = 0; turn < mostTurns && quietTurns < 2; turn += 1) {
      const before = performance.eventLoopUtilization()
      await turnOfTime()
      const isQuiet = performance.eventLoopUtilization(before).active < quietMs
      const isBusy = [...registered.values()].some((one) => one.busy() > 0)
      quietTurns = isQuiet && !isBusy ? quietTurns + 1 : 0
    }
  }

  async function whileTimePasses<T>(act: Promise<T>): Promise<T> {
    let isPending = true
    const ended = act.finally(() => {
      isPending = false
    })
    // What it rejects with is for whoever awaits it.
    ended.catch(() => undefined)
    for (let turn = 0; isPending; turn += 1) {
      await turnOfTime()
      if (turn > 30 && isPending) await pass(50, 50)
    }
    return ended
  }

  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const given = body === undefined ? {} : { body, headers: { 'Content-Type': 'application/json' } }
    const send = () => service.request(method, path, { token: admin, ...given })
    let answer = await send()
    if (answer.status === 401) {
      admin = await service.login(service.administrator.name, service.administrator.password)
      answer = await send()
    }
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.text === '' ? undefined : answer.json()
  }

  async function revokeOne(token: string) {
    const answer = await service.request('DELETE', '/v1/tokens', { body: { token } })
    if (answer.status !== 200) throw new Error(`a revocation was answered with ${answer.status}: ${answer.text}`)
    acknowledged.set(token, expiryOf(token))
  }

  /** Of the key that signs now. */
  const mill = () => (options.algorithm === 'RS256' ? keyMill(service.config.signingKey.file) : secretMill(secret))

  const noteForgot = (cluster: AistoreCluster) => forgot.set(cluster, { elapsed, at: clock.now() })

  const scene: Scene = {
    tokens: () => liveAt(acknowledged, clock.now()),
    clusters: () => [...registered.values()],
    ask,
    pass,
    isUnseen(cluster, seenAt) {
      const last = forgot.get(cluster)
      if (last === undefined || (seenAt !== null && seenAt > last.at)) return false
      return !cluster.isUp() || troubled.has(cluster) || elapsed - last.elapsed <= unseenMs
    },
  }

  const world: World = {
    service,
    clock,
    scene,
    pass,
    cluster(alias) {
      const found = registered.get(alias)
      if (found === undefined) throw new Error(`no cluster ${alias} is registered`)
      return found
    },
    tokens: async (count, livesMs, ballast) =>
      mill().make(count, { now: clock.now(), ...(livesMs && { livesMs }), ...(ballast && { ballast }) }),
    useSecret(changed) {
      secret = changed
    },
    async revoke(tokens) {
      const left = tokens.values()
      const work = async () => {
        for (const token of left) await revokeOne(token)
      }
      await whileTimePasses(Promise.all(Array.from({ length: atOnce }, work)))
    },
    async revokeNew(count) {
      const tokens = await world.tokens(count)
      await world.revoke(tokens)
      return tokens
    },
    forget(cluster, proxy) {
      noteForgot(cluster)
      const proxies = proxy === undefined ? [...cluster.urls.keys()] : [proxy]
      for (const one of proxies) cluster.restartProxy(one)
    },
    async restart(cluster, awayMs) {
      await cluster.stop()
      await pass(awayMs)
      await world.start(cluster)
    },
    async start(cluster) {
      noteForgot(cluster)
      await cluster.start()
    },
    trouble(cluster, fault, scope) {
      cluster.fault(fault, scope)
      if (fault !== undefined) return void troubled.add(cluster)
      troubled.delete(cluster)
      // Only now it can be asked.
      const last = forgot.get(cluster)
      if (last !== undefined) forgot.set(cluster, { ...last, elapsed })
    },
    restartService: () => whileTimePasses(service.restart()),
    unregister: (alias) => void registered.delete(alias),
    async register(alias, cluster) {
      const answer = await whileTimePasses(service.registerCluster(alias, cluster))
      if (answer.status !== 200) throw new Error(`registering ${alias}: ${answer.status} ${answer.text}`)
      registered.set(alias, cluster)
    },
    async expectTruth() {
      const lies = await falseReports(scene)
      if (lies.length > 0) throw new Error(lies.join('\n'))
    },
    expectKept: (withinMs = keptWithinMs) => expectNothingLost(scene, withinMs),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  }
  for (const one of clusters) await world.register(one.alias, await service.startCluster(one))
  return world
}

function liveAt(acknowledged: ReadonlyMap<string, number>, now: Date): string[] {
  return [...acknowledged].flatMap(([token, endsAt]) => (endsAt > now.getTime() ? [token] : []))
}

function turnOfTime(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
