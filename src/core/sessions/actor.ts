/**
 * Who does something and by which request: what a rule asks for permissions, and what stands in the audit row of a change.
 * Every act that changes something is told it; there is no default, so that nothing is done in nobody's name.
 */

/** Where an act comes from. */
export interface Origin {
  /** The client's address; null where no request came over the network. */
  readonly address: string | null
  /** As in the log line and the X-Request-Id header; null where there was no request. */
  readonly requestId: string | null
  /** By which door: the native API, AIStore's dialect, a command on the data folder, or Gatehouse's own work. */
  readonly via: 'native' | 'aistore' | 'command' | 'service'
}

/** What somebody may do at Gatehouse itself: a built-in role, everywhere or for one cluster. */
export interface Authority {
  readonly role: BuiltInRole
  /** Null = for everything. */
  readonly clusterId: string | null
}

/** Roles that say what may be done at Gatehouse itself; permission.ts has their permissions. */
export const builtInRoles = ['administrator', 'operator', 'auditor', 'cluster_administrator'] as const

export type BuiltInRole = (typeof builtInRoles)[number]

export interface Actor {
  /** The user's name; `gatehouse:…` for acts of Gatehouse itself, which no user can be called. */
  readonly subject: string
  readonly authorities: readonly Authority[]
  readonly origin: Origin
}

/** One act of somebody, at an instant: what every change in the store is told. */
export interface Deed {
  readonly by: Actor
  readonly at: Date
}

const administrator: readonly Authority[] = [{ role: 'administrator', clusterId: null }]

/** Gatehouse's own work: rotation when a key is due, the first administrator. */
export const serviceActor: Actor = {
  subject: 'gatehouse:service',
  authorities: administrator,
  origin: { address: null, requestId: null, via: 'service' },
}

/** Whoever runs a command on the data folder: who may read the database may do everything. */
export const commandActor: Actor = {
  subject: 'gatehouse:command',
  authorities: administrator,
  origin: { address: null, requestId: null, via: 'command' },
}

/** Somebody of whom nothing but the name is known, who may do nothing: who logs in, or holds a token that ends itself. */
export function bareActor(subject: string, origin: Origin): Actor {
  return { subject, authorities: [], origin }
}
