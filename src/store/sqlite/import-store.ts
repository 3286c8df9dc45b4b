import type { Sealer } from '../../core/keys/sealer.ts'
import { administratorRoleName } from '../../core/roles/role.ts'
import type { Deed } from '../../core/sessions/actor.ts'
import type { Imported, ImportedRevocation, ImportStore, ImportTally, ImportTerms } from '../../core/transfer/import.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { prepareDirectoryImport } from './import-directory.ts'
import { createCount } from './import-tally.ts'
import type { SqliteParts } from './parts.ts'
import { prepareActInsert, prepareLastSequence } from './revoking.ts'
import type { RoleRows } from './role-rows.ts'
import { settings } from './schema.ts'
import { prepareTokenInsert } from './token-store.ts'

export function createImportStore(
  parts: SqliteParts,
  sealer: Sealer,
  roleRows: RoleRows,
  acknowledgements: Acknowledgements,
): ImportStore {
  const { client, db, write, audit } = parts
  const anyUser = client.prepare<[], number>('SELECT 1 FROM users LIMIT 1').pluck()
  // The index of administrators is gone through, never all users.
  const anyAdministrator = client
    .prepare<[], number>(
      `SELECT 1 FROM roles r CROSS JOIN user_roles ur ON ur.role_key = r.key CROSS JOIN users u ON u.key = ur.user_key
       WHERE r.is_administrator = 1 AND r.deleted_at IS NULL AND u.disabled_at IS NULL LIMIT 1`,
    )
    .pluck()
  const protect = client.prepare<[string]>(
    `UPDATE users SET is_built_in = 1 WHERE key = (
       SELECT u.key FROM roles r CROSS JOIN user_roles ur ON ur.role_key = r.key CROSS JOIN users u ON u.key = ur.user_key
       WHERE r.is_administrator = 1 AND r.deleted_at IS NULL ORDER BY u.name = ? DESC, u.key LIMIT 1)`,
  )

  function putSettings(wanted: ImportTerms['settings'], at: Date): void {
    for (const { name, value, isSecret } of wanted) {
      const kept = isSecret ? { value: null, sealed: sealer.seal(value) } : { value, sealed: null }
      db.insert(settings)
        .values({ name, ...kept, updatedAt: at })
        .onConflictDoNothing()
        .run()
    }
  }

  function act(imported: Imported, terms: ImportTerms, deed: Deed): ImportTally {
    const isFirst = anyUser.get() === undefined
    const directory = prepareDirectoryImport(parts, { sealer, roleRows, acknowledgements, terms, at: deed.at })
    const revoking = prepareRevocations(client, sealer, terms, deed)
    for (const role of imported.roles) directory.takeRole(role)
    const ids = new Set(imported.clusters.map(({ id }) => id))
    for (const cluster of imported.clusters) directory.takeCluster(cluster, ids)
    for (const key of imported.keys) directory.takeKey(key)
    for (const entry of imported.entries()) {
      if (entry.kind === 'user') directory.takeUser(entry.user)
      else revoking.take(entry.revocation)
    }
    directory.activateKey()
    if (isFirst) {
      protect.run(terms.administratorName)
      putSettings(terms.settings, deed.at)
    }
    if (anyAdministrator.get() === undefined) terms.findings.add('administrator_absent', administratorRoleName)
    const tally = { isFirst, ...directory.tally(), revocations: revoking.finish() }
    noteImport(tally, terms, deed)
    return tally
  }

  /** The act's one row in the audit trail; one that changed nothing has none. */
  function noteImport({ isFirst, ...tally }: ImportTally, { from, settings: given }: ImportTerms, deed: Deed): void {
    const taken = isFirst ? given.map(({ name }) => name) : []
    const { users, roles, clusters, keys, revocations } = tally
    const added = { users: users.added, roles: roles.added, clusters: clusters.added, keys: keys.added }
    const details = { from, ...added, revokedTokens: revocations.added }
    if (taken.length === 0 && Object.values(tally).every((counts) => counts.added === 0)) return
    const names = isFirst ? { settings: taken } : {}
    audit.append({ action: 'data.imported', target: null, details: { ...details, ...names } }, deed)
  }

  return {
    async run(imported, terms, deed) {
      try {
        return await write(
          () => {
            const tally = act(imported, terms, deed)
            if (terms.isTrial) throw new TrialEnded(tally)
            return tally
          },
          { changesDirectory: true },
        )
      } catch (error) {
        if (error instanceof TrialEnded) return error.tally
        throw error
      }
    },
  }
}

/** Undoes what a trial has written. */
class TrialEnded extends Error {
  readonly tally: ImportTally
  constructor(tally: ImportTally) {
    super('a trial keeps nothing')
    this.tally = tally
  }
}

/** All of them are one act: one row in the list of revocations, and a change for each token. */
function prepareRevocations(client: SqliteParts['client'], sealer: Sealer, { reason }: ImportTerms, { by, at }: Deed) {
  const insertToken = prepareTokenInsert(client)
  const insertAct = prepareActInsert(client)
  const last = prepareLastSequence(client)
  const find = client
    .prepare<[Buffer], [number, number | null]>(
      'SELECT t.key, c.sequence FROM tokens t LEFT JOIN changes c ON c.token_key = t.key WHERE t.fingerprint = ?',
    )
    .raw()
  const append = client.prepare(
    'INSERT INTO changes (kind, token_key, expires_at, recorded_at, revocation_key) VALUES (?, ?, ?, ?, ?)',
  )
  const complete = client.prepare<[number, number, number, number]>(
    'UPDATE revocations SET tokens = ?, last_sequence = ?, expires_at = ? WHERE key = ?',
  )
  const count = createCount()
  const firstSequence = last() + 1
  let expired = 0
  let lastExpiryMs = 0
  let actKey: number | undefined

  function beginAct(): number {
    const none = { tokens: 0, firstSequence, lastSequence: 0, expiresAt: at }
    return insertAct({ selector: { by: 'text' }, scope: 'text', target: '', actor: by.subject, reason, at, ...none })
  }

  return {
    take({ text, ...token }: ImportedRevocation): void {
      if (token.expiresAt <= at) {
        expired += 1
        return
      }
      const [known, recorded] = find.get(token.fingerprint) ?? [undefined, null]
      count.add(recorded === null ? 'added' : 'unchanged')
      if (recorded !== null) return
      actKey ??= beginAct()
      const row = { ...token, userKey: null, reach: 'everywhere', roleKeys: [], origin: 'foreign' } as const
      const tokenKey = known ?? insertToken({ ...row, sealedText: sealer.seal(text) })
      const expiryMs = token.expiresAt.getTime()
      append.run('token_revoked', tokenKey, expiryMs, at.getTime(), actKey)
      lastExpiryMs = Math.max(lastExpiryMs, expiryMs)
    },
    finish() {
      const tally = count.tally()
      if (actKey !== undefined) complete.run(tally.added, last(), lastExpiryMs, actKey)
      return { ...tally, expired }
    },
  }
}
