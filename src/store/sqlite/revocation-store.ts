import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { DomainError, type ErrorDetails } from '../../core/errors.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { NewRevocation, RevocationStore } from '../../core/revocation/revocation-store.ts'
import type { Selector } from '../../core/revocation/selector.ts'
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
  const { client, db, read, write } = parts
  const record = prepareRecord(client)
  const resolve = prepareResolve(client, roleRows)
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

    revokeSelected: (selector, deed) => write(() => revoking.revoke({ selector, ...resolve(selector) }, deed)),

    after: (sequence, { limit, now }) =>
      read(() =>
        after
          .all({ sequence, limit, now: now.getTime() })
          .map(({ sealedText, ...change }) => ({ ...change, token: sealer.open(sealedText) })),
      ),

    lastSequence: () => read(last),
  }
}

function prepareRecord(client: SqliteParts['client']) {
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
  return ({ token, by, reason, at }: NewRevocation) => {
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
    return { sequence, actId, isNew: true }
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
