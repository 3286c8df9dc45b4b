/**
 * What a look at an AIStore cluster finds: whether it trusts our key and asks for tokens at all, and which of its proxies
 * still know the list of revoked tokens (contract sections 3.4 and 7, W4).
 */
import type { Clock } from '../../core/clock.ts'
import { canaryLifetimeMs } from '../../core/clusters/canary.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'
import type { Driver } from '../../core/clusters/driver.ts'
import type { ProbeReport, ProxyReport } from '../../core/clusters/probe.ts'
import type { KeyRing } from '../../core/keys/key-ring.ts'
import type { TokenIssuer } from '../../core/tokens/token-issuer.ts'
import type { Answer, Outbound } from '../outbound.ts'
import type { Failure } from '../outbound-failures.ts'
import { type ClusterMap, type MapProxy, parseClusterMap } from './cluster-map.ts'
import { showCanary, type Verdict } from './proxy-canary.ts'
import {
  type Asked,
  explainAnswer,
  explainFailure,
  explainNoMap,
  explainNoUrl,
  explainOpen,
  explainReplaced,
  type Refused,
} from './refusals.ts'
import { askInTurn, type UrlOrder } from './url-race.ts'

export interface ProbeDeps {
  readonly outbound: Outbound
  readonly ring: Pick<KeyRing, 'proof'>
  readonly issuer: Pick<TokenIssuer, 'mintServiceToken' | 'mintCanary'>
  readonly clock: Clock
  /** Limit of one call. */
  readonly timeoutMs: number
  readonly handshake: Driver['handshake']
  readonly urlOrder: UrlOrder
}

/** SHOW-CLUSTER, contract section 1.8. */
const showCluster = 1n << 13n
const serviceTokenMs = 60_000
/** A map takes about 600 bytes a node. */
const maximumMapBytes = 8 * 1024 * 1024
const proxiesAtOnce = 8
const maximumProxies = 256
/** How often a URL that stands for several proxies is asked. */
const timesThrough = 4
/** A proxy that answers at all answers such a small question fast. */
const proxyTimeoutMs = 2_000
/** How often it is looked at whether callers without a token are let in. */
const openCheckMs = 60_000

/** What asking for the map came to. */
interface Look {
  readonly map: ClusterMap | undefined
  /** The registered URL that gave the map. */
  readonly url: string
  readonly refused: Refused | undefined
}

/** Who shows its map, or knows who we are and does not: another of its proxies would say the same. */
function hasSpoken({ map, refused }: Look): boolean {
  return map !== undefined || refused?.status === 401 || refused?.status === 403
}

export function createAistoreProbe(deps: ProbeDeps): Pick<Driver, 'mintCanary' | 'probe'> {
  const { outbound, issuer, timeoutMs } = deps
  const isOpen = createOpenCheck(deps)

  async function readMap(cluster: Cluster, signal: AbortSignal): Promise<Look> {
    const claims = { clusters: [{ id: cluster.id, perm: showCluster.toString() }], admin: false }
    const readOne = async (url: string, limits: { timeoutMs: number; signal: AbortSignal }): Promise<Look> => {
      const bearer = await issuer.mintServiceToken({ clusterId: cluster.id, claims, lifetimeMs: serviceTokenMs })
      const result = await getMap(outbound, url, { ...limits, bearer })
      const map = readAnswer(result, url)
      return { map, url, refused: map === undefined ? explain(result, askedOf(url, cluster)) : undefined }
    }
    const limits = { clock: deps.clock, limitMs: timeoutMs, signal }
    const looks = await askInTurn(deps.urlOrder.of(cluster), readOne, hasSpoken, limits)
    const noUrl = explainNoUrl()
    return looks.at(-1) ?? { map: undefined, url: noUrl.url, refused: noUrl }
  }

  function askedOf(url: string, cluster: Cluster): Asked {
    return { url, clusterId: cluster.id, proof: deps.ring.proof().kind, act: 'probe' }
  }

  async function ask(canary: string | null, url: string, cluster: Cluster, signal: AbortSignal, isLast = false) {
    if (canary === null) return unasked
    const limits = { timeoutMs: Math.min(timeoutMs, proxyTimeoutMs), signal, isLast }
    return showCanary(canary, askedOf(url, cluster), { outbound, ...limits })
  }

  /** Where none of the first can be reached, the others lie behind the same wall. */
  async function askKnown(known: readonly MapProxy[], cluster: Cluster, canary: string | null, signal: AbortSignal) {
    const one = async ({ url }: MapProxy) => (url === null ? unusable : ask(canary, url, cluster, signal))
    const first = await inTurns(known.slice(0, proxiesAtOnce), one)
    const others = known.slice(proxiesAtOnce, maximumProxies)
    if (!first.some(({ isReached }) => isReached)) return [...first, ...others.map(() => behindWall)]
    return [...first, ...(await inTurns(others, one))]
  }

  /** Whoever spreads the calls to a URL among proxies does so by connection: each question comes over one of its own. */
  async function askThrough(url: string, times: number, cluster: Cluster, canary: string | null, signal: AbortSignal) {
    let worst = await ask(canary, url, cluster, signal, times > 1)
    for (let time = 1; time < times && worst.canary === 'knows'; time += 1) {
      worst = await ask(canary, url, cluster, signal, true)
    }
    return worst
  }

  async function askProxies(cluster: Cluster, look: Look, canary: string | null, signal: AbortSignal) {
    const known = look.map?.proxies ?? []
    const verdicts = await askKnown(known, cluster, canary, signal)
    const isEvery = known.length > 0 && known.length <= maximumProxies && verdicts.every(({ isReached }) => isReached)
    const proxies = verdicts.map((verdict, index) => toReport(known[index] ?? nobody, verdict))
    if (isEvery) return { proxies, isEveryProxyAsked: true }
    const isBehindWall = known.length > 0 && !verdicts.some(({ isReached }) => isReached)
    const times = isBehindWall ? Math.min(known.length, timesThrough) : 1
    const asked = new Set(proxies.map(({ url }) => url))
    const others = cluster.urls.filter((url) => !asked.has(new URL(url).origin) && !asked.has(url))
    const stands = await inTurns(others, async (url) =>
      toReport({ id: null, url, isPrimary: false }, await askThrough(url, times, cluster, canary, signal)),
    )
    const isStoodFor = isBehindWall && stands.some((stand) => stand.canary !== 'silent')
    const shown = isStoodFor ? proxies.map((proxy) => ({ ...proxy, canary: 'out_of_reach' as const })) : proxies
    return { proxies: [...shown, ...stands], isEveryProxyAsked: false }
  }

  /** A cluster that lets everybody in shows nothing by showing the map: the handshake tells whether it knows our key. */
  async function isTrusted(cluster: Cluster, look: Look, isAuthenticationOn: boolean | null, signal: AbortSignal) {
    if (look.refused !== undefined) return trustOf(look.refused)
    if (isAuthenticationOn !== false) return true
    const outcome = await deps.handshake(cluster, signal)
    return outcome.kind === 'accepted' ? true : trustOf(outcome)
  }

  return {
    async mintCanary({ id }) {
      const claims = { clusters: null, admin: false }
      return issuer.mintCanary({ clusterId: id, claims, lifetimeMs: canaryLifetimeMs })
    },

    async probe(cluster, canary, signal): Promise<ProbeReport> {
      const look = await readMap(cluster, signal)
      const isAuthenticationOn = await isOpen(cluster.id, look, signal)
      const [isKeyTrusted, asked] = await Promise.all([
        isTrusted(cluster, look, isAuthenticationOn, signal),
        askProxies(cluster, look, canary, signal),
      ])
      const trouble = findTrouble(look, isAuthenticationOn, askedOf(look.url, cluster))
      return {
        clusterId: look.map?.uuid ?? null,
        ...asked,
        isKeyTrusted,
        isAuthenticationOn,
        trouble: trouble && { reason: trouble.reason, said: trouble.said, advice: trouble.advice },
      }
    },
  }
}

