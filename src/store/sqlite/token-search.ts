import type { Database, Statement } from 'better-sqlite3'
import type { FoundToken, TokenFilter, TokenPage, TokenPosition, TokenSearch } from '../../core/tokens/token-search.ts'
import type { SqliteParts } from './parts.ts'

/** So many tokens one page looks at, however few pass its filter: some milliseconds. */
const looksPerPage = 5000

/** By what the tokens are walked through: the narrowest part of the filter that has an order of its own. */
type Walk = 'subject' | 'role' | 'cluster' | 'kid' | 'revoked' | 'issue' | 'all'

interface Values {
  readonly subject: string | null
  readonly kid: string | null
  readonly roleKey: number | null
  readonly clusterId: string | null
  readonly issuedFrom: number
  readonly issuedUntil: number
  readonly now: number
  readonly afterKey: number
  readonly afterIssued: number
  readonly afterExpires: number
  readonly looks: number
}

type Row = readonly [
  key: number,
  jti: string | null,
  session: string | null,
  subject: string,
  kid: string | null,
  audience: string,
  origin: 'issued' | 'foreign',
  issuedAt: number,
  expiresAt: number,
  revocationKey: number | null,
  recordedAt: number | null,
  isMeant: number,
]

export function createTokenSearch({ client, snapshot }: SqliteParts): TokenSearch {
  const statementOf = prepareStatements(client)
  const roleKey = client
    .prepare<[string], number>('SELECT key FROM roles WHERE name = ? AND deleted_at IS NULL')
    .pluck()
  const clusterId = client
    .prepare<[string, string], string>(
      'SELECT id FROM (SELECT id, 0 AS rank FROM clusters WHERE id = ? UNION ALL SELECT id, 1 FROM clusters WHERE alias = ?) ORDER BY rank LIMIT 1',
    )
    .pluck()

  return {
    find: (filter, { after, limit, now }) =>
      snapshot((): TokenPage => {
        const role = filter.role === undefined ? null : roleKey.get(filter.role)
        const cluster = filter.cluster === undefined ? null : clusterId.get(filter.cluster, filter.cluster)
        if (role === undefined || cluster === undefined) return { tokens: [], next: undefined }
        const walk = walkOf(filter)
        const values = { ...valuesOf(filter, after, now), roleKey: role, clusterId: cluster, looks: looksPerPage }
        return takePage(statementOf(walk, filter.state).iterate(values), walk, limit)
      }),
  }
}

function walkOf({ subject, role, cluster, kid, state, issuedFrom, issuedUntil }: TokenFilter): Walk {
  if (subject !== undefined) return 'subject'
  if (role !== undefined) return 'role'
  if (cluster !== undefined) return 'cluster'
  if (issuedFrom !== undefined || issuedUntil !== undefined) return 'issue'
  if (kid !== undefined) return 'kid'
  return state === 'revoked' ? 'revoked' : 'all'
}

const last = Number.MAX_SAFE_INTEGER

function valuesOf(filter: TokenFilter, after: TokenPosition | undefined, now: Date) {
  const { subject = null, kid = null, issuedFrom, issuedUntil } = filter
  const before = after !== undefined && 'issuedAt' in after ? after : undefined
  return {
    subject,
    kid,
    issuedFrom: issuedFrom?.getTime() ?? 0,
    issuedUntil: issuedUntil?.getTime() ?? last,
    now: now.getTime(),
    afterKey: after?.key ?? last,
    afterIssued: before?.issuedAt ?? last,
    afterExpires: before?.expiresAt ?? last,
  }
}

/** Stops at the first token too many: what lies behind is not read. */
function takePage(rows: Iterable<Row>, walk: Walk, limit: number): TokenPage {
  const tokens: FoundToken[] = []
  let seen = 0
  let position: TokenPosition | undefined
  for (const row of rows) {
    const isMeant = row[11] === 1
    if (isMeant && tokens.length === limit) return { tokens, next: position }
    seen += 1
    position = positionOf(row, walk)
    if (isMeant) tokens.push(toFound(row))
  }
  return { tokens, next: seen === looksPerPage ? position : undefined }
}

function positionOf(row: Row, walk: Walk): TokenPosition {
  return walk === 'issue' ? { key: row[0], issuedAt: row[7], expiresAt: row[8] } : { key: row[0] }
}

