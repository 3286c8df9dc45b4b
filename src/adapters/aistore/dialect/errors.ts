/** Failures in AIStore's shape (contract 1.2): one JSON object with `message` and a `status` equal to HTTP's. */
import { DomainError, type ErrorCode, type ErrorDetails } from '../../../core/errors.ts'
import { formatGoDuration } from '../../../core/settings/go-units.ts'
import { BodyError } from '../../../http/body.ts'
import { ActionError, type Call, CallError, respond } from './call.ts'

/** Statuses that AuthN's clients read as themselves; 408, 502 and 503 mean "unreachable" to them. */
type Status = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500

interface Told {
  readonly status: Status
  /** The phrases that clients look for are in here; one about a cluster never says "role " or "user ". */
  readonly cause: string
  /** Told as it is, without the name of the action that failed. */
  readonly isPlain?: boolean
}

/** How each failure is told. `now` is for what remains of a token's life. */
const told: { readonly [C in ErrorCode]: (details: ErrorDetails[C], now: Date) => Told } = {
  token_required: () => ({ status: 401, cause: 'token required', isPlain: true }),
  token_invalid: ({ reason }) => ({
    status: 401,
    cause: `not authorized (invalid token [err: ${reason}])`,
    isPlain: true,
  }),
  token_expired: () => ({ status: 401, cause: 'not authorized (invalid token [err: token expired])', isPlain: true }),
  token_revoked: () => ({ status: 401, cause: 'not authorized (invalid token: token revoked)', isPlain: true }),
  permission_denied: ({ needs, subject, expiresAt }, now) => {
    const remaining = formatGoDuration(Math.max(0, Math.floor((expiresAt.getTime() - now.getTime()) / 1000)) * 1000)
    const who = `(user ${subject}, token expires in ${remaining})`
    if (needs === 'administrator_or_self') {
      return { status: 401, cause: 'not authorized: requires admin or self', isPlain: true }
    }
    const cause = needs === 'administrator' ? `not authorized: requires admin ${who}` : `not authorized: ${who}`
    return { status: 401, cause, isPlain: true }
  },
  beyond_authority: ({ subject, reason }) => ({
    status: 401,
    cause: `not authorized: requires admin (user ${subject}): ${reason}`,
    isPlain: true,
  }),
  invalid_credentials: () => ({ status: 401, cause: 'invalid credentials' }),
  locked: ({ name, until }) => ({ status: 401, cause: `user ${name} is locked until ${until.toISOString()}` }),
  login_limited: ({ retryAfterSeconds }) => ({
    status: 429,
    cause: `too many failed logins; try again in ${retryAfterSeconds}s`,
  }),
  field_missing: ({ what }) => ({ status: 400, cause: `${what} is undefined` }),
  field_invalid: ({ what, value, rule }) => ({ status: 400, cause: `${what} "${value}" is invalid: ${rule}` }),
  lifetime_invalid: ({ bound, maximumMs }) => ({
    status: 400,
    cause:
      bound === 'minimum'
        ? 'invalid requested expiry date: must be 0 or >= 1m'
        : `invalid requested expiry date: cannot exceed configured max token age: ${formatGoDuration(maximumMs)}`,
  }),
  user_exists: ({ name }) => ({ status: 409, cause: `AuthN: user ${name} already exists` }),
  user_not_found: ({ name }) => ({ status: 404, cause: `user "${name}" does not exist` }),
  user_protected: ({ name, act }) => ({
    status: 403,
    cause: {
      delete: `cannot remove built-in "${name}" account`,
      change_roles: "cannot change administrator's role",
      disable: `cannot disable built-in "${name}" account`,
    }[act],
  }),
  last_administrator: ({ name, act }) => ({
    status: 403,
    cause: {
      delete: `cannot remove "${name}": it is the last administrator`,
      change_roles: `cannot change administrator's role: "${name}" is the last administrator`,
      disable: `cannot disable "${name}": it is the last administrator`,
      lock: `cannot lock "${name}": it is the last administrator`,
    }[act],
  }),
  role_exists: ({ name }) => ({ status: 409, cause: `AuthN: role ${name} already exists` }),
  role_not_found: ({ name }) => ({ status: 404, cause: `role "${name}" does not exist` }),
  roles_unknown: ({ names }) => ({
    status: 400,
    cause: `unknown ${names.length === 1 ? 'role' : 'roles'}: ${listNames(names)}`,
  }),
  role_protected: ({ name, act }) => ({
    status: 403,
    cause: {
      create: 'only built-in roles can have "admin" permissions',
      update: `cannot modify built-in "${name}" role`,
      delete: `cannot remove built-in "${name}" role`,
      lock: `cannot lock built-in "${name}" role`,
    }[act],
  }),
  cluster_exists: ({ id, foundId }) => ({ status: 409, cause: `cluster ${id}[${foundId}] already registered` }),
  cluster_not_found: ({ name }) => ({ status: 404, cause: `cluster "${name}" does not exist` }),
  alias_taken: ({ alias, clusterId }) => ({
    status: 409,
    cause: `alias "${alias}" is used for cluster "${clusterId}"`,
  }),
  cluster_refused: ({ where, clusterId, said, advice }) => ({
    status: 400,
    cause: `failed to validate-signer with ${where}[${clusterId}]: ${said}. ${advice}`,
  }),
  // Only the native API has these.
  access_invalid: () => ({ status: 400, cause: 'this configuration can not be applied', isPlain: true }),
  plan_outdated: () => ({ status: 409, cause: 'the plan is out of date', isPlain: true }),
  setting_invalid: ({ setting, reason }) => ({ status: 400, cause: `invalid ${setting}: ${reason}`, isPlain: true }),
  setting_fixed: ({ setting, source }) => ({
    status: 400,
    cause: `invalid config update: ${setting} is set by ${source} and can't be changed at run time`,
    isPlain: true,
  }),
  token_not_found: ({ name }) => ({ status: 404, cause: `token "${name}" does not exist` }),
  key_not_found: ({ kid }) => ({ status: 404, cause: `key "${kid}" does not exist` }),
  lock_not_found: ({ id }) => ({ status: 404, cause: `lock ${id} does not exist` }),
  key_unavailable: ({ reason }) => ({
    status: 400,
    cause: presentKeyReason[reason],
    isPlain: true,
  }),
  // Conditions and keys of creations are the native API's; AIStore's clients send neither.
  precondition_failed: ({ what }) => ({ status: 409, cause: `${what} has changed meanwhile` }),
  idempotency_key_reused: ({ key }) => ({ status: 409, cause: `idempotency key "${key}" was used already` }),
  idempotency_key_busy: ({ key }) => ({ status: 409, cause: `idempotency key "${key}" is being used` }),
  too_busy: ({ retryAfterSeconds }) => ({
    status: 429,
    cause: `too many requests are waiting; try again in ${retryAfterSeconds}s`,
  }),
  storage_failed: ({ reason }) => ({ status: 500, cause: `nothing was changed: ${reason}` }),
}

