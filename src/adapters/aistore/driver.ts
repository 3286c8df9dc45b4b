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

/** Permission bits of contract section 1.8. */
const permissions = { everything: 2n ** 64n - 1n, admin: 1n << 17n, readWrite: 831n, readOnly: 771n } as const

export function createAistoreDriver(deps: {
  readonly outbound: Outbound
  readonly ring: Pick<KeyRing, 'proof'>
  readonly issuer: Pick<TokenIssuer, 'mintServiceToken' | 'mintCanary'>
  readonly clock: Clock
  /** Limit of one call to a cluster, whatever the number of its URLs. */
  readonly timeoutMs: number
}): Driver {
  const presentPush = createPushBodies()
  const urlOrder = createUrlOrder()

  /** Lets Gatehouse push to that cluster and do nothing else (contract section 3.4, W12); one for each call. */
  function mintBearer(clusterId: string): Promise<string> {
    const claims = { clusters: [{ id: clusterId, perm: permissions.admin.toString() }], admin: false }
    return deps.issuer.mintServiceToken({ clusterId, claims, lifetimeMs: serviceTokenMs })
  }

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
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await mintBearer(cluster.id)}` },
        body: call.body,
        ...limits,
      })
      const asked = { url, clusterId: cluster.id, proof, act } as const
      const refusal = result.kind === 'failed' ? explainFailure(result, asked) : explainAnswer(result, asked)
      if (refusal === undefined) urlOrder.worked(cluster, url)
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

/** The same batch goes to many clusters: it is written out once, and kept as long as the batch itself is. */
function createPushBodies() {
  const kept = new WeakMap<readonly Change[], Buffer>()
  return (changes: readonly Change[]): Buffer => {
    const known = kept.get(changes)
    if (known !== undefined) return known
    const body = writePush(changes.map(({ token }) => token))
    kept.set(changes, body)
    return body
  }
}

/** The version is a string of digits; 4.1 to 4.9 read it, 5.0 does not (contract section 3.1). */
const [pushHead, pushTail] = ['{"tokens":[', '],"version":"0"}']

/** Token by token into one buffer: a batch of megabytes is not made into a string of the same size first. */
function writePush(tokens: readonly string[]): Buffer {
  if (!tokens.every((token) => /^[\w.-]*$/.test(token))) return Buffer.from(JSON.stringify({ tokens, version: '0' }))
  const length = tokens.reduce((sum, token) => sum + token.length + 3, 0) - (tokens.length > 0 ? 1 : 0)
  const body = Buffer.allocUnsafe(pushHead.length + length + pushTail.length)
  let at = body.write(pushHead, 'latin1')
  for (const [index, token] of tokens.entries()) {
    at += body.write(`${index === 0 ? '' : ','}"`, at, 'latin1')
    at += body.write(token, at, 'latin1')
    at += body.write('"', at, 'latin1')
  }
  body.write(pushTail, at, 'latin1')
  return body
}
