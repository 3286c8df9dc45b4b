import { and, asc, eq, ne, sql } from 'drizzle-orm'
import type { AuditEntry } from '../../core/audit/audit.ts'
import type { KeyStore } from '../../core/keys/key-store.ts'
import type { SqliteParts } from './parts.ts'
import { signingKeys } from './schema.ts'

export function createKeyStore({ client, db, read, write, audit }: SqliteParts): KeyStore {
  const directory = { changesDirectory: true }
  const all = db
    .select({
      kid: signingKeys.kid,
      publicJwk: signingKeys.publicJwk,
      state: signingKeys.state,
      createdAt: signingKeys.createdAt,
      activatedAt: signingKeys.activatedAt,
      foreignUntil: signingKeys.foreignUntil,
      isPrivateKeyKept: sql<number>`sealed_private_key IS NOT NULL`,
    })
    .from(signingKeys)
    .orderBy(asc(signingKeys.createdAt), sql`rowid`)
    .prepare()
  const privateKey = client
    .prepare<[string], Buffer | null>('SELECT sealed_private_key FROM signing_keys WHERE kid = ?')
    .pluck()
  const use = client
    .prepare<[string, number], number>('SELECT 1 FROM tokens WHERE kid = ? AND expires_at > ? LIMIT 1')
    .pluck()
  const active = client.prepare<[], string>("SELECT kid FROM signing_keys WHERE state = 'active'").pluck()
  const stateOf = client.prepare<[string], string>('SELECT state FROM signing_keys WHERE kid = ?').pluck()

  return {
    list: () => read(() => all.all().map((row) => ({ ...row, isPrivateKeyKept: row.isPrivateKeyKept === 1 }))),

    publish: (publicJwk, deed, sealedPrivateKey) =>
      write(() => {
        const { at } = deed
        const published = db
          .insert(signingKeys)
          .values({ kid: publicJwk.kid, publicJwk, state: 'next', createdAt: at, sealedPrivateKey })
          .onConflictDoNothing()
          .run()
        if (published.changes > 0) audit.append(keyAct('published', publicJwk.kid), deed)
      }, directory),

    sealedPrivateKey: (kid) => read(() => privateKey.get(kid) ?? undefined),

    activate: (kid, deed) =>
      write(() => {
        const { at } = deed
        const wasActive = active.get()
        const activated = db
          .update(signingKeys)
          .set({ state: 'active', activatedAt: at, retiredAt: null, sealedPrivateKey: null })
          .where(eq(signingKeys.kid, kid))
          .run()
        if (activated.changes === 0) throw new Error(`the key ${kid} was never published`)
        db.update(signingKeys)
          .set({ state: 'retiring' })
          .where(and(eq(signingKeys.state, 'active'), ne(signingKeys.kid, kid)))
          .run()
        if (wasActive !== kid) audit.append(keyAct('activated', kid, { before: wasActive ?? null }), deed)
      }, directory),

    retire: (kid, deed) =>
      write(() => {
        const { at } = deed
        const before = stateOf.get(kid)
        const retired = db
          .update(signingKeys)
          .set({ state: 'retired', retiredAt: at, sealedPrivateKey: null })
          .where(and(eq(signingKeys.kid, kid), ne(signingKeys.state, 'active')))
          .run()
        if (retired.changes > 0 && before !== 'retired') audit.append(keyAct('retired', kid), deed)
        return retired.changes > 0
      }, directory),

    isInUse: (kid, now) => read(() => use.get(kid, now.getTime()) === 1),
  }
}

/** `before` is the key that signed until now. */
function keyAct(act: 'published' | 'activated' | 'retired', kid: string, more?: { before: string | null }): AuditEntry {
  return {
    action: `key.${act}`,
    target: { kind: 'key', name: kid },
    ...(more && { details: { signedBefore: more.before } }),
  }
}
