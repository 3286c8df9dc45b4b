/** Who does what in tests that call rules and stores directly. */
import type { Actor, Deed, Origin } from '../src/core/sessions/actor.ts'

export const origin: Origin = { address: '127.0.0.1', requestId: 'request-1', via: 'native' }

/** Somebody who may do everything. */
export function actorNamed(subject: string): Actor {
  return { subject, authorities: [{ role: 'administrator', clusterId: null }], origin }
}

export const op = actorNamed('op')

export function deedAt(at: Date, by: Actor = op): Deed {
  return { by, at }
}
