import type { Change } from './change.ts'
import type { RevocationStore } from './revocation-store.ts'

/** How much one request to a cluster may carry. */
export interface BatchLimits {
  readonly changes: number
  readonly bytes: number
}

/**
 * Clusters copy their whole list at every push: few large requests are easier on them than many small ones. Larger ones than
 * this would be hundreds of megabytes here when a hundred clusters are told everything at once.
 */
export const defaultBatchLimits: BatchLimits = { changes: 10_000, bytes: 4 * 1024 * 1024 }

export interface Batch {
  readonly changes: readonly Change[]
  /** Everything up to here that still matters is in `changes` or lies before where reading began. */
  readonly upTo: number
  /** The limits ended it; more may follow. */
  readonly isCut: boolean
}

/** What a change takes up in a request: its token, quotes and a comma. */
export function sizeChange(change: Change): number {
  return change.token.length + 3
}

/** Keeps the event loop free: reading and unsealing a hundred changes takes a millisecond or two. */
const chunkSize = 100

/**
 * Reads the changes after `after` and, if given, up to `until`, whose tokens live at `now`, as many as fit; at least one
 * if there is any.
 */
export async function readBatch(
  revocations: Pick<RevocationStore, 'after' | 'lastSequence'>,
  range: { readonly after: number; readonly until?: number },
  limits: BatchLimits,
  now: Date,
): Promise<Batch> {
  // Read first: whatever comes into the log from now on lies after it.
  const end = range.until ?? (await revocations.lastSequence())
  const changes: Change[] = []
  let bytes = 0
  let upTo = range.after
  while (upTo < end) {
    const limit = Math.min(chunkSize, limits.changes - changes.length)
    if (limit <= 0) return { changes, upTo, isCut: true }
    const chunk = await revocations.after(upTo, { limit, now })
    for (const change of chunk) {
      if (change.sequence > end) return { changes, upTo: end, isCut: false }
      bytes += sizeChange(change)
      if (bytes > limits.bytes && changes.length > 0) return { changes, upTo, isCut: true }
      changes.push(change)
      upTo = change.sequence
    }
    if (chunk.length < limit) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { changes, upTo: Math.max(upTo, end), isCut: false }
}
