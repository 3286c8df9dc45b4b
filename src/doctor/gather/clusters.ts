import { createDrivers } from '../../adapters/index.ts'
import type { Outbound } from '../../adapters/outbound.ts'
import { lookAtCertificate } from '../../adapters/outbound-certificate.ts'
import type { Config } from '../../config.ts'
import type { Clock } from '../../core/clock.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'
import { presentClusterStatus } from '../../core/clusters/cluster-status.ts'
import { createStillRing } from '../../core/keys/still-ring.ts'
import { createTokenIssuer } from '../../core/tokens/token-issuer.ts'
import type { CertificateFacts, ClusterFacts } from '../facts.ts'
import type { StoreFacts } from './store.ts'

export interface ClusterDeps {
  readonly outbound: Outbound
  readonly clock: Clock
  readonly signal: AbortSignal
}

const timeoutMs = 5_000
const clustersAtOnce = 16
/** Of one cluster: more proxies than that share a clock and a certificate's authority anyway. */
const urlsLookedAt = 4

/**
 * What the store knows of each cluster, and what a look at it finds now. Undefined where the store can't be read.
 * @param deps undefined = nothing is asked over the network
 */
export async function gatherClusters(
  config: Config,
  facts: StoreFacts,
  deps: ClusterDeps | undefined,
  now: Date,
): Promise<readonly ClusterFacts[] | undefined> {
  const { store } = facts
  if (store === undefined) return undefined
  const [clusters, cursors, probes] = await Promise.all([
    store.clusters.list(),
    store.cursors.list(now),
    store.probes.list(),
  ])
  const probe = deps && createProbe(config, facts, deps)
  const look = async (cluster: Cluster): Promise<ClusterFacts | undefined> => {
    const cursor = cursors.find(({ clusterId }) => clusterId === cluster.id)
    if (cursor === undefined) return undefined
    const known = probes.find(({ clusterId }) => clusterId === cluster.id)
    const status = presentClusterStatus(cursor, known, now)
    const [report, seen] = await Promise.all([probe?.(cluster), deps && lookAtUrls(cluster, config, deps)])
    return { cluster, status, report, clockAheadMs: seen?.clockAheadMs, certificates: seen?.certificates ?? [] }
  }
  const found: ClusterFacts[] = []
  for (let from = 0; from < clusters.length; from += clustersAtOnce) {
    const some = await Promise.all(clusters.slice(from, from + clustersAtOnce).map(look))
    found.push(...some.filter((facts) => facts !== undefined))
  }
  return found
}

/** The driver's own look, without a canary: whether lists were forgotten is for the service, which has pushed them. */
function createProbe(config: Config, facts: StoreFacts, { outbound, clock, signal }: ClusterDeps) {
  const { store, sealer, rsa, sharedSecret } = facts
  if (store === undefined || sealer === undefined || (sharedSecret === '' && rsa === undefined)) return undefined
  const ring = createStillRing(rsa === undefined ? { sharedSecret } : { rsa })
  const issuer = createTokenIssuer({ ring, tokens: store.tokens, sealer, issuer: config.net.externalUrl, clock })
  const drivers = createDrivers({ outbound, ring, issuer, clock, timeoutMs })
  return (cluster: Cluster) => drivers[cluster.kind].probe(cluster, null, signal)
}

async function lookAtUrls({ urls }: Cluster, config: Config, { outbound, clock, signal }: ClusterDeps) {
  const looked = urls.slice(0, urlsLookedAt)
  const { authorities } = config.outbound
  const seen = await Promise.all(
    looked
      .filter((url) => url.startsWith('https:'))
      .map(async (where): Promise<CertificateFacts | undefined> => {
        const certificate = await lookAtCertificate(where, { authorities, signal })
        return certificate && { where, ...certificate }
      }),
  )
  const clocks = await Promise.all(looked.map((url) => askClock(url, { outbound, clock, signal })))
  const known = clocks.filter((ms) => ms !== undefined)
  const worst = known.sort((a, b) => Math.abs(b) - Math.abs(a))[0]
  return { clockAheadMs: worst, certificates: seen.filter((certificate) => certificate !== undefined) }
}

/** A Date header (RFC 9110 section 6.6.1) has whole seconds, and was written between asking and hearing. */
async function askClock(url: string, { outbound, clock, signal }: ClusterDeps): Promise<number | undefined> {
  const askedAt = clock.now().getTime()
  const result = await outbound.request({ method: 'HEAD', url: `${url}/`, timeoutMs, signal })
  const heardAt = clock.now().getTime()
  const date = result.kind === 'answered' ? result.headers.date : undefined
  const at = typeof date === 'string' ? Date.parse(date) : Number.NaN
  if (Number.isNaN(at)) return undefined
  if (at > heardAt) return at - heardAt
  return at + 1000 < askedAt ? at + 1000 - askedAt : 0
}
