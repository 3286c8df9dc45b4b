import { randomBytes } from 'node:crypto'
import type { Cluster } from '../../src/core/clusters/cluster.ts'
import type { Driver, Outcome } from '../../src/core/clusters/driver.ts'
import type { ProbeReport } from '../../src/core/clusters/probe.ts'
import type { RefusalReason } from '../../src/core/errors.ts'
import { createSealer, type Sealer } from '../../src/core/keys/sealer.ts'
import type { LogEntry, Logger } from '../../src/core/logger.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { actorNamed } from '../actors.ts'
import { aToken } from '../store/conformance/samples.ts'

type Answer = Outcome | 'held'

/** A driver that keeps what it was asked to tell and answers as a test says. */
export interface ScriptedDriver extends Driver {
  /** Token texts of each push that reached the cluster, in order; a held one counts when it is let go. */
  pushes(clusterId: string): readonly (readonly string[])[]
  /** Every attempt, whatever came of it. */
  attempts(clusterId: string): number
  handshakes(): readonly Cluster[]
  /** From now on the cluster answers so; a function decides for each attempt. */
  script(clusterId: string, answer: Answer | (() => Answer)): void
  /** Lets held pushes be taken. */
  release(clusterId: string): void
  /** What a probe finds; unless told otherwise, a cluster of one proxy that knows the canary. */
  find(clusterId: string, look: (canary: string | null) => ProbeReport | Promise<ProbeReport>): void
  /** The canaries that probes have shown, in order; null for a look without one. */
  looks(clusterId: string): readonly (string | null)[]
  /** The most pushes that were under way at once: for one cluster, and over all. */
  peak(): { readonly oneCluster: number; readonly all: number }
}

const accepted: Outcome = { kind: 'accepted', url: 'http://cluster.test' }

export function refused(reason: RefusalReason = 'unreachable', more: { retryAfterMs?: number } = {}): Outcome {
  return { kind: 'refused', reason, url: 'http://cluster.test', said: `it is ${reason}`, advice: 'Look.', ...more }
}

export function createScriptedDriver(): ScriptedDriver {
  const finds = new Map<string, (canary: string | null) => ProbeReport | Promise<ProbeReport>>()
  const looked = new Map<string, (string | null)[]>()
  const scripts = new Map<string, () => Answer>()
  const pushed = new Map<string, (readonly string[])[]>()
  const attempted = new Map<string, number>()
  const shaken: Cluster[] = []
  const held = new Map<string, (() => void)[]>()
  const underWay = new Map<string, number>()
  const peak = { oneCluster: 0, all: 0 }

  function answerOf(clusterId: string): Answer {
    return scripts.get(clusterId)?.() ?? accepted
  }

  function untilReleased(clusterId: string, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(refused('timed_out')))
      held.set(clusterId, [...(held.get(clusterId) ?? []), () => resolve(accepted)])
    })
  }

  function count(clusterId: string, change: number) {
    underWay.set(clusterId, (underWay.get(clusterId) ?? 0) + change)
    peak.oneCluster = Math.max(peak.oneCluster, underWay.get(clusterId) ?? 0)
    peak.all = Math.max(
      peak.all,
      [...underWay.values()].reduce((sum, one) => sum + one, 0),
    )
  }

  return {
    kind: 'aistore',
    takes: () => true,
    predefinedRoles: () => [],
    async handshake(cluster) {
      shaken.push(cluster)
      const answer = answerOf(cluster.id)
      return answer === 'held' ? accepted : answer
    },
    async push({ id }, changes, signal) {
      attempted.set(id, (attempted.get(id) ?? 0) + 1)
      count(id, 1)
      const answer = answerOf(id)
      const outcome = answer === 'held' ? await untilReleased(id, signal) : answer
      count(id, -1)
      if (outcome.kind === 'accepted') pushed.set(id, [...(pushed.get(id) ?? []), changes.map(({ token }) => token)])
      return outcome
    },
    mintCanary: async ({ id }) => ({
      token: `canary-${id}-${randomBytes(4).toString('hex')}`,
      expiresAt: new Date(8.64e15),
    }),
    async probe({ id }, canary) {
      looked.set(id, [...(looked.get(id) ?? []), canary])
      return (finds.get(id) ?? ((shown) => aReport(id, [shown === null ? 'silent' : 'knows'])))(canary)
    },
    find: (id, look) => void finds.set(id, look),
    looks: (id) => looked.get(id) ?? [],
    pushes: (id) => pushed.get(id) ?? [],
    attempts: (id) => attempted.get(id) ?? 0,
    handshakes: () => shaken,
    script(id, answer) {
      scripts.set(id, typeof answer === 'function' ? answer : () => answer)
    },
    release(id) {
      for (const letGo of held.get(id) ?? []) letGo()
      held.delete(id)
    },
    peak: () => peak,
  }
}

/** What a probe of a healthy cluster finds, with one proxy a verdict, the first of them the primary. */
export function aReport(
  clusterId: string,
  verdicts: readonly ProbeReport['proxies'][number]['canary'][],
  more: Partial<ProbeReport> = {},
): ProbeReport {
  const proxies = verdicts.map((canary, index) => ({
    proxyId: `p${index}`,
    url: `http://p${index}.${clusterId}.test`,
    isPrimary: index === 0,
    canary,
    said: canary === 'knows' || canary === 'silent' ? null : `it ${canary}`,
    silentSince: null,
  }))
  const well = { isEveryProxyAsked: true, isKeyTrusted: true, isAuthenticationOn: true, trouble: null }
  return { clusterId, proxies, ...well, ...more }
}

export interface KeptLog extends Logger {
  readonly entries: readonly LogEntry[]
}

export function keepLog(): KeptLog {
  const entries: LogEntry[] = []
  const keep = (entry: LogEntry) => void entries.push(entry)
  return { entries, debug: keep, info: keep, warn: keep, error: keep }
}

export function openMemoryStore(): { readonly store: Store; readonly sealer: Sealer } {
  const sealer = createSealer(randomBytes(32))
  return { store: openSqliteStore({ file: ':memory:', sealer }), sealer }
}

/** Revokes tokens of these texts in one commit; answers the last sequence. */
export async function recordRevocations(
  { store, sealer }: { readonly store: Store; readonly sealer: Sealer },
  texts: readonly string[],
  times: { readonly at: Date; readonly expiresAt: Date },
): Promise<number> {
  const recorded = await Promise.all(
    texts.map((text) =>
      store.revocations.record({
        token: aToken(text, sealer, { issuedAt: times.at, expiresAt: times.expiresAt }),
        by: actorNamed('ann'),
        reason: 'test',
        at: times.at,
      }),
    ),
  )
  return Math.max(...recorded.map(({ sequence }) => sequence))
}
