/**
 * Failures of the native API as problem details (RFC 9457): every code of core/errors.ts has its row, or this file does
 * not compile.
 */
import { DomainError, type ErrorCode, type ErrorDetails } from '../core/errors.ts'
import { formatGoDuration } from '../core/settings/go-units.ts'
import { BodyError } from './body.ts'
import { type FieldPlace, type FieldProblem, RequestError } from './validate.ts'

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 502 | 503

export interface Problem {
  /** Stable, for programs; the end of `type`. */
  readonly code: string
  readonly status: ProblemStatus
  /** What kind of thing went wrong; the same for each problem of a code. */
  readonly title: string
  /** This case, for people: what happened and what to do. */
  readonly detail: string
  readonly fields?: readonly FieldProblem[]
  readonly headers?: Readonly<Record<string, string>>
}

interface Told {
  readonly status: ProblemStatus
  readonly title: string
  readonly detail: string
  /** The member of the body that is at fault, or all of them. */
  readonly field?: string
  readonly fields?: readonly FieldProblem[]
  readonly retryAfterSeconds?: number
  /** Of the WWW-Authenticate header, RFC 6750 section 3. */
  readonly challenge?: 'invalid_token' | 'insufficient_scope' | 'none'
  readonly scope?: string
}

const told: { readonly [C in ErrorCode]: (details: ErrorDetails[C]) => Told } = {
  token_required: () => ({
    status: 401,
    title: 'Log in first',
    detail: 'The request carries no token. Send one as "Authorization: Bearer <token>".',
    challenge: 'none',
  }),
  token_invalid: ({ reason }) => ({
    status: 401,
    title: 'The token is not good',
    detail: `The token is not good: ${reason}. Log in again.`,
    challenge: 'invalid_token',
  }),
  token_expired: () => ({
    status: 401,
    title: 'The token has expired',
    detail: 'The token has expired. Log in again.',
    challenge: 'invalid_token',
  }),
  token_revoked: () => ({
    status: 401,
    title: 'The token is revoked',
    detail: 'The token is revoked. Log in again.',
    challenge: 'invalid_token',
  }),
  permission_denied: ({ needs, permission, subject }) => ({
    status: 403,
    title: 'Not permitted',
    detail: `${subject} may not do this: it needs ${permission === undefined ? presentNeed[needs] : `the permission ${permission}`}.`,
    challenge: 'insufficient_scope',
    ...(permission === undefined ? {} : { scope: permission }),
  }),
  beyond_authority: ({ subject, permission, reason }) => ({
    status: 403,
    title: 'Not permitted',
    detail: `${subject} has not enough of ${permission} for this: ${reason}.`,
    challenge: 'insufficient_scope',
    scope: permission,
  }),
  invalid_credentials: () => ({
    status: 401,
    title: 'Name or password is wrong',
    detail: 'There is no such user, the user is disabled, or the password is wrong.',
  }),
  locked: ({ name, until }) => ({
    status: 403,
    title: 'The user is locked',
    detail: `An operator has locked ${name} until ${until.toISOString()}.`,
  }),
  login_limited: ({ retryAfterSeconds }) => ({
    status: 429,
    title: 'Too many failed logins',
    detail: `Too many logins have failed for this name or from this address. Try again in ${retryAfterSeconds} s, or ask an administrator to unlock it.`,
    retryAfterSeconds,
  }),
  field_missing: ({ field, what }) => ({
    status: 422,
    title: 'A member is missing',
    detail: `${what} is missing or empty.`,
    field,
  }),
  field_invalid: ({ field, what, value, rule }) => ({
    status: 422,
    title: 'A member is not valid',
    detail: `${what} ${JSON.stringify(value)} is not valid: it ${rule}.`,
    field,
  }),
  lifetime_invalid: ({ bound, maximumMs }) => ({
    status: 422,
    title: 'The lifetime is out of bounds',
    detail:
      bound === 'minimum'
        ? 'A token must live for at least 60 seconds; 0 asks for the longest life.'
        : `A token may live for ${formatGoDuration(maximumMs)} at most.`,
    field: 'lifetimeSeconds',
  }),
  user_exists: ({ name }) => ({
    status: 409,
    title: 'The user exists already',
    detail: `There is a user ${name} already.`,
    field: 'name',
  }),
  user_not_found: ({ name, near }) => ({
    status: 404,
    title: 'No such user',
    detail: `There is no user ${name}.${presentNear(near)}`,
  }),
  user_protected: ({ name, act }) => ({
    status: 403,
    title: 'The user is protected',
    detail: {
      delete: `${name} is the built-in administrator and can't be removed.`,
      change_roles: `${name} is the built-in administrator, whose roles can't be changed.`,
      disable: `${name} is the built-in administrator and can't be disabled.`,
    }[act],
  }),
  last_administrator: ({ name, act }) => ({
    status: 409,
    title: 'Nobody could administer Gatehouse any more',
    detail: `${name} is the last administrator and can't ${
      { delete: 'be removed', change_roles: 'lose that role', disable: 'be disabled', lock: 'be locked' }[act]
    }. Make another administrator first.`,
  }),
  role_exists: ({ name }) => ({
    status: 409,
    title: 'The role exists already',
    detail: `There is a role ${name} already.`,
    field: 'name',
  }),
  role_not_found: ({ name, near }) => ({
    status: 404,
    title: 'No such role',
    detail: `There is no role ${name}.${presentNear(near)}`,
  }),
  roles_unknown: ({ names }) => ({
    status: 422,
    title: 'Unknown roles',
    detail: `There is no role ${names.join(', ')}.`,
    field: 'roles',
  }),
  role_protected: ({ name, act }) => ({
    status: 403,
    title: 'The role is protected',
    detail: {
      create: `The role ${name} is built in: it can't be made.`,
      update: `The role ${name} is built in: it can't be changed.`,
      delete: `The role ${name} is built in: it can't be removed.`,
      lock: `Nobody could end a lock on the role ${name}: lock users who hold it instead.`,
    }[act],
  }),
  cluster_exists: ({ id, foundId }) => ({
    status: 409,
    title: 'The cluster is registered already',
    detail: `The cluster ${id} is registered already${foundId === id ? '' : `, as id or alias of ${foundId}`}.`,
    field: 'id',
  }),
  cluster_not_found: ({ name, near }) => ({
    status: 404,
    title: 'No such cluster',
    detail: `No cluster is registered under the id or alias ${name}.${presentNear(near)}`,
  }),
  alias_taken: ({ alias, clusterId }) => ({
    status: 409,
    title: 'The alias is taken',
    detail: `The alias ${alias} belongs to the cluster ${clusterId}.`,
    field: 'alias',
  }),
  cluster_refused: ({ where, said, advice }) => ({
    status: 502,
    title: 'The cluster refused',
    detail: `${where} said: ${said}. ${advice}`,
  }),
  access_invalid: ({ problems }) => ({
    status: 422,
    title: 'This configuration can not be applied',
    detail: presentProblems(problems),
    fields: problems.map(({ at, detail }) => ({ in: 'body', field: at, detail })),
  }),
  plan_outdated: () => ({
    status: 409,
    title: 'The plan is out of date',
    detail: 'Something has changed since the plan was made: nothing was done. Make a new plan and look at it.',
  }),
  setting_invalid: ({ setting, reason }) => ({
    status: 422,
    title: 'A setting is not valid',
    detail: `${settingNames[setting] ?? setting}: ${reason}.`,
    field: settingNames[setting] ?? setting,
  }),
  setting_fixed: ({ setting, source }) => ({
    status: 409,
    title: 'The setting is fixed',
    detail: `${settingNames[setting] ?? setting} is set by ${source === 'flag' ? 'a flag' : `the ${source}`} of the server and can't be changed at run time: change it there.`,
    field: settingNames[setting] ?? setting,
  }),
  token_not_found: ({ name }) => ({
    status: 404,
    title: 'No such token',
    detail: `No live token of the id or session ${name} is known. Give the text of a token that another server issued.`,
  }),
  key_not_found: ({ kid }) => ({ status: 404, title: 'No such key', detail: `There is no signing key ${kid}.` }),
  lock_not_found: ({ id }) => ({ status: 404, title: 'No such lock', detail: `There is no lock ${id}.` }),
  key_unavailable: ({ reason }) => ({
    status: 409,
    title: reason === 'signing' ? 'The key signs' : 'There is no key of ours to rotate',
    detail: presentKeyReason[reason],
  }),
  precondition_failed: ({ what }) => ({
    status: 412,
    title: 'It is not as you took it to be',
    detail: `${what} is not what If-Match or If-None-Match names: somebody has changed it. Read it again, then repeat the change.`,
  }),
  idempotency_key_reused: ({ key }) => ({
    status: 422,
    title: 'The key was used for something else',
    detail: `The Idempotency-Key ${key} came with another request before. Take a new key for a new request.`,
  }),
  idempotency_key_busy: ({ key }) => ({
    status: 409,
    title: 'The same request is under way',
    detail: `A request with the Idempotency-Key ${key} is under way. Send it again in a moment.`,
    retryAfterSeconds: 1,
  }),
  too_busy: ({ retryAfterSeconds }) => ({
    status: 429,
    title: 'Too busy',
    detail: `More is waiting than is allowed to. Try again in ${retryAfterSeconds} s.`,
    retryAfterSeconds,
  }),
  storage_failed: ({ reason }) => ({
    status: 503,
    title: 'The change could not be stored',
    detail: `Nothing was changed: ${reason}.`,
  }),
}

