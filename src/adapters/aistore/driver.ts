/** How an AIStore cluster is told things: `POST` and `DELETE <url>/v1/tokens` (contract section 3). */
import { createPublicKey } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { Cluster } from '../../core/clusters/cluster.ts'
import { presentClusterName } from '../../core/clusters/cluster.ts'
import type { Driver, Outcome } from '../../core/clusters/driver.ts'
import type { KeyProof, KeyRing } from '../../core/keys/key-ring.ts'
import type { Change } from '../../core/revocation/change.ts'
import type { NewRole } from '../../core/roles/role.ts'
import type { TokenIssuer } from '../../core/tokens/token-issuer.ts'
import type { Outbound } from '../outbound.ts'
import { createAistoreProbe } from './probe.ts'
import { explainAnswer, explainFailure, explainNoUrl } from './refusals.ts'
import { askInTurn, createUrlOrder } from './url-race.ts'

const serviceTokenMs = 5 * 60_000
/**
 * A service token is shown again within this time, while the cluster takes what it is told: under load signing one for
 * each push takes more of the machine than everything else. Whatever follows a refusal or a pause is minted anew.
 */
const serviceTokenReuseMs = 100

/** Permission bits of contract section 1.8. */
const permissions = { everything: 2n ** 64n - 1n, admin: 1n << 17n, readWrite: 831n, readOnly: 771n } as const

export function createAistoreDriver(deps: {
  readonly outbound: Outbound
  readonly ring: Pick<KeyRing, 'proof' | 'generation'>
  readonly issuer: Pick<TokenIssuer, 'mintServiceToken' | 'mintCanary'>
  readonly clock: Clock
  /** Limit of one call to a cluster, whatever the number of its URLs. */
  readonly timeoutMs: number
}): Driver {
  const bearerFor = createServiceTokens(deps)
  const presentPush = createPushBodies()
  const urlOrder = createUrlOrder()

  async function ask(
    call: { readonly method: 'POST' | 'DELETE'; readonly body: string | Buffer },
    cluster: Cluster,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const proof = deps.ring.proof().kind
    const act = call.method === 'POST' ? 'handshake' : 'push'
    const askOne = async (url: string, limits: { timeoutMs: number; signal: AbortSignal }): Promise<Outcome> => {
      const result = await deps.outbound.request({
        method: call.method,
        url: `${url}/v1/tokens`,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await bearerFor(cluster.id)}` },
        body: call.body,
        ...limits,
      })
      const asked = { url, clusterId: cluster.id, proof, act } as const
      const refusal = result.kind === 'failed' ? explainFailure(result, asked) : explainAnswer(result, asked)
      if (refusal === undefined) urlOrder.worked(cluster, url)
      else bearerFor.forget(cluster.id)
      return refusal ?? { kind: 'accepted', url }
    }
    const isAccepted = (outcome: Outcome) => outcome.kind === 'accepted'
    const limits = { clock: deps.clock, limitMs: deps.timeoutMs, signal }
    return mostTelling(await askInTurn(urlOrder.of(cluster), askOne, isAccepted, limits))
  }

  async function handshake(cluster: Cluster, signal: AbortSignal): Promise<Outcome> {
    let outcome: Outcome = explainNoUrl()
    for (const body of presentProofs(deps.ring.proof())) {
      outcome = await ask({ method: 'POST', body }, cluster, signal)
      const mayBeForm = outcome.kind === 'refused' && outcome.status === 400 && outcome.reason !== 'not_a_cluster'
      if (!mayBeForm) return outcome
    }
    return outcome
  }

  const driver: Driver = {
    kind: 'aistore',
    takes: (kind) => kind === 'token_revoked',
    handshake,
    ...createAistoreProbe({ ...deps, urlOrder, handshake }),

    async push(cluster, changes, signal) {
      const call = { method: 'DELETE', body: presentPush(changes) } as const
      const outcome = await ask(call, cluster, signal)
      // A proxy in front of the cluster may take smaller bodies only: half of it may pass.
      if (outcome.kind === 'accepted' || outcome.status !== 413 || changes.length < 2) return outcome
      const middle = Math.ceil(changes.length / 2)
      const first = await driver.push(cluster, changes.slice(0, middle), signal)
      return first.kind === 'accepted' ? driver.push(cluster, changes.slice(middle), signal) : first
    },

    predefinedRoles,
  }
  return driver
}

/** Whoever took it; else the last that answered in HTTP, since it knows more than the network does; else the last. */
function mostTelling(outcomes: readonly Outcome[]): Outcome {
  const last = outcomes.at(-1)
  if (last === undefined || last.kind === 'accepted') return last ?? explainNoUrl()
  return outcomes.findLast((outcome) => outcome.kind === 'refused' && outcome.status !== undefined) ?? last
}

/**
 * The handshake's bodies, tried in turn while the cluster finds fault with the form: the public key as PEM, which 4.2
 * and later read, then as bare DER in base64, all that 4.1 reads (contract section 3.4).
 */
function presentProofs(proof: KeyProof): readonly string[] {
  if (proof.kind === 'shared_secret') return [JSON.stringify({ secret: proof.sha256Hex })]
  const der = createPublicKey(proof.pem).export({ type: 'spki', format: 'der' })
  return [JSON.stringify({ public_key: proof.pem }), JSON.stringify({ public_key: der.toString('base64') })]
}

/** Contract section 3.3. */
function predefinedRoles(cluster: Cluster): readonly NewRole[] {
  const suffix = cluster.alias ?? cluster.id
  const display = presentClusterName(cluster)
  const role = (name: string, description: string, bits: bigint): NewRole => ({
    name: `${name}-${suffix}`,
    description: `${description} ${display}`,
    grants: [{ clusterId: cluster.id, resource: null, permissions: bits.toString(), annotations: {} }],
    annotations: {},
  })
  return [
    role('ClusterOwner', 'Admin access to', permissions.everything),
    role('BucketOwner', 'Full access to buckets in', permissions.readWrite),
    role('Guest', 'Read-only access to buckets in', permissions.readOnly),
  ]
}

/** Tokens that let Gatehouse push to one cluster and do nothing else (contract section 3.4, W12). */
function createServiceTokens(deps: Parameters<typeof createAistoreDriver>[0]) {
  const kept = new Map<string, { text: Promise<string>; mintedAt: number; generation: number }>()

  function bearerFor(clusterId: string): Promise<string> {
    const now = deps.clock.now().getTime()
    const generation = deps.ring.generation()
    const known = kept.get(clusterId)
    if (known?.generation === generation && Math.abs(now - known.mintedAt) < serviceTokenReuseMs) return known.text
    const claims = { clusters: [{ id: clusterId, perm: permissions.admin.toString() }], admin: false }
    const text = deps.issuer.mintServiceToken({ clusterId, claims, lifetimeMs: serviceTokenMs })
    kept.set(clusterId, { text, mintedAt: now, generation })
    text.catch(() => kept.delete(clusterId))
    return text
  }
  bearerFor.forget = (clusterId: string) => void kept.delete(clusterId)
  return bearerFor
}

/** The same batch goes to many clusters: it is written out once, and kept as long as the batch itself is. */
function createPushBodies() {
  const kept = new WeakMap<readonly Change[], Buffer>()
  return (changes: readonly Change[]): Buffer => {
    const known = kept.get(changes)
    if (known !== undefined) return known
    // The version is a string of digits; 4.1 to 4.9 read it, 5.0 does not (contract section 3.1).
    const body = Buffer.from(JSON.stringify({ tokens: changes.map((change) => change.token), version: '0' }))
    kept.set(changes, body)
    return body
  }
}