function toFound(row: Row): FoundToken {
  const [key, jti, session, subject, kid, audience, origin, issuedAt, expiresAt, revocationKey, recordedAt] = row
  return {
    key,
    jti,
    session,
    subject,
    kid,
    audience: JSON.parse(audience) as string[],
    origin,
    issuedAt: new Date(issuedAt),
    expiresAt: new Date(expiresAt),
    revocation: revocationKey === null || recordedAt === null ? null : { id: revocationKey, at: new Date(recordedAt) },
  }
}

/** Prepared when it is first asked for. */
function prepareStatements(client: Database) {
  const prepared = new Map<string, Statement<[Values], Row>>()
  return (walk: Walk, state: TokenFilter['state']) => {
    const name = `${walk} ${state}`
    const statement = prepared.get(name) ?? client.prepare<[Values], Row>(write(walk, state)).raw()
    prepared.set(name, statement)
    return statement
  }
}

interface Route {
  /** Tables and conditions; `t` is the token, `c` its change. */
  readonly from: string
  readonly where: string
  readonly order: string
}

const withChange = 'LEFT JOIN changes c ON c.token_key = t.key'

/** Each goes along an index that ends with the token's key, in the order of the list. */
const walks: Readonly<Record<Walk, Route>> = {
  all: { from: `tokens t ${withChange}`, where: 't.key < @afterKey', order: 't.key DESC' },
  subject: {
    from: `tokens t INDEXED BY tokens_of_subject ${withChange}`,
    where: 't.subject = @subject AND t.key < @afterKey',
    order: 't.key DESC',
  },
  kid: {
    from: `tokens t INDEXED BY tokens_of_key ${withChange}`,
    where: 't.kid = @kid AND t.key < @afterKey',
    order: 't.key DESC',
  },
  role: {
    from: `token_roles w CROSS JOIN tokens t ON t.key = w.token_key ${withChange}`,
    where: 'w.role_key = @roleKey AND w.token_key < @afterKey',
    order: 'w.token_key DESC',
  },
  // Both halves come in order and are merged; what is looked at is sorted once more, which few rows bear.
  cluster: {
    from: `(SELECT token_key AS key FROM token_clusters WHERE cluster_id = @clusterId AND token_key < @afterKey
        UNION ALL
        SELECT key FROM tokens INDEXED BY tokens_for_every_cluster WHERE everywhere = 1 AND key < @afterKey
        ORDER BY key DESC LIMIT @looks) w CROSS JOIN tokens t ON t.key = w.key ${withChange}`,
    where: '1',
    order: 'w.key DESC',
  },
  revoked: {
    from: 'changes c CROSS JOIN tokens t ON t.key = c.token_key',
    where: 'c.token_key < @afterKey',
    order: 'c.token_key DESC',
  },
  issue: {
    from: `tokens t INDEXED BY tokens_by_issue ${withChange}`,
    where: `t.issued_at >= @issuedFrom AND t.issued_at < @issuedUntil AND t.issued_at <= @afterIssued
      AND (t.issued_at, t.expires_at, t.key) < (@afterIssued, @afterExpires, @afterKey)`,
    order: 't.issued_at DESC, t.expires_at DESC, t.key DESC',
  },
}

const states: Readonly<Record<NonNullable<TokenFilter['state']>, string>> = {
  live: 'c.sequence IS NULL AND t.expires_at > @now',
  revoked: 'c.sequence IS NOT NULL',
  expired: 'c.sequence IS NULL AND t.expires_at <= @now',
}

/** Each token that is looked at, with whether the whole filter means it: so the last one says where to go on. */
function write(walk: Walk, state: TokenFilter['state']): string {
  const { from, where, order } = walks[walk]
  return `
    SELECT t.key, t.jti, t.session, t.subject, t.kid, t.audience, t.origin, t.issued_at, t.expires_at,
      c.revocation_key, c.recorded_at,
      coalesce(t.subject = @subject, @subject IS NULL) AND coalesce(t.kid = @kid, @kid IS NULL)
        AND (@roleKey IS NULL OR EXISTS (
          SELECT 1 FROM token_roles tr WHERE tr.token_key = t.key AND tr.role_key = @roleKey))
        AND (@clusterId IS NULL OR t.everywhere = 1 OR EXISTS (
          SELECT 1 FROM token_clusters tc WHERE tc.token_key = t.key AND tc.cluster_id = @clusterId))
        AND t.issued_at >= @issuedFrom AND t.issued_at < @issuedUntil
        AND ${state === undefined ? '1' : `(${states[state]})`}
    FROM ${from} WHERE ${where} ORDER BY ${order} LIMIT @looks`
}
