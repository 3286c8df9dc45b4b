import type { Database } from 'better-sqlite3'
import type { Revisions } from '../../core/revisions.ts'

export interface LocalRevisions extends Revisions {
  /** Called when a change of this process has been committed. */
  advance(): void
}

/**
 * Counts this process's own changes of the directory and, since SQLite tells no more than that another connection has
 * committed something, every commit of others (sqlite.org/pragma.html, data_version).
 */
export function createRevisions(client: Database): LocalRevisions {
  const dataVersion = client.prepare<[], number>('PRAGMA data_version').pluck()
  let seen = dataVersion.get()
  let revision = 1
  return {
    advance: () => {
      revision += 1
    },
    directory: () => {
      const current = dataVersion.get()
      if (current !== seen) {
        seen = current
        revision += 1
      }
      return revision
    },
  }
}
