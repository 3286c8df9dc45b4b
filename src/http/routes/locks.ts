import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { Lock } from '../../core/revocation/lock.ts'
import type { LockStore } from '../../core/revocation/lock-store.ts'
import type { RevocationActStore } from '../../core/revocation/revocation-acts.ts'
import type { Revocations } from '../../core/revocation/revocations.ts'
import type { Statuses } from './cluster-statuses.ts'
import { presentInstant } from './present-cluster.ts'
import { presentProgress } from './present-revocation.ts'
import { type Route, route } from './route.ts'
import { IdParams } from './shapes/common.ts'
import { LockBody, LockShape, NewLock } from './shapes/locks.ts'

export interface LockRouteDeps {
  readonly revocations: Pick<Revocations, 'lock' | 'lift'>
  readonly locks: Pick<LockStore, 'list'>
  readonly acts: Pick<RevocationActStore, 'progress'>
  readonly statuses: Statuses
  readonly clock: Clock
}

const tag = 'Locks'

/** No tokens for a user, or through a role, until a time. */
export function lockRoutes(deps: LockRouteDeps): readonly Route[] {
  const { revocations, locks, clock } = deps
  const present = (lock: Lock) => presentLock(lock, clock.now())

  return [
    route(
      {
        method: 'get',
        path: '/locks',
        permission: 'locks:read',
        tag,
        summary: 'List locks',
        query: z.strictObject({
          ended: z.enum(['include', 'leave_out']).optional().meta({ default: 'leave_out' }),
        }),
        answer: { status: 200, description: 'Newest first.', body: z.object({ items: z.array(LockShape) }) },
      },
      async ({ query }) => {
        const all = await locks.list({ now: clock.now(), isEndedIncluded: query.ended === 'include' })
        return { body: { items: all.map(present) } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/locks',
        permission: 'locks:write',
        tag,
        summary: 'Lock a user or a role',
        description: 'Until then nobody gets a token as this user, or through this role; live ones are revoked.',
        body: LockBody,
        answer: { status: 201, description: 'The lock, and how far the revocation has got.', body: NewLock },
        refusals: [404, 409, 503],
      },
      async ({ body: { user, role, until, forSeconds = 0, reason = '' }, caller }) => {
        const target =
          user === undefined ? { kind: 'role' as const, name: role ?? '' } : { kind: 'user' as const, name: user }
        const end = until === undefined ? new Date(clock.now().getTime() + forSeconds * 1000) : new Date(until)
        const { lock, act } = await revocations.lock(target, end, { by: caller.principal, reason })
        return { body: { lock: present(lock), revocation: await presentProgress(act, deps) } }
      },
    ),
    route(
      {
        method: 'delete',
        path: '/locks/{id}',
        permission: 'locks:write',
        tag,
        summary: 'End a lock early',
        description: 'What the lock has revoked stays revoked: whoever was locked logs in anew.',
        params: IdParams,
        answer: { status: 200, description: 'The lock, which has ended.', body: LockShape },
        refusals: [404, 503],
      },
      async ({ params, caller }) => ({
        body: present(await revocations.lift(params.id, caller.principal)),
      }),
    ),
  ]
}

function presentLock(lock: Lock, now: Date): LockShape {
  const { id, target, until, actor, reason, createdAt, liftedAt, liftedBy, actId } = lock
  return {
    id,
    target: { kind: target.kind, name: target.name },
    isActive: liftedAt === null && until > now,
    until: presentInstant(until),
    actor,
    reason,
    createdAt: presentInstant(createdAt),
    liftedAt: presentInstant(liftedAt),
    liftedBy,
    revocation: actId,
  }
}