const presentKeyReason = {
  shared_secret: 'no RSA key: tokens are signed with a shared secret (HMAC)',
  external: 'the signing key is managed externally and is not rotated here',
  signing: 'tokens are signed with this key: rotate first',
} as const

const maximumNames = 20

function listNames(names: readonly string[]): string {
  const listed = names.slice(0, maximumNames).map((name) => `"${name}"`)
  return listed.join(', ') + (names.length > maximumNames ? ` and ${names.length - maximumNames} more` : '')
}

/** The answer for whatever a handler threw. What is neither ours nor a DomainError is a bug: logged, and told to nobody. */
export function presentFailure(call: Call, thrown: unknown, now: Date): Response {
  const action = thrown instanceof ActionError ? thrown.action : undefined
  const error = thrown instanceof ActionError ? thrown.cause : thrown
  if (error instanceof CallError) {
    if (action === undefined) return failure(call, error.status, error.message, error.tcode)
    return failure(call, error.status, `AuthN: failed to ${action}, err: ${error.message}`, 'ErrFailedTo')
  }
  if (error instanceof DomainError) {
    const { status, cause, isPlain } = tell(error, now)
    if (status >= 500) call.context.set('failure', error)
    const { details } = error
    const headers =
      'retryAfterSeconds' in details ? { 'Retry-After': String(details.retryAfterSeconds) } : ({} as const)
    if (action === undefined || isPlain) return failure(call, status, cause, undefined, headers)
    return failure(call, status, `AuthN: failed to ${action}, err: ${cause}`, 'ErrFailedTo', headers)
  }
  if (error instanceof BodyError) return failure(call, error.status, error.message)
  throw error
}

function tell<C extends ErrorCode>(error: DomainError<C>, now: Date): Told {
  return told[error.code](error.details, now)
}

/** A request's own values stand in messages: what was sent by the megabyte doesn't come back so. */
const maximumMessage = 8192

/** The error body itself: members in the order in which AIStore emits them, HTML characters not escaped. */
export function failure(
  call: Pick<Call, 'context' | 'method' | 'path'>,
  status: Status,
  message: string,
  tcode?: string,
  headers: Record<string, string> = {},
): Response {
  const { socket } = call.context.env.incoming
  const body = {
    ...(tcode ? { tcode } : {}),
    message: message.length > maximumMessage ? `${message.slice(0, maximumMessage)}…` : message,
    method: call.method,
    url_path: call.path,
    remote_addr: `${presentAddress(socket.remoteAddress)}:${socket.remotePort ?? 0}`,
    caller: '',
    node: '',
    status,
  }
  return respond(call, status, `${JSON.stringify(body)}\n`, {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
}

/** IPv4 as such, also where the socket speaks IPv6; IPv6 in brackets. */
function presentAddress(address: string | undefined): string {
  if (address === undefined) return ''
  if (address.startsWith('::ffff:')) return address.slice(7)
  return address.includes(':') ? `[${address}]` : address
}
