/**
 * What happens to signing keys in the course of time: a key that has been published for long enough
 * signs, clusters are asked whether they trust it, and a key leaves when the last token that it signed has ended.
 */
import type { Clock } from '../core/clock.ts'
import type { Cluster, ClusterKind } from '../core/clusters/cluster.ts'
import type { ClusterStore } from '../core/clusters/cluster-store.ts'
import type { Driver, Outcome } from '../core/clusters/driver.ts'
import { planRetirement } from '../core/keys/key-plan.ts'
import type { KeyRing } from '../core/keys/key-ring.ts'
import type { KeyStore } from '../core/keys/key-store.ts'
import type { KeyRotation, NotAsked, RefusedBy } from '../core/keys/rotation.ts'
import type { Logger } from '../core/logger.ts'
import { serviceActor } from '../core/sessions/actor.ts'
import type { ProbeStore } from '../delivery/probe-store.ts'
import type { Worker } from '../supervisor.ts'

export interface KeyRotationDeps {
  readonly ring: KeyRing
  readonly keys: Pick<KeyStore, 'list' | 'isInUse'>
  readonly clusters: Pick<ClusterStore, 'list'>
  readonly drivers: Readonly<Record<ClusterKind, Driver>>
  readonly probes: Pick<ProbeStore, 'hasten'>
  readonly clock: Clock
  readonly log: Logger
  readonly config: {
    /** The longest life that a token of the server that we replaced can have. */
    readonly maximumLifetimeMs: number
    readonly isExternal: boolean
    /** How long the answer to a rotation waits for clusters. */
    readonly budgetMs?: number
  }
}

const everyMs = 10_000
const defaultBudgetMs = 1_000
const askedAtOnce = 64

interface Asking {
  readonly refusedBy: RefusedBy[]
  readonly failed: NotAsked[]
  readonly waiting: Set<Cluster>
}

export function createKeyRotation(deps: KeyRotationDeps): KeyRotation & { readonly worker: Worker } {
  const { ring, keys, drivers, clock, log, config } = deps
  let isStopped = false
  const underWay = new Set<Promise<void>>()
  const calls = new Set<AbortController>()

  /** Asks all, some at once; the answers come in as they come. */
  function askAll(clusters: readonly Cluster[]): { readonly asking: Asking; readonly end: Promise<void> } {
    const asking: Asking = { refusedBy: [], failed: [], waiting: new Set(clusters) }
    const queue = [...clusters]
    async function work() {
      for (let cluster = queue.shift(); cluster !== undefined; cluster = queue.shift()) await ask(cluster, asking)
    }
    const end = Promise.all(Array.from({ length: Math.min(askedAtOnce, clusters.length) }, work))
      .then(() => undefined)
      .catch((error: unknown) => log.error({ event: 'key.asking_failed', error }))
      .finally(() => underWay.delete(end))
    underWay.add(end)
    return { asking, end }
  }

  async function ask(cluster: Cluster, asking: Asking) {
    if (isStopped) return
    const call = new AbortController()
    calls.add(call)
    const outcome = await drivers[cluster.kind].handshake(cluster, call.signal)
    calls.delete(call)
    if (isStopped) return
    asking.waiting.delete(cluster)
    if (outcome.kind === 'refused') note(cluster, outcome, asking)
    // The look tells the status what the cluster thinks of the key now.
    await deps.probes.hasten(cluster.id, clock.now())
  }

  function note({ id: clusterId, alias }: Cluster, refusal: Extract<Outcome, { kind: 'refused' }>, asking: Asking) {
    const { reason, said, advice } = refusal
    const isAnswer = refusal.status !== undefined && refusal.status < 500
    if (isAnswer) asking.refusedBy.push({ clusterId, alias, reason, said, advice })
    else asking.failed.push({ clusterId, alias, reason, said })
    log.warn({ event: 'key.refused', cluster: clusterId, reason, said, advice, kid: ring.signer().kid })
  }

  async function askClusters() {
    const reachable = (await deps.clusters.list()).filter(({ urls }) => urls.length > 0)
    return askAll(reachable)
  }

  async function retireEnded() {
    const { maximumLifetimeMs, isExternal } = config
    const now = clock.now()
    for (const kid of planRetirement(await keys.list(), { now, maximumLifetimeMs, isExternal })) {
      if (kid !== ring.signer().kid && !(await keys.isInUse(kid, now))) await ring.retire(kid, serviceActor)
    }
  }

  async function turn() {
    await ring.follow()
    if ((await ring.activateDue()) !== undefined) await askClusters()
    await retireEnded()
  }

  return {
    async rotate(by) {
      const rotated = await ring.rotate(by)
      if (rotated.activatesAt !== null) return { ...rotated, refusedBy: [], notAsked: [] }
      const { asking, end } = await askClusters()
      const ended = new AbortController()
      await Promise.race([end, clock.wait(config.budgetMs ?? defaultBudgetMs, ended.signal)])
      ended.abort('ended')
      const waiting = [...asking.waiting].map(({ id, alias }) => {
        return { clusterId: id, alias, reason: null, said: 'it has not answered yet' }
      })
      return { ...rotated, refusedBy: [...asking.refusedBy], notAsked: [...asking.failed, ...waiting] }
    },

    retire: (kid, by) => ring.retire(kid, by),

    worker: {
      name: 'key-rotation',
      async run(signal) {
        while (!signal.aborted) {
          await turn().catch((error: unknown) => log.error({ event: 'key.turn_failed', error }))
          await clock.wait(everyMs, signal)
        }
        isStopped = true
        for (const call of calls) call.abort('stopped')
        await Promise.all(underWay)
      },
    },
  }
}
