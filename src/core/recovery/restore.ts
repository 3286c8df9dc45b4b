/**
 * The first start on a store that was put back from a backup.
 *
 * This folder owns what must happen then before anything is served. It doesn't own backups, nor putting one in place
 * (store/backup/).
 */
import type { Clock } from '../clock.ts'
import type { KeyFile } from '../keys/key-store.ts'
import type { Logger } from '../logger.ts'

export interface PendingRestore {
  /** What the backup is called. */
  readonly backup: string
  /** What was written after this is not in the store. */
  readonly backupAt: Date
  readonly restoredAt: Date
  /**
   * Revocations that the backup did not have, taken over from the database that it replaced; null where there was none that
   * could be read.
   */
  readonly carriedRevocations: number | null
  /** Content of the signing key's file, where it has yet to be written. */
  readonly signingKey: Buffer | undefined
  /** What there is of it at `now`. */
  readonly users: number
  readonly clusters: number
  readonly liveTokens: number
  readonly liveRevocations: number
}

export interface RestoreStore {
  /** The restore that no start has completed yet. */
  pending(now: Date): Promise<PendingRestore | undefined>
  /** The signing key's file is written. */
  forgetSigningKey(): Promise<void>
  complete(at: Date): Promise<void>
}

export interface RecoveryDeps {
  readonly restores: RestoreStore
  readonly keyFile: KeyFile
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Finishes a restore, if there is one to finish, and says what was recovered and what was not. Every cluster's cursor stands
 * at the start of the log already, so that delivery tells each of them everything again.
 * @throws DomainError storage_failed where the signing key can't be written
 */
export async function completeRestore({ restores, keyFile, clock, log }: RecoveryDeps): Promise<void> {
  const restore = await restores.pending(clock.now())
  if (restore === undefined) return
  await installSigningKey(restore, { restores, keyFile })
  const { backup, backupAt, restoredAt, carriedRevocations, users, clusters, liveTokens, liveRevocations } = restore
  const isCarried = carriedRevocations !== null
  log.warn({
    event: 'store.restored',
    backup,
    backupAt,
    restoredAt,
    recovered: { users, clusters, liveTokens, liveRevocations, carriedRevocations },
    notRecovered: `whatever was written after ${backupAt.toISOString()}, revocations ${isCarried ? 'excepted' : 'too'}: see docs/guides/backup-and-upgrade.md`,
    resyncing: clusters,
  })
  await restores.complete(clock.now())
}

/** Writes the signing key that belongs to the store, unless its file holds it. @throws DomainError storage_failed */
export async function installSigningKey(
  { signingKey }: Pick<PendingRestore, 'signingKey'>,
  { restores, keyFile }: Pick<RecoveryDeps, 'restores' | 'keyFile'>,
): Promise<void> {
  if (signingKey === undefined) return
  const present = await keyFile.read()
  if (present === undefined || !present.equals(signingKey)) await keyFile.write(signingKey)
  await restores.forgetSigningKey()
}
