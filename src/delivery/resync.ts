import type { Clock } from '../core/clock.ts'
import type { Actor } from '../core/sessions/actor.ts'
import { requireScope } from '../core/sessions/permission.ts'
import type { CursorStore } from './cursor-store.ts'
import type { ProbeStore } from './probe-store.ts'

/** How soon after a resync was asked for the cluster is looked at. */
const lookAfterMs = 200

/**
 * Has everything that still matters sent to a cluster again, and what came of it looked at; returns when that is certain.
 * @throws DomainError beyond_authority
 */
export type Resync = (clusterId: string, by: Actor) => Promise<void>

export function createResync(deps: {
  readonly cursors: Pick<CursorStore, 'resync'>
  readonly probes: Pick<ProbeStore, 'hasten'>
  /** Tells delivery that there is something to do. */
  readonly wake: () => void
  readonly clock: Clock
}): Resync {
  return async (clusterId, by) => {
    requireScope(by, 'clusters:resync', { id: clusterId })
    const now = deps.clock.now()
    await deps.cursors.resync(clusterId, now, by)
    await deps.probes.hasten(clusterId, new Date(now.getTime() + lookAfterMs))
    deps.wake()
  }
}
