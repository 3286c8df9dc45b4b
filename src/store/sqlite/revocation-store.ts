import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { AuditEntry } from '../../core/audit/audit.ts'
import { DomainError, type ErrorDetails } from '../../core/errors.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { NewRevocation, RevocationStore } from '../../core/revocation/revocation-store.ts'
import type { RevocationAct, Selector } from '../../core/revocation/selector.ts'
import type { AuditRows } from './audit-rows.ts'
import type { SqliteParts } from './parts.ts'
import { type Aim, prepareActInsert, prepareLastSequence, type Revoking } from './revoking.ts'
import type { RoleRows } from './role-rows.ts'
import { changes, tokens } from './schema.ts'
import { prepareTokenInsert } from './token-store.ts'

export function createRevocationStore(
  parts: SqliteParts,
  sealer: Sealer,
  roleRows: RoleRows,
  revoking: Revoking,
): RevocationStore {
  const { client, db, read, write, audit } = parts
  const record = prepareRecord(client, audit)
  const resolve = prepareResolve(client, roleRows)
  const subjectOf = prepareSubject(client)
  // The plus keeps SQLite on the sequence, which gives the order.
  const after = db
    .select({
      sequence: changes.sequence,
      kind: changes.kind,
      recordedAt: changes.recordedAt,
      expiresAt: changes.expiresAt,
      sealedText: tokens.sealedText,
    })
    .from(changes)
    .innerJoin(tokens, eq(tokens.key, changes.tokenKey))
    .where(
      and(gt(changes.sequence, sql.placeholder('sequence')), sql`+${changes.expiresAt} > ${sql.placeholder('now')}`),
    )
    .orderBy(asc(changes.sequence))
    .limit(sql.placeholder('limit'))
    .prepare()
  const last = prepareLastSequence(client)

  return {
    record: (revocation) => write(() => record(revocation)),

    revokeSelected: (selector, deed) =>
      write(() => {
        const act = revoking.revoke({ selector, ...resolve(selector) }, deed)
        audit.append(tokensRevoked(selector, act, subjectOf(selector)), deed)
        return act
      }),

    after: (sequence, { limit, now }) =>
      read(() =>
        after
          .all({ sequence, limit, now: now.getTime() })
          .map(({ sealedText, ...change }) => ({ ...change, token: sealer.open(sealedText) })),
      ),

    lastSequence: () => read(last),
  }
}

function prepareRecord(client: SqliteParts['client'], audit: AuditRows) {
  const insertToken = prepareTokenInsert(client)
  const insertAct = prepareActInsert(client)
  const last = prepareLastSequence(client)
  const find = client
    .prepare<[Buffer], [number, number | null, number]>(
      `SELECT t.key, c.sequence, c.revocation_key FROM tokens t LEFT JOIN changes c ON c.token_key = t.key
       WHERE t.fingerprint = ?`,
    )
    .raw()
  const append = client.prepare(
    'INSERT INTO changes (kind, token_key, expires_at, recorded_at, revocation_key) VALUES (?, ?, ?, ?, ?)',
  )
  return ({ token, reason, ...deed }: NewRevocation) => {
    const { by, at } = deed
    const [knownKey, recorded, knownAct] = find.get(token.fingerprint) ?? [undefined, null, 0]
    if (recorded !== null) return { sequence: recorded, actId: knownAct, isNew: false }
    const tokenKey = knownKey ?? insertToken(token)
    const sequence = last() + 1
    const actId = insertAct({
      selector: { by: 'text' },
      scope: 'text',
      target: '',
      actor: by.subject,
      reason,
      at,
      tokens: 1,
      firstSequence: sequence,
      lastSequence: sequence,
      expiresAt: token.expiresAt,
    })
    append.run('token_revoked', tokenKey, token.expiresAt.getTime(), at.getTime(), actId)
    const details = { by: 'text', jti: token.jti, tokens: 1, revocation: actId }
    audit.append({ action: 'token.revoked', target: { kind: 'user', name: token.subject }, details, reason }, deed)
    return { sequence, actId, isNew: true }
  }
}

