/**
 * The audit trail: who did what to what, from where, by which request, and what was refused.
 *
 * This folder owns what a row says, how rows are chained, and how refusals that repeat are counted in one row. Each act of
 * the store writes its own row, inside its transaction; an act that changes nothing writes none. No secret is in a row.
 */
import type { JsonObject, JsonValue } from '../json.ts'
import type { Origin } from '../sessions/actor.ts'

/** Everything that a row can tell of. `before` and `after` are of the target; `details` says what else belongs to the act. */
export const auditActions = [
  /** Made, with its roles; also the first administrator. */
  'user.created',
  /** Other roles or another password, of which only that it changed is said. */
  'user.changed',
  'user.disabled',
  'user.enabled',
  'user.deleted',
  /** The whole role, before and after. */
  'role.created',
  'role.changed',
  'role.deleted',
  /** `details` names the roles that were made with it. */
  'cluster.registered',
  'cluster.changed',
  'cluster.deregistered',
  /** Somebody asked for it; resyncs that Gatehouse starts by itself are no acts of anybody. */
  'cluster.resync_requested',
  /** A login. `details`: its id, session, roles and end. */
  'token.issued',
  /** An act of revoking, however many tokens it meant. `details`: by what they were chosen, how many, the act's number. */
  'token.revoked',
  'lock.created',
  'lock.lifted',
  'key.published',
  'key.activated',
  'key.retired',
  /** A secret is masked. */
  'setting.changed',
  /** `details.why` says more than the caller was told. */
  'login.refused',
  /** Too many wrong passwords have locked a name or an address, for a while; or somebody has ended that early. */
  'login.locked',
  'login.unlocked',
  'permission.denied',
  /** Another server's data was taken over, in one act. `details`: from where, and how much of what was new. */
  'data.imported',
  /** Everything was written to a file, password hashes and revoked tokens included. `details`: where to, and how much. */
  'data.exported',
  /** Configuration as code, as one act; what it made, changed and removed has rows of its own. */
  'access.applied',
  /** The oldest rows were cleared away: up to which, and the hash of the last of them, from which the rest goes on. */
  'audit.purged',
  /** A backup was put in place. `details`: which, of when, and how many later revocations were taken over from what it replaced. */
  'store.restored',
] as const

export type AuditAction = (typeof auditActions)[number]

export const auditTargetKinds = [
  'user',
  'role',
  'cluster',
  'key',
  'token',
  'setting',
  'address',
  'route',
  'audit',
] as const

/** What an act is about: whose history it belongs to. Of a token that is its user, as far as one user is meant. */
export interface AuditTarget {
  readonly kind: (typeof auditTargetKinds)[number]
  readonly name: string
}

/** What an act says of itself. Who and when is told by its deed. */
export interface AuditEntry {
  readonly action: AuditAction
  /** Null where it is about no single thing. */
  readonly target: AuditTarget | null
  /** Absent = done. */
  readonly outcome?: AuditOutcome
  readonly before?: JsonValue
  readonly after?: JsonValue
  readonly details?: JsonObject
  /** For people, as it was given. */
  readonly reason?: string
  /** How often it happened; absent = once. */
  readonly repeats?: number
  /** Where it happened more than once: when it began. */
  readonly since?: Date
}

export type AuditOutcome = 'done' | 'refused'

export interface AuditRow extends Origin {
  /** 1, 2, 3 … without gaps. */
  readonly id: number
  readonly at: Date
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  /** Who did it; of a refused login the name that was given, which need not be anybody's. */
  readonly actor: string
  readonly target: AuditTarget | null
  readonly before: JsonValue
  readonly after: JsonValue
  readonly details: JsonObject | null
  readonly reason: string | null
  readonly repeats: number
  readonly since: Date | null
  /** SHA-256, hex (chain.ts). */
  readonly hash: string
}

/** The end of the chain: how many rows were ever written, and the hash of the last one. */
export interface AuditHead {
  /** 0 where there is none. */
  readonly id: number
  readonly hash: string
  readonly at: Date | null
}

const maximumName = 256

/**
 * Names and reasons as they stand in a row: without what controls a terminal or the direction of text, without halves of
 * characters, without tokens, cut to a sane length.
 */
export function cleanText(text: string, maximum = maximumName): string {
  const scrubbed = scrubSecrets(text)
  if (scrubbed.length <= maximum && !/[^\x20-\x7e\xa0-\u05ff]/.test(scrubbed)) return scrubbed
  const cut = scrubbed.length > maximum ? `${scrubbed.slice(0, maximum)}…` : scrubbed
  return cut.replaceAll(/\p{Cc}|\p{Cs}|\p{Bidi_Control}/gu, '\ufffd')
}

const mask = '[redacted]'

/**
 * Without tokens, and without the credentials of URLs. Nothing hands such in; it is what people put where it does not
 * belong: a token in a reason, a password in the URL of a cluster.
 */
function scrubSecrets(text: string): string {
  let scrubbed = text
  if (scrubbed.includes('eyJ')) scrubbed = scrubbed.replace(/eyJ[\w-]{5,}(?:\.[\w-]*)*/g, mask)
  if (scrubbed.includes('@')) scrubbed = scrubbed.replace(/:\/\/[^\s/]+@/g, `://${mask}@`)
  return scrubbed
}

/** As JSON text, each string in it scrubbed before it is escaped: escapes are neither torn nor a hiding place. */
export function scrubbedJson(value: JsonValue): string {
  const text = JSON.stringify(value)
  if (!text.includes('eyJ') && !text.includes('@')) return text
  return JSON.stringify(value, (_name, member: JsonValue) =>
    typeof member === 'string' ? scrubSecrets(member) : member,
  )
}
