import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { LoginLimits } from '../../core/sessions/login-limits.ts'
import type { LoginLock, LoginLockStore } from '../../core/sessions/login-lock-store.ts'
import { presentInstant } from './present-cluster.ts'
import { type Route, route } from './route.ts'
import { LoginLockShape, UnlockedLogin, UnlockLoginBody } from './shapes/login-locks.ts'

export interface LoginLockRouteDeps {
  readonly limits: Pick<LoginLimits, 'unlock'>
  readonly loginLocks: Pick<LoginLockStore, 'list'>
  readonly clock: Clock
}

const tag = 'Login locks'
const mostListed = 1000

/** Locks that too many failed logins have led to. */
export function loginLockRoutes({ limits, loginLocks, clock }: LoginLockRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/login-locks',
        permission: 'users:read',
        tag,
        summary: 'List whom failed logins have locked out',
        description: `Those that hold, the latest end first, at most ${mostListed}.`,
        answer: { status: 200, description: 'The locks.', body: z.object({ items: z.array(LoginLockShape) }) },
      },
      async () => {
        const locks = await loginLocks.list({ now: clock.now(), limit: mostListed })
        return { body: { items: locks.map(present) } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/login-locks/unlock',
        permission: 'users:unlock',
        tag,
        summary: 'Let a user, or an address, log in again',
        description: 'Ends the locks and forgets the failed logins. Nothing to end is no failure.',
        body: UnlockLoginBody,
        answer: { status: 200, description: 'How many locks there were.', body: UnlockedLogin },
        refusals: [503],
      },
      async ({ body: { user, address }, caller }) => {
        const target = user === undefined ? { address: address ?? '' } : { name: user }
        return { body: { ended: await limits.unlock(target, { by: caller.principal, at: clock.now() }) } }
      },
    ),
  ]
}

function present({ target, until, failures, at }: LoginLock): LoginLockShape {
  return {
    kind: target.kind,
    user: 'name' in target ? target.name : null,
    address: 'address' in target ? target.address : null,
    until: presentInstant(until),
    failures,
    at: presentInstant(at),
  }
}