/** Whose token it is, where a selector means the tokens of one login. */
function prepareSubject(client: SqliteParts['client']): (selector: Selector) => string | undefined {
  const byJti = client.prepare<[string], string>('SELECT subject FROM tokens WHERE jti = ? LIMIT 1').pluck()
  const bySession = client.prepare<[string], string>('SELECT subject FROM tokens WHERE session = ? LIMIT 1').pluck()
  return (selector) => {
    if (selector.by === 'jti') return byJti.get(selector.jti)
    return selector.by === 'session' ? bySession.get(selector.session) : undefined
  }
}

function tokensRevoked(selector: Selector, act: RevocationAct, subject: string | undefined): AuditEntry {
  const { target, value } = aimOf(selector, subject)
  const details = { by: selector.by, value, tokens: act.tokens, revocation: act.id }
  return { action: 'token.revoked', target, details, reason: act.reason }
}

/** What the tokens were chosen by, and whom the act is about. */
function aimOf(
  selector: Selector,
  subject: string | undefined,
): Pick<AuditEntry, 'target'> & { readonly value: string } {
  const ofUser = subject === undefined ? null : ({ kind: 'user', name: subject } as const)
  switch (selector.by) {
    case 'jti':
      return { value: selector.jti, target: ofUser }
    case 'session':
      return { value: selector.session, target: ofUser }
    case 'key':
      return { value: selector.kid, target: { kind: 'key', name: selector.kid } }
    case 'issued_before':
      return { value: selector.at.toISOString(), target: null }
    case 'user':
    case 'role':
    case 'cluster':
      return { value: selector.name, target: { kind: selector.by, name: selector.name } }
  }
}

/** What the names in a selector stand for. @throws DomainError where there is no such thing */
function prepareResolve(client: SqliteParts['client'], roleRows: RoleRows): (selector: Selector) => Aim {
  const prepare = (sql: string) => client.prepare<[string], string>(sql).pluck()
  const user = prepare('SELECT name FROM users WHERE name = ?')
  // A user who is gone, as far as tokens are left.
  const subject = prepare('SELECT subject FROM tokens WHERE subject = ? LIMIT 1')
  const clusterById = prepare('SELECT id FROM clusters WHERE id = ?')
  const clusterByAlias = prepare('SELECT id FROM clusters WHERE alias = ?')
  const key = prepare('SELECT kid FROM signing_keys WHERE kid = ?')
  // A key that a server which we replaced had retired.
  const keyOfToken = prepare('SELECT kid FROM tokens WHERE kid = ? LIMIT 1')
  const jti = prepare('SELECT jti FROM tokens WHERE jti = ? LIMIT 1')
  const session = prepare('SELECT session FROM tokens WHERE session = ? LIMIT 1')

  return (selector) => {
    switch (selector.by) {
      case 'jti':
        return { scope: 'jti', target: found(jti.get(selector.jti), 'token_not_found', { name: selector.jti }) }
      case 'session': {
        const name = selector.session
        return { scope: 'session', target: found(session.get(name), 'token_not_found', { name }) }
      }
      case 'user': {
        const { name } = selector
        return { scope: 'user', target: found(user.get(name) ?? subject.get(name), 'user_not_found', { name }) }
      }
      case 'role': {
        const { name } = selector
        return { scope: 'role', target: String(found(roleRows.key(name), 'role_not_found', { name })) }
      }
      case 'cluster': {
        const { name } = selector
        const id = clusterById.get(name) ?? clusterByAlias.get(name)
        return { scope: 'cluster', target: found(id, 'cluster_not_found', { name }) }
      }
      case 'key': {
        const { kid } = selector
        return { scope: 'key', target: found(key.get(kid) ?? keyOfToken.get(kid), 'key_not_found', { kid }) }
      }
      case 'issued_before':
        return { scope: 'time', target: String(selector.at.getTime()) }
    }
  }
}

type NotFound = 'token_not_found' | 'user_not_found' | 'role_not_found' | 'cluster_not_found' | 'key_not_found'

function found<T, C extends NotFound>(value: T | undefined, code: C, details: ErrorDetails[C]): T {
  if (value === undefined) throw new DomainError(code, details)
  return value
}
