import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'

/**
 * What was changed at run time, read beside a service that may be running: nothing is written, locked or migrated. What
 * stands for a secret only says that there is one. Empty where there is no database, or none that can be read.
 */
export function readStoredSettings(file: string): readonly { readonly name: string; readonly value: string }[] {
  if (file === ':memory:' || !existsSync(file)) return []
  let client: Database.Database | undefined
  try {
    client = new Database(file, { readonly: true, fileMustExist: true })
    return client
      .prepare<[], { name: string; value: string }>("SELECT name, coalesce(value, 'sealed') AS value FROM settings")
      .all()
  } catch {
    return []
  } finally {
    client?.close()
  }
}
