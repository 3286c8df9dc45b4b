import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Sealer } from '../keys/sealer.ts'
import { type Actor, bareActor, type Origin } from '../sessions/actor.ts'
import { isAdministrator } from '../sessions/permission.ts'
import { rowOfToken } from '../tokens/token-issuer.ts'
import type { TokenVerifier } from '../tokens/token-verifier.ts'
import type { Lock, LockTarget } from './lock.ts'
import type { CheckLocked, LockStore } from './lock-store.ts'
import { awaitClusters, type Propagation } from './propagation.ts'
import type { RevocationStore } from './revocation-store.ts'
import type { RevocationAct, Selector } from './selector.ts'

/** What revokes answers when it is on disk and every cluster that is up knows of it, or the budget is over. */
export interface Revocations {
  /**
   * Revokes the token with this text, whoever issued it with a key of ours. Revoking it again changes nothing.
   * @throws DomainError token_invalid, token_expired, storage_failed
   */
  revokeByText(text: string, options: RevokeOptions): Promise<RevokedToken>
  /**
   * Revokes every live token meant; none is no error.
   * @throws DomainError user_not_found, role_not_found, cluster_not_found, key_not_found, token_not_found, storage_failed
   */
  revoke(selector: Selector, by: Motive): Promise<RevocationAct>
  /**
   * No tokens for the user, or through the role, until `until`; the live ones are revoked. Only an administrator locks an
   * administrator; the role that makes one can't be locked.
   * @throws DomainError field_invalid (until), user_not_found, role_not_found, last_administrator, role_protected,
   *   beyond_authority, storage_failed
   */
  lock(target: LockTarget, until: Date, by: Motive): Promise<{ readonly lock: Lock; readonly act: RevocationAct }>
  /**
   * Ends a lock early; what it has revoked stays revoked. Only an administrator ends one that an administrator alone sets.
   * @throws DomainError lock_not_found, beyond_authority, storage_failed
   */
  lift(lockId: number, by: Actor): Promise<Lock>
}

export interface RevokeOptions {
  /** Who asked for it; where only an origin is known, whoever the token names. */
  readonly by: Actor | Origin
  /** For people, kept with the act. */
  readonly reason?: string
}

export interface Motive {
  readonly by: Actor
  /** For people, kept with the act. */
  readonly reason: string
}

export interface RevokedToken {
  readonly sequence: number
  readonly actId: number
  /** False where it was revoked already. */
  readonly isNew: boolean
}

export interface RevocationsDeps {
  readonly revocations: RevocationStore
  readonly locks: LockStore
  readonly verifier: TokenVerifier
  readonly sealer: Sealer
  readonly propagation: Propagation
  /** How long an answer waits for clusters. */
  readonly budgetMs: number
  readonly clock: Clock
}

export function createRevocations(deps: RevocationsDeps): Revocations {
  const { revocations, locks, verifier, sealer, propagation, budgetMs, clock } = deps
  return {
    async revokeByText(text, { by: asker, reason = 'revoked by its text' }) {
      const verified = await verifier.verify(text)
      const token = rowOfToken(verified, text, sealer)
      const by = 'subject' in asker ? asker : bareActor(verified.subject, asker)
      const revoked = await revocations.record({ token, by, reason, at: clock.now() })
      await propagation.reached(revoked.sequence, budgetMs)
      return revoked
    },

    async revoke(selector, { by, reason }) {
      const act = await revocations.revokeSelected(selector, { by, reason, at: clock.now() })
      await awaitClusters(propagation, act, budgetMs)
      return act
    },

    async lock(target, until, { by, reason }) {
      const at = clock.now()
      checkUntil(until, at)
      const created = await locks.create({ target, until, by, reason, at, check: checkLocking(by) })
      await awaitClusters(propagation, created.act, budgetMs)
      return created
    },

    lift: (lockId, by) => locks.lift(lockId, { by, at: clock.now(), check: checkLocking(by) }),
  }
}

/** Who runs Gatehouse day by day must not be able to keep out who could stop them. */
function checkLocking(by: Actor): CheckLocked {
  return (authorities) => {
    if (isAdministrator(by) || !isAdministrator({ authorities })) return
    const reason = 'only an administrator locks an administrator, or ends such a lock'
    throw new DomainError('beyond_authority', { subject: by.subject, permission: 'locks:write', reason })
  }
}

/** @throws DomainError field_invalid */
function checkUntil(until: Date, now: Date): void {
  if (until > now) return
  const value = Number.isNaN(until.getTime()) ? 'no date' : until.toISOString()
  throw new DomainError('field_invalid', {
    field: 'until',
    what: 'end of the lock',
    value,
    rule: 'must lie in the future',
  })
}
