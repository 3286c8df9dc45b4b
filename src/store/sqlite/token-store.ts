import type { Database } from 'better-sqlite3'
import type { TokenRow, TokenStore } from '../../core/tokens/token-store.ts'
import type { SqliteParts } from './parts.ts'

/** Whatever is asked about a token in hand, in one statement: its row if there is one, and the user it names, if any. */
const standingQuery = `
  SELECT t.revoked_at, t.user_key, u.key, u.disabled_at, u.tokens_not_before, EXISTS (
    SELECT 1 FROM user_roles ur JOIN roles r ON r.key = ur.role_key
    WHERE ur.user_key = u.key AND r.is_administrator = 1 AND r.deleted_at IS NULL)
  FROM (SELECT 1) LEFT JOIN tokens t ON t.fingerprint = ? LEFT JOIN users u ON u.name = ?`

type StandingRow = [
  revokedAt: number | null,
  tokenUserKey: number | null,
  userKey: number | null,
  disabledAt: number | null,
  tokensNotBefore: number | null,
  isAdministrator: number,
]

export function createTokenStore({ client, read, write }: SqliteParts): TokenStore {
  const insert = prepareTokenInsert(client)
  const revokedAt = client
    .prepare<[Buffer], number | null>('SELECT revoked_at FROM tokens WHERE fingerprint = ?')
    .pluck()
  const standing = client.prepare<[Buffer, string], StandingRow>(standingQuery).raw()
  const purge = client.prepare<[number, number]>(
    'DELETE FROM tokens WHERE key IN (SELECT key FROM tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
  )

  return {
    record: (token) =>
      write(() => {
        insert(token, null)
      }),

    isRevoked: (fingerprint) => read(() => typeof revokedAt.get(fingerprint) === 'number'),

    standing: ({ fingerprint, subject, issuedAt }) =>
      read(() => {
        const row = standing.get(fingerprint, subject)
        if (row === undefined) return { isRevoked: false, user: undefined }
        const [revoked, , userKey, disabledAt, , isAdministrator] = row
        const user =
          userKey === null || !isIssuedToUser(row, issuedAt)
            ? undefined
            : { key: userKey, isAdministrator: isAdministrator === 1, isDisabled: disabledAt !== null }
        return { isRevoked: revoked !== null, user }
      }),

    // The changes go with their tokens (ON DELETE CASCADE).
    purgeExpired: (before, limit) => write(() => purge.run(before.getTime(), limit).changes),
  }
}

/**
 * Whether the user who has the name now is the one that the token was issued to. Where only the name is known, time
 * decides; `iat` has whole seconds, so a token of the second in which the user was made is given the benefit.
 */
function isIssuedToUser([, tokenUserKey, userKey, , tokensNotBefore]: StandingRow, issuedAt: Date): boolean {
  if (tokenUserKey !== null) return tokenUserKey === userKey
  return Math.floor(issuedAt.getTime() / 1000) >= Math.floor((tokensNotBefore ?? 0) / 1000)
}

/** Inserts a token unless its row is there already; answers its key, or undefined where it was there. */
export function prepareTokenInsert(client: Database): (token: TokenRow, revokedAt: Date | null) => number | undefined {
  const insert = client.prepare(
    `INSERT INTO tokens (fingerprint, jti, session, subject, user_key, kid, audience, origin, issued_at, expires_at, revoked_at, sealed_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING`,
  )
  return (token, revokedAt) => {
    const { changes, lastInsertRowid } = insert.run(
      token.fingerprint,
      token.jti,
      token.session,
      token.subject,
      token.userKey,
      token.kid,
      JSON.stringify(token.audience),
      token.origin,
      token.issuedAt.getTime(),
      token.expiresAt.getTime(),
      revokedAt?.getTime() ?? null,
      token.sealedText,
    )
    return changes === 0 ? undefined : Number(lastInsertRowid)
  }
}