function findTrouble({ map, refused }: Look, isAuthenticationOn: boolean | null, asked: Asked): Refused | null {
  if (refused !== undefined) return refused
  if (map !== undefined && map.uuid !== asked.clusterId) return explainReplaced(map.uuid, asked)
  return isAuthenticationOn === false ? explainOpen(asked) : null
}

/** A cluster that knows who we are and does not let us look trusts our key all the same. */
function trustOf({ reason, status }: Refused): boolean | null {
  if (reason === 'key_mismatch' || reason === 'wrong_mode') return false
  return status === 403 ? true : null
}

const unasked: Verdict = { canary: 'silent', said: null, isReached: true }
const unusable: Verdict = { canary: 'silent', said: 'the cluster map gives no URL that may be asked', isReached: false }
const behindWall: Verdict = { canary: 'silent', said: 'no other proxy could be reached from here', isReached: false }
const nobody: MapProxy = { id: '', url: null, isPrimary: false }

function toReport(
  { id, url, isPrimary }: Omit<MapProxy, 'id'> & { readonly id: string | null },
  { canary, said }: Verdict,
): ProxyReport {
  return { proxyId: id, url: url ?? '', isPrimary, canary, said, silentSince: null }
}

function getMap(
  outbound: Outbound,
  url: string,
  { bearer, ...limits }: { timeoutMs: number; signal: AbortSignal; bearer?: string },
): Promise<Answer | Failure> {
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
  const maximumBytes = maximumMapBytes
  return outbound.request({ method: 'GET', url: `${url}/v1/daemon?what=smap`, headers, maximumBytes, ...limits })
}

function readAnswer(result: Answer | Failure, url: string): ClusterMap | undefined {
  return result.kind === 'answered' && result.status === 200 ? parseClusterMap(result.text, url) : undefined
}

function explain(result: Answer | Failure, asked: Asked): Refused {
  if (result.kind === 'failed') return explainFailure(result, asked)
  return explainAnswer(result, asked) ?? explainNoMap(asked)
}

/** Whether callers without a token are let in; asked now and then, since it hardly ever changes. */
function createOpenCheck({ outbound, timeoutMs, clock }: ProbeDeps) {
  const kept = new Map<string, { readonly isOn: boolean; readonly at: number }>()
  return async (clusterId: string, look: Look, signal: AbortSignal): Promise<boolean | null> => {
    // Who refuses a token looks at tokens.
    if (look.refused !== undefined) return look.refused.status === 401 || look.refused.status === 403 ? true : null
    const now = clock.now().getTime()
    const known = kept.get(clusterId)
    if (known?.isOn && Math.abs(now - known.at) < openCheckMs) return true
    const result = await getMap(outbound, look.url, { timeoutMs, signal })
    if (result.kind === 'failed') return known?.isOn ?? null
    const isOn = readAnswer(result, look.url) === undefined
    kept.set(clusterId, { isOn, at: now })
    return isOn
  }
}

/** Does the same with each, some at once; the answers keep the order. */
async function inTurns<T, R>(things: readonly T[], act: (thing: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  let next = 0
  async function work() {
    for (let index = next; index < things.length; index = next) {
      next += 1
      const thing = things[index]
      if (thing !== undefined) answers[index] = await act(thing)
    }
  }
  await Promise.all(Array.from({ length: proxiesAtOnce }, work))
  return answers
}
