import type { Database } from 'better-sqlite3'
import type { AuditEntry } from '../../core/audit/audit.ts'
import { DomainError } from '../../core/errors.ts'
import type { Authority } from '../../core/sessions/actor.ts'
import type { TokenRow, TokenStore } from '../../core/tokens/token-store.ts'
import type { SqliteParts } from './parts.ts'
import { type Aim, meets } from './revoking.ts'

/** Whatever is asked about a token in hand, in one statement: its row if there is one, and the user it names, if any. */
const standingQuery = `
  SELECT c.sequence, t.key, t.user_key, u.key, u.disabled_at, u.tokens_not_before,
    (SELECT max(l.until) FROM locks l WHERE l.user_key = u.key AND l.lifted_at IS NULL),
    (SELECT json_group_array(json_object('role', r.own_role, 'clusterId', r.own_cluster_id))
      FROM user_roles ur JOIN roles r ON r.key = ur.role_key
      WHERE ur.user_key = u.key AND r.own_role IS NOT NULL AND r.deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM locks l WHERE l.role_key = r.key AND l.lifted_at IS NULL AND l.until > ?))
  FROM (SELECT 1) LEFT JOIN tokens t ON t.fingerprint = ? LEFT JOIN changes c ON c.token_key = t.key
    LEFT JOIN users u ON u.name = ?`

type StandingRow = [
  revoked: number | null,
  tokenKey: number | null,
  tokenUserKey: number | null,
  userKey: number | null,
  disabledAt: number | null,
  tokensNotBefore: number | null,
  lockedUntil: number | null,
  authorities: string,
]

export function createTokenStore({ client, read, write, audit }: SqliteParts): TokenStore {
  const insert = prepareTokenInsert(client)
  const actsSince = client.prepare<[number], Aim>(
    "SELECT scope, target FROM revocations WHERE key > ? AND scope <> 'text'",
  )
  const revoked = client
    .prepare<[Buffer], number>('SELECT 1 FROM tokens t JOIN changes c ON c.token_key = t.key WHERE t.fingerprint = ?')
    .pluck()
  const sealedText = client.prepare<[string], Buffer>('SELECT sealed_text FROM tokens WHERE jti = ?').pluck()
  const standing = client.prepare<[number, Buffer, string], StandingRow>(standingQuery).raw()
  const purge = preparePurge(client)
  const lostFromMs = readLostFrom(client)
  const roleName = client.prepare<[number], string>('SELECT name FROM roles WHERE key = ?').pluck()

  return {
    record: (token, deed, options) =>
      write(() => {
        if (options && actsSince.all(options.asOf).some((act) => meets(act, token))) {
          throw new DomainError('token_revoked', {})
        }
        if (insert(token) === undefined) return
        const roles = token.roleKeys.flatMap((key) => roleName.get(key) ?? [])
        audit.append(tokenIssued(token, roles), deed)
      }),

    isRevoked: (fingerprint) => read(() => revoked.get(fingerprint) === 1),

    sealedText: (jti) => read(() => sealedText.get(jti)),

    standing: ({ fingerprint, subject, issuedAt, now }) =>
      read(() => {
        const row = standing.get(now.getTime(), fingerprint, subject)
        if (row === undefined) return { isRevoked: false, record: 'none', user: undefined }
        const [revoked, tokenKey, , userKey, disabledAt, , until, authorities] = row
        const user =
          userKey === null || !isIssuedToUser(row, issuedAt)
            ? undefined
            : {
                key: userKey,
                authorities: parseAuthorities(authorities),
                isDisabled: disabledAt !== null,
                lockedUntil: until !== null && until > now.getTime() ? new Date(until) : null,
              }
        const record = tokenKey !== null ? 'kept' : issuedAt.getTime() >= lostFromMs ? 'lost' : 'none'
        return { isRevoked: revoked !== null, record, user }
      }),

    purgeExpired: (before, limit) => write(() => purge(before.getTime(), limit)),
  }
}

const noAuthorities: readonly Authority[] = []

/** Most users have none, so that most look-ups parse nothing. */
function parseAuthorities(json: string): readonly Authority[] {
  return json === '[]' ? noAuthorities : (JSON.parse(json) as Authority[])
}

function tokenIssued({ subject, jti, session, audience, expiresAt }: TokenRow, roles: readonly string[]): AuditEntry {
  const details = { jti, session, expiresAt: expiresAt.toISOString(), clusters: audience.length, roles }
  return { action: 'token.issued', target: { kind: 'user', name: subject }, details }
}

/**
 * Whether the user who has the name now is the one that the token was issued to. Where only the name is known, time
 * decides; `iat` has whole seconds, so a token of the second in which the user was made is given the benefit.
 */
function isIssuedToUser([, , tokenUserKey, userKey, , tokensNotBefore]: StandingRow, issuedAt: Date): boolean {
  if (tokenUserKey !== null) return tokenUserKey === userKey
  return Math.floor(issuedAt.getTime() / 1000) >= Math.floor((tokensNotBefore ?? 0) / 1000)
}

/** A token is signed before its row is written, and clocks differ a little. */
const signedBeforeMs = 60_000

/**
 * From when on every token has a row here or was lost with what a restore did not bring back. It can't change while the
 * database is open: a restore has it for itself.
 */
function readLostFrom(client: Database): number {
  const backupAt = client.prepare<[], number | null>('SELECT min(backup_at) FROM restores').pluck().get()
  return backupAt == null ? Number.POSITIVE_INFINITY : backupAt - signedBeforeMs
}

/** A token's change goes with it, and by ON DELETE CASCADE what else belongs to it. */
function preparePurge(client: Database): (before: number, limit: number) => number {
  const tokens = client
    .prepare<[number, number], number>(
      `DELETE FROM tokens WHERE key IN (SELECT key FROM tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?)
       RETURNING key`,
    )
    .pluck()
  const change = client.prepare<[number]>('DELETE FROM changes WHERE token_key = ?')
  return (before, limit) => {
    const keys = tokens.all(before, limit)
    for (const key of keys) change.run(key)
    return keys.length
  }
}

/** Inserts a token unless its row is there already; answers its key, or undefined where it was there. */
export function prepareTokenInsert(client: Database): (token: TokenRow) => number | undefined {
  const insert = client.prepare(
    `INSERT INTO tokens (fingerprint, jti, session, subject, user_key, kid, audience, everywhere, origin, issued_at, expires_at, sealed_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING`,
  )
  const insertRole = client.prepare<[number, number, number]>('INSERT INTO token_roles VALUES (?, ?, ?)')
  const insertCluster = client.prepare<[number, string, number]>('INSERT INTO token_clusters VALUES (?, ?, ?)')
  return (token) => {
    const expiresAt = token.expiresAt.getTime()
    const { changes, lastInsertRowid } = insert.run(
      token.fingerprint,
      token.jti,
      token.session,
      token.subject,
      token.userKey,
      token.kid,
      JSON.stringify(token.audience),
      token.reach === 'everywhere' ? 1 : 0,
      token.origin,
      token.issuedAt.getTime(),
      expiresAt,
      token.sealedText,
    )
    if (changes === 0) return undefined
    const key = Number(lastInsertRowid)
    for (const roleKey of new Set(token.roleKeys)) insertRole.run(key, roleKey, expiresAt)
    if (token.reach === 'everywhere') return key
    for (const clusterId of new Set(token.reach)) insertCluster.run(key, clusterId, expiresAt)
    return key
  }
}
