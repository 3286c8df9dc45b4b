import type { Database } from 'better-sqlite3'
import { isBusy } from './failures.ts'

/** Runs a query; waits, without blocking, while another process keeps the database from being read (it recovers it). */
export type Read = <T>(query: () => T) => Promise<T>

export interface Reader {
  readonly read: Read
  /** The same for several statements that must see one state, whatever other processes write meanwhile. */
  readonly snapshot: Read
}

const busyPauseMs = 5
const busyLimitMs = 10_000

export function createReader(client: Database): Reader {
  const begin = client.prepare('BEGIN')
  const commit = client.prepare('COMMIT')

  async function read<T>(query: () => T): Promise<T> {
    let busySince: number | undefined
    for (;;) {
      try {
        return query()
      } catch (error) {
        busySince ??= performance.now()
        if (!isBusy(error) || performance.now() - busySince > busyLimitMs) throw error
      }
      // Not the clock of the rules: what it waits for is a lock of the operating system.
      await new Promise((resolve) => setTimeout(resolve, busyPauseMs))
    }
  }

  function inTransaction<T>(query: () => T): T {
    begin.run()
    try {
      return query()
    } finally {
      commit.run()
    }
  }

  return { read, snapshot: (query) => read(() => inTransaction(query)) }
}
