/**
 * Where Gatehouse answers otherwise than the recorded AuthN, on purpose, and why. A step that is listed here and does
 * not differ in exactly these places fails, so that the table stays true. W numbers: contract section 7.
 */
import type { StepRequest } from './replay.ts'

export interface Departure {
  readonly transcript: 'users' | 'roles' | 'clusters' | 'config' | 'keys'
  /** Names of steps; `name (2)` is the second of that name. */
  readonly steps: readonly string[]
  readonly reason: string
  /** Paths of all differences. */
  readonly differs: readonly string[]
  /** What is answered there instead. */
  readonly got?: Readonly<Record<string, unknown>>
  /** Played after the recorded request, where later steps need what that would have made; must answer as recorded. */
  readonly request?: StepRequest
  /** Puts back what the recorded server would not have done; what clusters hear meanwhile is not counted. */
  readonly restore?: StepRequest
}

const leastPrivilege = 'W12: the service token is no administrator: one cluster, the bits it needs'

function serviceTokens(transcript: Departure['transcript'], steps: readonly string[], calls: number): Departure {
  const indexes = Array.from({ length: calls }, (_, index) => index)
  const differs = indexes.flatMap((index) => [
    `calls[${index}].bearer.claims.admin`,
    `calls[${index}].bearer.claims.clusters`,
    `calls[${index}].bearer.claims.sub`,
  ])
  return { transcript, steps, reason: leastPrivilege, differs }
}

export const departures: readonly Departure[] = [
  {
    transcript: 'users',
    steps: ['garbage bearer'],
    reason: 'W11: the token is not echoed, and the reason is in our words',
    differs: ['body.message'],
  },
  {
    transcript: 'users',
    steps: ['create user with a role and unknown members'],
    reason:
      'W20: an unknown role is a 400 that names it; the replay gives the one that exists, later steps need the user',
    request: {
      method: 'POST',
      path: '/v1/users',
      auth: 'ADMIN',
      body: { id: 'u2', pass: 'p2', roles: [{ name: 'r1', desc: 'ignored' }, { name: '' }], zzz: [1] },
    },
    differs: ['body', 'status'],
    got: { status: 400 },
  },
  {
    transcript: 'users',
    steps: ['create user, password of 73 bytes (the Go server drops the connection)'],
    reason: 'W18: a long password is hashed',
    differs: ['status'],
    got: { status: 200 },
  },
  {
    transcript: 'users',
    steps: ['the token of a deleted user'],
    reason: 'W5: a token of a removed user opens nothing, so it is not told who exists either',
    differs: ['body.message', 'body.status', 'body.tcode', 'must does not exist', 'status'],
    got: { status: 401 },
  },
  {
    transcript: 'roles',
    steps: ['create role, perm negative'],
    reason: "the recorded body is no JSON (a byte that is not UTF-8 in it); ours is, with Go's first words",
    differs: ['body'],
  },
  {
    transcript: 'roles',
    steps: ['log in as ru', 'log in as ru (2)'],
    reason: 'W16: a nickname of a provider would never match on a cluster; the token has its canonical name',
    differs: ['token.claims.buckets[1].bck.provider'],
    got: { 'token.claims.buckets[1].bck.provider': 'aws' },
  },
  serviceTokens(
    'clusters',
    ['handshake on registration', 'asked once', 'handshake on update', 'handshake again', 'asked once more'],
    1,
  ),
  serviceTokens('clusters', ['both URLs are asked in order', 'handshake, then the whole list of revoked tokens'], 2),
  {
    ...serviceTokens('clusters', ['the push goes to every cluster that answers (cl2: 403, then 200)'], 2),
    reason: `${leastPrivilege}; and of several URLs the one that worked last is asked first`,
    differs: ['calls.length', ...serviceTokens('clusters', [], 2).differs, 'calls[1].path'],
  },
  {
    transcript: 'clusters',
    steps: ['register, cluster refuses', 'update, cluster refuses'],
    reason: 'W25: a refused handshake says what the cluster said and what can be done',
    differs: ['body.message'],
  },
  {
    transcript: 'clusters',
    steps: ['update by alias'],
    reason: 'W25: the alias serves as well as the id; set back, as later steps know the old one',
    differs: ['body', 'headers.Content-Type', 'headers.X-Content-Type-Options', 'must does not exist', 'status'],
    got: { status: 200 },
    restore: { method: 'PUT', path: '/v1/clusters/cl1', auth: 'ADMIN', body: { id: 'cl1', alias: 'uno' } },
  },
  {
    transcript: 'keys',
    steps: ['HS256 token is refused'],
    reason: 'W11: the token is not echoed',
    differs: ['body.message'],
  },
  {
    transcript: 'keys',
    steps: ['handshake body of RS256 mode'],
    reason: 'the recorded server had two revoked tokens of its own to send; ours has none. And W12',
    differs: ['calls.length', ...serviceTokens('keys', [], 1).differs],
    got: { 'calls.length': 1 },
  },
]
