/** The files of an AuthN (contract sections 2.5, 4.1, 4.3). */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AuthnDatabaseError } from './authn-database-error.ts'

export interface AuthnFolder {
  readonly folder: string
  /** Where it was named itself; undefined where the folder was. */
  readonly namedDatabase: string | undefined
  /** Undefined where there is none. */
  readonly configFile: string | undefined
  /** Where AuthN has its private key unless the environment names another place. */
  readonly keyFile: string
}

const databaseName = 'authn.db'

/** The files below `path`: the folder of AuthN, or its database. */
export function openAuthnFolder(path: string): AuthnFolder {
  const isFolder = existsSync(path) && statSync(path).isDirectory()
  const folder = isFolder ? path : dirname(path)
  const config = join(folder, 'authn.json')
  return {
    folder,
    namedDatabase: isFolder ? undefined : path,
    configFile: isFile(config) ? config : undefined,
    keyFile: join(folder, 'authn_rsa.key'),
  }
}

/**
 * The database: the one that was named, the one that the configuration names (empty = none), or the one in the folder. The
 * configuration may name a path of another machine: the database in the folder counts then.
 * @throws AuthnDatabaseError where there is none
 */
export function findDatabase({ folder, namedDatabase }: AuthnFolder, configured: string): string {
  const beside = join(folder, databaseName)
  const places =
    namedDatabase !== undefined ? [namedDatabase] : configured === '' ? [beside] : [resolve(folder, configured), beside]
  const found = places.find(isFile)
  if (found !== undefined) return found
  throw new AuthnDatabaseError(
    `there is no ${places.join(' and no ')}: name the database of AIStore's AuthN, or the folder that holds it`,
  )
}

/** The content of a file; undefined where there is none. @throws AuthnDatabaseError where it can't be read */
export function readOptional(file: string): Buffer | undefined {
  if (!isFile(file)) return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new AuthnDatabaseError(`can't read ${file} (${code})`, { cause: error })
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}
