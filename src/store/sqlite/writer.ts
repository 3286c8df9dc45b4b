import type { Database } from 'better-sqlite3'
import { isBusy, outageReason, storageFailed } from './failures.ts'

export interface WriteOptions {
  /** The act changes users, roles, clusters, keys or settings: answers that were built from them are void. */
  readonly changesDirectory?: boolean
}

/**
 * Runs `act` in a transaction that is on disk when the promise resolves. Whatever `act` throws undoes what it wrote, and
 * the promise rejects with it. `act` must not await anything.
 * @throws DomainError storage_failed where disk or database did not take it; nothing was changed then
 */
export type Write = <T>(act: () => T, options?: WriteOptions) => Promise<T>

export interface Writer {
  readonly write: Write
  /**
   * Runs `work`, which writes over another connection and may await, while acts wait for their turn instead of for the lock.
   * One such work at a time.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** Writes what was asked for already; every later act is refused with storage_failed. */
  close(): Promise<void>
}

interface Entry {
  readonly act: () => unknown
  readonly changesDirectory: boolean
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

type Ending = { readonly isDone: true; readonly result: unknown } | { readonly isDone: false; readonly error: unknown }

/** Keeps one flush within a few milliseconds, so that requests are answered in between. */
const actsPerFlush = 256
const busyPauseMs = 5

/**
 * Group commit: acts that arrive while others are being written share one transaction and one sync of the disk, each
 * inside its own savepoint, so that one that fails leaves the others alone. They run in the order in which they came.
 *
 * While another process holds the database, acts wait for up to `busyLimitMs` without blocking the event loop.
 */
export function createWriter(
  client: Database,
  options: { readonly onDirectoryChanged: () => void; readonly busyLimitMs?: number },
): Writer {
  const { onDirectoryChanged, busyLimitMs = 10_000 } = options
  const begin = client.prepare('BEGIN IMMEDIATE')
  const runBatch = prepareBatch(client)
  const queue: Entry[] = []
  const idle: (() => void)[] = []
  let isScheduled = false
  let isClosed = false
  let held: Promise<unknown> | undefined
  let busySince: number | undefined

  const write: Write = (act, { changesDirectory = false } = {}) =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(storageFailed('the store is closed'))
      queue.push({ act, changesDirectory, resolve: resolve as (result: unknown) => void, reject })
      schedule(false)
    })

  function schedule(isBusyPause: boolean): void {
    if (isScheduled || held !== undefined) return
    isScheduled = true
    // A timer of its own, not the clock of the rules: what it waits for is a lock of the operating system.
    if (isBusyPause) setTimeout(flush, busyPauseMs)
    else setImmediate(flush)
  }

  function flush(): void {
    isScheduled = false
    if (held !== undefined) return
    const begun = tryBegin()
    if (begun === 'busy') schedule(true)
    else if (begun === 'begun') writeBatch(queue.splice(0, actsPerFlush))
    if (queue.length > 0) schedule(false)
    else for (const resolve of idle.splice(0)) resolve()
  }

  function tryBegin(): 'begun' | 'busy' | 'failed' {
    try {
      begin.run()
      busySince = undefined
      return 'begun'
    } catch (error) {
      if (isBusy(error) && mayWaitOn()) return 'busy'
      rejectAll(queue.splice(0), error)
      return 'failed'
    }
  }

  function writeBatch(batch: readonly Entry[]): void {
    try {
      const endings = runBatch(batch)
      if (batch.some((entry, index) => entry.changesDirectory && endings[index]?.isDone)) onDirectoryChanged()
      endings.forEach((ending, index) => {
        if (ending.isDone) batch[index]?.resolve(ending.result)
        else batch[index]?.reject(ending.error)
      })
    } catch (error) {
      rejectAll(batch, error)
    }
  }

  function mayWaitOn(): boolean {
    busySince ??= performance.now()
    if (performance.now() - busySince < busyLimitMs) return true
    busySince = undefined
    return false
  }

  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    while (held !== undefined) await held
    if (isClosed) throw storageFailed('the store is closed')
    const working = work()
    held = working.then(release, release)
    return working
  }

  function release(): void {
    held = undefined
    if (queue.length > 0) schedule(false)
  }

  async function close(): Promise<void> {
    isClosed = true
    await held
    if (isScheduled) await new Promise<void>((resolve) => idle.push(resolve))
  }

  return { write, exclusively, close }
}

function rejectAll(entries: readonly Entry[], cause: unknown): void {
  const error = storageFailed(outageReason(cause) ?? 'the database refuses the change', cause)
  for (const entry of entries) entry.reject(error)
}

/**
 * Runs the acts of one batch inside the open transaction and commits it. Throws, with everything undone, where the
 * database itself failed: then none of the acts has happened.
 */
function prepareBatch(client: Database): (batch: readonly Entry[]) => readonly Ending[] {
  const commit = client.prepare('COMMIT')
  const rollback = client.prepare('ROLLBACK')
  const savepoint = client.prepare('SAVEPOINT act')
  const release = client.prepare('RELEASE act')
  const rollbackAct = client.prepare('ROLLBACK TO act')

  function runAct(act: () => unknown): Ending {
    savepoint.run()
    try {
      const result = act()
      if (result instanceof Promise)
        throw new Error('an act must not await: its later writes would be in no transaction')
      release.run()
      return { isDone: true, result }
    } catch (error) {
      // An outage may have undone the whole transaction already; and what the disk refused once, the rest can't rely on.
      if (outageReason(error) !== undefined || !client.inTransaction) throw error
      rollbackAct.run()
      release.run()
      return { isDone: false, error }
    }
  }

  return (batch) => {
    try {
      const endings = batch.map((entry) => runAct(entry.act))
      commit.run()
      return endings
    } catch (error) {
      if (client.inTransaction) rollback.run()
      throw error
    }
  }
}
