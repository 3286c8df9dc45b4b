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
  serviceTokens('clusters', ['handshake on registration', 'asked once', 'handshake on update', 'handshake again'], 1),
]
