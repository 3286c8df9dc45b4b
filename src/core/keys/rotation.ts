import type { RefusalReason } from '../errors.ts'
import type { Actor } from '../sessions/actor.ts'
import type { Rotated } from './key-ring.ts'

/** A cluster that does not trust the new key, and what to do about it. */
export interface RefusedBy {
  readonly clusterId: string
  readonly alias: string | null
  readonly reason: RefusalReason
  readonly said: string
  readonly advice: string
}

/** A cluster that could not be asked within the time that an answer waits. */
export interface NotAsked {
  readonly clusterId: string
  readonly alias: string | null
  /** Null where it had not answered yet. */
  readonly reason: RefusalReason | null
  readonly said: string
}

export interface Rotation extends Rotated {
  readonly refusedBy: readonly RefusedBy[]
  readonly notAsked: readonly NotAsked[]
}

export interface KeyRotation {
  /**
   * Rotates the key and asks every cluster whether it trusts the new one; those that have not answered after about a second
   * are named as not asked, and are asked on behind the answer. Before the new key signs nobody can be asked.
   * @throws DomainError key_unavailable, storage_failed
   */
  rotate(by: Actor): Promise<Rotation>
  /** Ends all trust in a key at once. @throws DomainError key_not_found, key_unavailable (it signs: rotate first) */
  retire(kid: string, by: Actor): Promise<void>
}
