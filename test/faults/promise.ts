/**
 * The promise that every fault is held against: each acknowledged revocation whose token is alive is held by each proxy of
 * every registered cluster, and none was ever told to be held where it was not.
 */
import { expect } from 'vitest'
import type { AistoreCluster } from '../stand-ins/aistore.ts'

/** What a fault leaves to be looked at, whether the service runs in this process or in one of its own. */
export interface Scene {
  /** Tokens whose revocation was acknowledged and that live. */
  tokens(): readonly string[]
  /** The registered clusters. */
  clusters(): readonly AistoreCluster[]
  /** A call of an administrator to the native API; answers the body. @throws Error where it isn't answered with 2xx */
  ask(method: string, path: string, body?: unknown): Promise<unknown>
  pass(ms: number): Promise<void>
  /**
   * Whether a proxy of the cluster has forgotten its list so shortly before that nobody can know: no probe has looked
   * since. `seenAt` is when one has last found a proxy that had forgotten.
   */
  isUnseen(cluster: AistoreCluster, seenAt: Date | null): boolean
}

interface ClusterBody {
  readonly id: string
  readonly state: string
  readonly behind: number
  readonly lastRestartSeenAt: string | null
  readonly proxies: readonly { readonly canary: string }[]
}

interface TokenBody {
  readonly state: string
  readonly isDeadEverywhere: boolean
  readonly clusters: readonly { readonly cluster: string; readonly isHeld: boolean }[]
}

/** Which of many tokens are asked after one by one: the first, the last and some between. */
const asked = 12
/** Time goes on in such steps while something is missing. */
const stepMs = 1_000
/** However the hands of the clock are moved, the work itself gets so much real time. */
const realMs = 8_000

/** Reports as they are now that the clusters themselves belie, as lines for people. */
export async function falseReports(scene: Scene): Promise<string[]> {
  const tokens = scene.tokens()
  const clusters = scene.clusters()
  // The reports first: a cluster may come to hold something meanwhile, but forgets nothing by itself.
  const { items } = (await scene.ask('GET', '/api/v1/clusters?limit=1000')) as { items: readonly ClusterBody[] }
  const shown = await Promise.all(
    sample(tokens).map(async (token) => ({ token, body: await introspect(scene, token) })),
  )
  const claims = items
    .filter(({ state, behind }) => state === 'in_step' && behind === 0)
    .flatMap(({ id }) => tokens.map((token) => ({ id, token, says: 'in step' })))
  for (const { token, body } of shown) {
    for (const { cluster, isHeld } of body.clusters) if (isHeld) claims.push({ id: cluster, token, says: 'held' })
  }
  const seenAt = (id: string) => {
    const at = items.find((item) => item.id === id)?.lastRestartSeenAt ?? null
    return at === null ? null : new Date(at)
  }
  const lies = new Map<string, number>()
  for (const { id, token, says } of claims) {
    const cluster = clusters.find(({ uuid }) => uuid === id)
    if (cluster === undefined || scene.isUnseen(cluster, seenAt(id)) || cluster.knows(token)) continue
    const { state, proxies } = items.find((item) => item.id === id) ?? { state: 'gone', proxies: [] }
    const shownAs = `${state}; canary: ${proxies.map(({ canary }) => canary).join(', ')}`
    const line = `${id} (${shownAs}) is said to be ${says}, and lacks`
    lies.set(line, (lies.get(line) ?? 0) + 1)
  }
  return [...lies].map(([line, count]) => `${line} ${count} tokens`)
}

/** What is missing where, as lines for people. */
export function missing(scene: Scene): string[] {
  const tokens = scene.tokens()
  return scene.clusters().flatMap((cluster) =>
    cluster.urls.flatMap((_, proxy) => {
      const count = tokens.filter((token) => !cluster.knows(token, proxy)).length
      return count === 0 ? [] : [`${cluster.uuid}, proxy ${proxy}, lacks ${count} of ${tokens.length}`]
    }),
  )
}

/** Lets time pass, `withinMs` at most, until nothing is missing and it is told so; no report may be false on the way. */
export async function expectNothingLost(scene: Scene, withinMs: number): Promise<void> {
  const startedAt = performance.now()
  const isOver = (passed: number) => passed >= withinMs && performance.now() - startedAt > realMs
  for (let passed = 0; ; passed += stepMs) {
    expect(await falseReports(scene)).toEqual([])
    const lacking = missing(scene)
    const open = lacking.length > 0 ? [] : await unconfirmed(scene)
    if (lacking.length + open.length === 0) return
    if (isOver(passed)) return expect([...lacking, ...open]).toEqual([])
    await scene.pass(stepMs)
  }
}

/** Clusters and tokens of which it isn't told yet that all is well. */
async function unconfirmed(scene: Scene): Promise<string[]> {
  const { items } = (await scene.ask('GET', '/api/v1/clusters?limit=1000')) as { items: readonly ClusterBody[] }
  const behind = items.filter(({ state }) => state !== 'in_step').map(({ id, state }) => `${id} is ${state}`)
  if (behind.length > 0) return behind
  const tokens = sample(scene.tokens())
  const bodies = await Promise.all(tokens.map((token) => introspect(scene, token)))
  return bodies.flatMap((body, index) =>
    body.isDeadEverywhere ? [] : [`token ${index} of the sample is ${body.state} and not dead everywhere`],
  )
}

function introspect(scene: Scene, token: string): Promise<TokenBody> {
  return scene.ask('POST', '/api/v1/tokens/introspect', { token }) as Promise<TokenBody>
}

function sample(tokens: readonly string[]): readonly string[] {
  if (tokens.length <= asked) return tokens
  const step = (tokens.length - 1) / (asked - 1)
  return Array.from({ length: asked }, (_, index) => tokens[Math.round(index * step)] ?? '')
}
