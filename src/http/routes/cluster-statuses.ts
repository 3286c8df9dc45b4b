import type { Clock } from '../../core/clock.ts'
import { type ClusterStatus, presentClusterStatus } from '../../core/clusters/cluster-status.ts'
import type { RevocationStore } from '../../core/revocation/revocation-store.ts'
import type { CursorStatus, CursorStore } from '../../delivery/cursor-store.ts'
import type { ProbeStatus, ProbeStore } from '../../delivery/probe-store.ts'

/** What a cluster has acknowledged, as this process knows: up to a second ahead of the store. */
export type ProgressOf = (clusterId: string) => { readonly acknowledged: number; readonly at: Date } | undefined

/** How clusters are, by id. */
export interface Statuses {
  readonly progressOf: ProgressOf
  all(): Promise<ReadonlyMap<string, ClusterStatus>>
  of(clusterId: string): Promise<ClusterStatus | undefined>
}

/** What delivery and probes have written down, summed up. */
export function createStatuses(deps: {
  readonly cursors: Pick<CursorStore, 'list' | 'get'>
  readonly probes: Pick<ProbeStore, 'list' | 'get'>
  readonly revocations: Pick<RevocationStore, 'lastSequence'>
  readonly progressOf: ProgressOf
  readonly clock: Clock
}): Statuses {
  const { progressOf } = deps
  /** Read after the cursors: whoever has acknowledged this has acknowledged all that was counted. */
  const readHead = () => deps.revocations.lastSequence()

  function sumUp(cursor: CursorStatus, probe: ProbeStatus | undefined, head: number, now: Date): ClusterStatus {
    return presentClusterStatus(withHeard(cursor, head, progressOf(cursor.clusterId)), probe, now)
  }

  return {
    progressOf,

    async all() {
      const now = deps.clock.now()
      const [cursors, probes] = await Promise.all([deps.cursors.list(now), deps.probes.list()])
      const head = await readHead()
      const probeOf = new Map(probes.map((probe) => [probe.clusterId, probe]))
      return new Map(
        cursors.map((cursor) => [cursor.clusterId, sumUp(cursor, probeOf.get(cursor.clusterId), head, now)]),
      )
    },

    async of(clusterId) {
      const now = deps.clock.now()
      const [cursor, probe] = await Promise.all([deps.cursors.get(clusterId, now), deps.probes.get(clusterId)])
      return cursor && sumUp(cursor, probe, await readHead(), now)
    },
  }
}

/** A cluster that has everything is not shown as behind until that is written down. */
function withHeard(cursor: CursorStatus, head: number, heard: ReturnType<ProgressOf>): CursorStatus {
  if (heard === undefined || heard.acknowledged < head || cursor.behind === 0) return cursor
  return { ...cursor, behind: 0, behindSince: null, lastAcknowledgedAt: heard.at }
}
