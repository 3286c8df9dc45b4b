import type { ReasonedDeed } from '../../core/revocation/revocation-store.ts'
import type { RevocationAct } from '../../core/revocation/selector.ts'
import type { TokenRow } from '../../core/tokens/token-store.ts'
import type { SqliteParts } from './parts.ts'

/** What an act was aimed at, with names resolved: a user's name, a role's key, a cluster's id, an instant in ms. */
export interface Aim {
  readonly scope: keyof typeof selections | 'text'
  readonly target: string
}

export interface Meant extends Aim {
  readonly selector: RevocationAct['selector']
  /** Of a user's tokens only those that carry one of these roles. */
  readonly roleKeys?: readonly number[]
  /** Fingerprint of the one token of the user that stays good. */
  readonly except?: Buffer
}

/** Runs inside the caller's transaction. */
export interface Revoking {
  /** Keeps the act, and appends a change for each token meant that lives and is not revoked yet. */
  revoke(meant: Meant, deed: ReasonedDeed): RevocationAct
}

/**
 * Each answers key and expiry of live tokens from an index alone. Two name it, where SQLite would rather go through all
 * tokens in the order that is wanted afterwards.
 */
const selections = {
  jti: 'SELECT key, expires_at FROM tokens WHERE jti = @target AND expires_at > @at',
  session: 'SELECT key, expires_at FROM tokens WHERE session = @target AND expires_at > @at',
  user: 'SELECT key, expires_at FROM tokens WHERE subject = @target AND expires_at > @at',
  role: `SELECT token_key AS key, expires_at FROM token_roles
         WHERE role_key = CAST(@target AS INTEGER) AND expires_at > @at`,
  cluster: `SELECT token_key AS key, expires_at FROM token_clusters WHERE cluster_id = @target AND expires_at > @at
            UNION ALL
            SELECT key, expires_at FROM tokens INDEXED BY tokens_everywhere WHERE everywhere = 1 AND expires_at > @at`,
  key: 'SELECT key, expires_at FROM tokens WHERE kid = @target AND expires_at > @at',
  time: `SELECT key, expires_at FROM tokens INDEXED BY tokens_by_issue
         WHERE issued_at < CAST(@target AS INTEGER) AND expires_at > @at`,
} as const

const ofUserExcept = `SELECT key, expires_at FROM tokens WHERE subject = @target AND expires_at > @at
  AND key <> coalesce((SELECT key FROM tokens WHERE fingerprint = @except), 0)`

const ofUserByRole = `SELECT t.key, t.expires_at FROM tokens t JOIN token_roles r ON r.token_key = t.key
  WHERE t.subject = @target AND t.expires_at > @at AND r.role_key = @roleKey`

/** In the order of their keys, so that who reads the log reads the tokens in the order in which they lie on disk. */
const append = (selection: string) => `
  INSERT INTO changes (kind, token_key, expires_at, recorded_at, revocation_key)
  SELECT 'token_revoked', meant.key, meant.expires_at, @at, @act FROM (${selection}) AS meant
  WHERE NOT EXISTS (SELECT 1 FROM changes c WHERE c.token_key = meant.key) ORDER BY meant.key`

export function prepareRevoking({ client }: Pick<SqliteParts, 'client'>): Revoking {
  const insertAct = prepareActInsert(client)
  const prepare = (selection: string) => client.prepare<[object]>(append(selection))
  const appendOf = {
    jti: prepare(selections.jti),
    session: prepare(selections.session),
    user: prepare(selections.user),
    role: prepare(selections.role),
    cluster: prepare(selections.cluster),
    key: prepare(selections.key),
    time: prepare(selections.time),
  }
  const appendOfUserByRole = prepare(ofUserByRole)
  const appendOfUserExcept = prepare(ofUserExcept)
  const last = prepareLastSequence(client)
  const complete = client.prepare<[number, number, number, number, number]>(
    `UPDATE revocations SET tokens = ?, first_sequence = ?, last_sequence = ?,
       expires_at = (SELECT max(expires_at) FROM changes WHERE sequence > ?) WHERE key = ?`,
  )
  const expiry = client.prepare<[number], number>('SELECT expires_at FROM revocations WHERE key = ?').pluck()

  function appendAll({ scope, target, roleKeys, except }: Meant, at: number, act: number): number {
    if (scope === 'text') return 0
    if (except !== undefined) return appendOfUserExcept.run({ target, at, act, except }).changes
    if (roleKeys === undefined) return appendOf[scope].run({ target, at, act }).changes
    let count = 0
    for (const roleKey of roleKeys) count += appendOfUserByRole.run({ target, at, act, roleKey }).changes
    return count
  }

  return {
    revoke(meant, { by, reason, at }) {
      const actor = by.subject
      const none = { tokens: 0, firstSequence: 0, lastSequence: 0, expiresAt: at }
      const id = insertAct({ ...meant, actor, reason, at, ...none })
      const before = last()
      const tokens = appendAll(meant, at.getTime(), id)
      const act = { id, selector: meant.selector, actor, reason, at }
      if (tokens === 0) return { ...act, tokens, lastSequence: 0, expiresAt: at }
      const lastSequence = last()
      complete.run(tokens, before + 1, lastSequence, before, id)
      return { ...act, tokens, lastSequence, expiresAt: new Date(expiry.get(id) ?? at) }
    },
  }
}

export interface ActRow extends Aim, Omit<RevocationAct, 'id'> {
  readonly firstSequence: number
}

/** Answers the new act's key. */
export function prepareActInsert(client: SqliteParts['client']): (act: ActRow) => number {
  const insert = client.prepare(
    `INSERT INTO revocations (selector, scope, target, actor, reason, recorded_at, tokens, first_sequence, last_sequence, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return (act) =>
    Number(
      insert.run(
        JSON.stringify(act.selector),
        act.scope,
        act.target,
        act.actor,
        act.reason,
        act.at.getTime(),
        act.tokens,
        act.firstSequence,
        act.lastSequence,
        act.expiresAt.getTime(),
      ).lastInsertRowid,
    )
}

/** The highest sequence that was ever in the log. */
export function prepareLastSequence(client: SqliteParts['client']): () => number {
  const last = client.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").pluck()
  return () => last.get() ?? 0
}

/** Whether an act that is aimed so would have met the token, had it been there. */
export function meets({ scope, target }: Aim, token: TokenRow): boolean {
  switch (scope) {
    case 'user':
      return target === token.subject
    case 'role':
      return token.roleKeys.includes(Number(target))
    case 'cluster':
      return token.reach === 'everywhere' || token.reach.includes(target)
    case 'key':
      return target === token.kid
    case 'time':
      return token.issuedAt.getTime() < Number(target)
    default:
      return false
  }
}
