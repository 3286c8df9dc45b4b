/**
 * The latest changes, read and unsealed once for all clusters. What lies further back is read from the log, and kept
 * only as long as several clusters are likely to ask for the same.
 */
import { type Batch, type BatchLimits, readBatch, sizeChange } from '../core/revocation/batch.ts'
import type { Change } from '../core/revocation/change.ts'
import type { RevocationStore } from '../core/revocation/revocation-store.ts'

export interface RecentChanges {
  /** What comes after `sequence`, in order; sees everything that was committed before the call. */
  after(sequence: number, limits: BatchLimits, now: Date): Promise<Batch>
  /** What comes after `sequence`, up to `until`. */
  between(sequence: number, until: number, limits: BatchLimits, now: Date): Promise<Batch>
  /** Lets go of what was kept for others that are as far behind. */
  forgetOlder(): void
}

const keptBatches = 4

export function createRecentChanges(
  revocations: Pick<RevocationStore, 'after' | 'lastSequence'>,
  kept: BatchLimits = { changes: 20_000, bytes: 16 * 1024 * 1024 },
): RecentChanges {
  /** In order: all changes after `floor`, up to `head`. */
  let recent: Change[] = []
  let bytes = 0
  let floor: number | undefined
  let head = 0
  /** Batches cut from `recent` since it last grew: clusters that are equally far get the very same one. */
  const cut = new Map<string, readonly Change[]>()
  const older = new Map<string, Promise<Batch>>()
  let latest = Number.NEGATIVE_INFINITY
  let isOutdated = false

  /** What had expired when it was read was left out; after the clock is set back it may matter again. */
  function notice(now: Date): void {
    if (now.getTime() < latest) {
      older.clear()
      isOutdated = true
    }
    latest = now.getTime()
  }

  async function catchUp(now: Date): Promise<void> {
    if (isOutdated) {
      isOutdated = false
      recent = []
      bytes = 0
      cut.clear()
      floor = undefined
    }
    if (floor === undefined) {
      head = await revocations.lastSequence()
      floor = head
      return
    }
    for (;;) {
      const { changes, upTo, isCut } = await readBatch(revocations, { after: head }, kept, now)
      head = upTo
      for (const change of changes) {
        recent.push(change)
        bytes += sizeChange(change)
      }
      if (changes.length > 0) cut.clear()
      dropOldest()
      if (!isCut) return
    }
  }

  function dropOldest() {
    let dropped = 0
    for (const change of recent) {
      if (recent.length - dropped <= kept.changes && bytes <= kept.bytes) break
      bytes -= sizeChange(change)
      floor = change.sequence
      dropped += 1
    }
    if (dropped > 0) recent = recent.slice(dropped)
  }

  const refresh = shareRuns(catchUp)

  function cutRecent(sequence: number, limits: BatchLimits, now: Date): Batch {
    const changes: Change[] = []
    let size = 0
    for (let index = findAfter(recent, sequence); index < recent.length; index += 1) {
      const change = recent[index]
      if (change === undefined || change.expiresAt <= now) continue
      size += sizeChange(change)
      const isFull = changes.length >= limits.changes || (size > limits.bytes && changes.length > 0)
      if (isFull) return { changes: same(changes), upTo: changes.at(-1)?.sequence ?? sequence, isCut: true }
      changes.push(change)
    }
    return { changes: same(changes), upTo: Math.max(sequence, head), isCut: false }
  }

  function same(changes: readonly Change[]): readonly Change[] {
    const key = `${changes[0]?.sequence}-${changes.at(-1)?.sequence}-${changes.length}`
    const known = cut.get(key)
    if (known !== undefined) return known
    cut.set(key, changes)
    return changes
  }

  async function between(sequence: number, until: number, limits: BatchLimits, now: Date): Promise<Batch> {
    notice(now)
    const key = `${sequence}-${until}-${limits.changes}-${limits.bytes}`
    const reading = older.get(key)
    if (reading === undefined) return readOlder(key, sequence, until, limits, now)
    const known = await reading
    if (known.changes.every((change) => change.expiresAt > now)) return known
    return readOlder(key, sequence, until, limits, now)
  }

  function readOlder(key: string, sequence: number, until: number, limits: BatchLimits, now: Date): Promise<Batch> {
    const reading = readBatch(revocations, { after: sequence, until }, limits, now)
    const [oldest] = older.keys()
    if (older.size >= keptBatches && oldest !== undefined) older.delete(oldest)
    older.set(key, reading)
    reading.catch(() => older.delete(key))
    return reading
  }

  return {
    between,
    forgetOlder: () => older.clear(),
    async after(sequence, limits, now) {
      notice(now)
      await refresh(now)
      const from = floor ?? head
      if (sequence >= from) return cutRecent(sequence, limits, now)
      const old = await between(sequence, from, limits, now)
      if (old.isCut) return old
      const room = {
        changes: limits.changes - old.changes.length,
        bytes: limits.bytes - old.changes.reduce((sum, change) => sum + sizeChange(change), 0),
      }
      if (room.changes <= 0 || room.bytes <= 0) return { ...old, isCut: true }
      // Read again: the recent changes may have moved on meanwhile.
      if ((floor ?? head) > from) return { ...old, isCut: true }
      const rest = cutRecent(from, room, now)
      if (rest.changes.length === 0) return { changes: old.changes, upTo: rest.upTo, isCut: rest.isCut }
      return { changes: [...old.changes, ...rest.changes], upTo: rest.upTo, isCut: rest.isCut }
    },
  }
}

/** Index of the first change after `sequence`. */
function findAfter(changes: readonly Change[], sequence: number): number {
  let low = 0
  let high = changes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((changes[middle]?.sequence ?? 0) > sequence) high = middle
    else low = middle + 1
  }
  return low
}

/** Never two runs at once; who calls during a run gets the next one, shared by all who do: it sees what they know of. */
function shareRuns(run: (now: Date) => Promise<void>): (now: Date) => Promise<void> {
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined

  function start(now: Date): Promise<void> {
    const running = run(now).finally(() => {
      if (current === running) current = undefined
    })
    current = running
    return running
  }

  return (now) => {
    if (next !== undefined) return next
    if (current === undefined) return start(now)
    next = current
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return start(now)
      })
    return next
  }
}
