import type { AuditStore } from '../core/audit/audit-store.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type OnceStore, onceKeptMs } from '../core/once.ts'
import type { RevocationActStore } from '../core/revocation/revocation-acts.ts'
import type { RoleStore } from '../core/roles/role-store.ts'
import { serviceActor } from '../core/sessions/actor.ts'
import type { LoginLockStore } from '../core/sessions/login-lock-store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { Worker } from '../supervisor.ts'

const everyMs = 60_000
/** A step takes a millisecond or two, and requests are answered between two of them. */
const stepSize = 100
const stepPauseMs = 20
/**
 * A token's row and its revocation stay for so long after it has expired: a clock that is set back by less brings no
 * revoked token to life again.
 */
const keepMs = 3_600_000
/** Who revoked what, and why, can be asked for so long after the last token concerned has expired. */
const keepActsMs = 90 * 86_400_000

const auditStepSize = 500
/**
 * Rows of the audit trail may stay longer than they must by a part of that time, a day at most: each purge leaves a row
 * behind, and there is no need for one every minute.
 */
const auditSlackPart = 1 / 24
const auditSlackAtMostMs = 86_400_000

/** Clears away, in small steps, expired tokens with their changes, what is left of deleted roles, and the oldest of the audit. */
export function createPurge(deps: {
  readonly tokens: Pick<TokenStore, 'purgeExpired'>
  readonly roles: Pick<RoleStore, 'purgeDeletedRoles'>
  readonly revocationActs: Pick<RevocationActStore, 'purge'>
  readonly loginLocks: Pick<LoginLockStore, 'purge'>
  readonly once: Pick<OnceStore, 'purge'>
  readonly audit: Pick<AuditStore, 'purge'>
  /** How long rows of the audit trail are kept; 0 = for ever. */
  readonly auditRetentionMs: number
  readonly clock: Clock
  readonly log: Logger
}): Worker {
  const { tokens, roles, revocationActs, loginLocks, once, audit, auditRetentionMs, clock, log } = deps

  async function repeat(step: (limit: number) => Promise<number>, signal: AbortSignal): Promise<number> {
    let total = 0
    while (!signal.aborted) {
      const purged = await step(stepSize)
      total += purged
      if (purged === 0) break
      await clock.wait(stepPauseMs, signal)
    }
    return total
  }

  async function purgeAudit(signal: AbortSignal): Promise<number> {
    if (auditRetentionMs === 0) return 0
    const slackMs = Math.min(auditSlackAtMostMs, auditRetentionMs * auditSlackPart)
    const purge = (keepMs: number) => {
      const at = clock.now()
      return audit.purge(new Date(at.getTime() - keepMs), auditStepSize, { by: serviceActor, at })
    }
    const overdue = await purge(auditRetentionMs + slackMs)
    return overdue === 0 ? 0 : overdue + (await repeat(() => purge(auditRetentionMs), signal))
  }

  return {
    name: 'purge',
    async run(signal) {
      while (!signal.aborted) {
        const before = new Date(clock.now().getTime() - keepMs)
        const purgedTokens = await repeat((limit) => tokens.purgeExpired(before, limit), signal)
        const purgedRoles = await repeat((limit) => roles.purgeDeletedRoles(limit), signal)
        const actsBefore = new Date(clock.now().getTime() - keepActsMs)
        const purgedActs = await repeat((limit) => revocationActs.purge(actsBefore, limit), signal)
        await repeat((limit) => loginLocks.purge(before, limit), signal)
        const onceBefore = new Date(clock.now().getTime() - onceKeptMs)
        await repeat((limit) => once.purge(onceBefore, limit), signal)
        const purgedAudit = await purgeAudit(signal)
        if (purgedTokens + purgedRoles + purgedActs + purgedAudit > 0) {
          const counts = { tokens: purgedTokens, roles: purgedRoles, acts: purgedActs, auditRows: purgedAudit }
          log.info({ event: 'store.purged', ...counts })
        }
        await clock.wait(everyMs, signal)
      }
    },
  }
}
