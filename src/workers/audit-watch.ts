import type { AuditStore } from '../core/audit/audit-store.ts'
import type { Refusals } from '../core/audit/refusals.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Worker } from '../supervisor.ts'

const everyMs = 5_000
const headEveryMs = 3_600_000

/**
 * Writes the refusals that were counted, and says from time to time in the log how far the audit trail has got: whoever
 * keeps the log elsewhere can tell later whether the end of the trail was cut off.
 */
export function createAuditWatch(deps: {
  readonly audit: Pick<AuditStore, 'head'>
  readonly refusals: Pick<Refusals, 'flush'>
  readonly clock: Clock
  readonly log: Logger
}): Worker {
  const { audit, refusals, clock, log } = deps
  let told = 0

  async function tellHead(): Promise<void> {
    const { id, hash } = await audit.head()
    if (id === told) return
    told = id
    log.info({ event: 'audit.head', id, hash })
  }

  return {
    name: 'audit-watch',
    async run(signal) {
      let headAt = clock.now().getTime()
      await tellHead()
      while (!signal.aborted) {
        await clock.wait(everyMs, signal)
        await refusals.flush(signal.aborted ? 'all' : 'ended')
        if (!signal.aborted && Math.abs(clock.now().getTime() - headAt) < headEveryMs) continue
        headAt = clock.now().getTime()
        await tellHead()
      }
    },
  }
}