function presentProblems(problems: readonly { readonly at: string; readonly detail: string }[]): string {
  const shown = problems.slice(0, 3).map(({ at, detail }) => `${at}: ${detail}`)
  return `${shown.join('; ')}${problems.length > 3 ? `; and ${problems.length - 3} more` : ''}. Nothing was changed.`
}

function presentNear(near: readonly string[] = []): string {
  return near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`
}

/** Settings as the API and the configuration file call them. */
const settingNames: Readonly<Record<string, string>> = {
  sharedSecret: 'auth.secret',
  tokenLifetimeMs: 'auth.expiration_time',
  logLevel: 'log.level',
}

const presentKeyReason = {
  shared_secret:
    'Tokens are signed with a shared secret. Change it with the setting auth.secret, here and on the clusters.',
  external: 'The signing key is brought by somebody else. Replace its file and restart.',
  signing: 'Tokens are signed with this key. Rotate first, then retire it.',
} as const

const presentNeed = {
  administrator: 'an administrator',
  administrator_or_self: 'an administrator, or the user',
  own_password: 'an administrator, or the user for the own password',
} as const

/** The problem that an error is, or undefined where it is a bug or an outage: logged by the caller, told to nobody. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof DomainError) return problemOfDomainError(error)
  if (error instanceof RequestError) {
    const { status, fields } = error
    const code = status === 422 ? 'request_invalid' : 'request_unreadable'
    return { code, status, title: requestTitles[status], detail: presentDetail(error), ...(fields[0] && { fields }) }
  }
  if (error instanceof NotFoundError) {
    return { code: 'not_found', status: 404, title: 'Not found', detail: error.message }
  }
  if (error instanceof BodyError) {
    const title = error.status === 413 ? 'The request is too large' : 'The request ended early'
    return {
      code: error.status === 413 ? 'request_too_large' : 'request_cut',
      status: error.status,
      title,
      detail: `${error.message}.`,
    }
  }
  return undefined
}

const requestTitles = {
  400: 'The request can not be read',
  415: 'The request can not be read',
  422: 'The request is not valid',
} as const

/** One line that says it all where there is no room for the list. */
function presentDetail({ message, fields }: RequestError): string {
  if (fields.length === 0) return message
  const said = fields.slice(0, 3).map(({ field, in: place, detail }) => `${field || `the ${place}`}: ${detail}`)
  return `${said.join('; ')}${fields.length > 3 ? '; …' : ''}.`
}

function problemOfDomainError<C extends ErrorCode>({ code, details }: DomainError<C>): Problem {
  const { status, title, detail, field, fields, retryAfterSeconds, challenge, scope } = told[code](details)
  const place: FieldPlace = 'body'
  const headers = {
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    ...(challenge !== undefined && { 'WWW-Authenticate': presentChallenge(challenge, scope) }),
  }
  return {
    code,
    status,
    title,
    detail,
    ...(field !== undefined && { fields: [{ in: place, field, detail }] }),
    ...(fields !== undefined && { fields }),
    headers,
  }
}

function presentChallenge(error: 'invalid_token' | 'insufficient_scope' | 'none', scope: string | undefined): string {
  const parts = [
    'realm="gatehouse"',
    ...(error === 'none' ? [] : [`error="${error}"`]),
    ...(scope ? [`scope="${scope}"`] : []),
  ]
  return `Bearer ${parts.join(', ')}`
}

export const unexpected: Problem = {
  code: 'unexpected',
  status: 500,
  title: 'Something broke',
  detail: "This is no fault of the request. The server's log says more under the request id.",
}

/** A thing that a route itself looks for isn't there. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

export function notFound(path: string): Problem {
  return {
    code: 'path_not_found',
    status: 404,
    title: 'No such path',
    detail: `There is nothing at ${path.slice(0, 200)}. /api/v1/openapi.json lists what there is.`,
  }
}

export function methodNotAllowed(allow: string): Problem {
  return {
    code: 'method_not_allowed',
    status: 405,
    title: 'The method is not allowed here',
    detail: `This path takes ${allow}.`,
    headers: { Allow: allow },
  }
}
