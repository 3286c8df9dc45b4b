/**
 * Every way in which Gatehouse says no, as values with names.
 *
 * The set is closed: each edge (native API, each dialect) maps every code or does not compile. What is not a
 * DomainError is a bug or an outage: logged with its cause, told to nobody.
 */

/** What each code carries. Details are for people and for the edge's wording; no secret is ever among them. */
export interface ErrorDetails {
  /** No credentials came with the request. */
  token_required: Record<never, never>
  /** The token is malformed, not signed by a key of ours, or lacks a claim; `reason` says which, without the token. */
  token_invalid: { reason: string }
  token_expired: Record<never, never>
  token_revoked: Record<never, never>
  /** The principal is known and may not do this. */
  permission_denied: {
    needs: 'administrator' | 'administrator_or_self' | 'own_password'
    /** The permission at Gatehouse itself that is missing, where one is asked for by name. */
    permission?: string
    subject: string
    expiresAt: Date
  }
  /**
   * The permission is held, but not for all that the act is about: nobody gives, takes or changes more than he holds.
   * `reason` completes the sentence "<subject> has not enough of <permission>: …".
   */
  beyond_authority: { subject: string; permission: string; reason: string }
  /** Unknown user, disabled user or wrong password: never told apart. */
  invalid_credentials: Record<never, never>
  /** The password was right, and an operator has locked the user until then. */
  locked: { name: string; until: Date }
  /** Too many failed logins for this name or from this address; the same for names that don't exist. */
  login_limited: { retryAfterSeconds: number }
  /** A member that must be there is missing or empty. */
  field_missing: { field: string; what: string }
  /** A member has a value that breaks a rule; `rule` completes the sentence "<what> is invalid: …". */
  field_invalid: { field: string; what: string; value: string; rule: string }
  /** A requested token life is out of bounds. `maximumMs` is the configured upper bound. */
  lifetime_invalid: { bound: 'minimum' | 'maximum'; maximumMs: number }
  user_exists: { name: string }
  /** `near`: names that there are and that look like it. */
  user_not_found: { name: string; near?: readonly string[] }
  /** The account made at first start can't be removed, nor its roles changed. */
  user_protected: { name: string; act: 'delete' | 'change_roles' | 'disable' }
  /** The change would leave nobody who can administer Gatehouse. */
  last_administrator: { name: string; act: 'delete' | 'change_roles' | 'disable' | 'lock' }
  role_exists: { name: string }
  role_not_found: { name: string; near?: readonly string[] }
  /** Roles that a user was to be given do not exist. */
  roles_unknown: { names: readonly string[] }
  role_protected: { name: string; act: 'create' | 'update' | 'delete' | 'lock' }
  /** `foundId` is the cluster that already has this id or alias. */
  cluster_exists: { id: string; foundId: string }
  cluster_not_found: { name: string; near?: readonly string[] }
  alias_taken: { alias: string; clusterId: string }
  /** The cluster would not have us. `said` is the cluster's own words, cut short and free of secrets. */
  cluster_refused: { clusterId: string; where: string; reason: RefusalReason; said: string; advice: string }
  /** Configuration as code that can't be applied: everything that is wrong with it, by dotted path of the member. */
  access_invalid: { problems: readonly { readonly at: string; readonly detail: string }[] }
  /** What was to be applied is no longer what would change: the state is another than when the plan was made. */
  plan_outdated: Record<never, never>
  setting_invalid: { setting: string; reason: string }
  /** A setting that a flag or the environment decides can't be changed at run time. */
  setting_fixed: { setting: string; source: string }
  /** No such token is known, by its `jti` or its session. */
  token_not_found: { name: string }
  key_not_found: { kid: string }
  lock_not_found: { id: number }
  /** There is no RSA key to show or rotate, or it can't be retired since it signs. */
  key_unavailable: { reason: 'shared_secret' | 'external' | 'signing' }
  /** It is no longer what the caller took it for, or is not yet what the caller wants. */
  precondition_failed: { what: string }
  /** The key of a creation was used with another request. */
  idempotency_key_reused: { key: string }
  /** The creation with this key is under way. */
  idempotency_key_busy: { key: string }
  /** More work than is allowed to wait is waiting already. */
  too_busy: { retryAfterSeconds: number }
  /** The disk or the database did not take the change; nothing was changed. */
  storage_failed: { reason: string }
}

/** Why a cluster did not take what we told it, in classes that lead to different advice. */
export type RefusalReason =
  | 'key_mismatch'
  | 'wrong_mode'
  | 'not_authorized'
  | 'unreachable'
  | 'timed_out'
  | 'not_a_cluster'
  | 'failing'

export type ErrorCode = keyof ErrorDetails

export class DomainError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'DomainError'
  readonly code: C
  readonly details: ErrorDetails[C]

  constructor(code: C, details: ErrorDetails[C], options?: ErrorOptions) {
    super(code, options)
    this.code = code
    this.details = details
  }
}

/** Narrows to one code, so that its details are typed. */
export function isDomainError<C extends ErrorCode>(error: unknown, code: C): error is DomainError<C> {
  return error instanceof DomainError && error.code === code
}
