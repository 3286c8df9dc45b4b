import { and, asc, eq, ne, sql } from 'drizzle-orm'
import type { KeyStore } from '../../core/keys/key-store.ts'
import type { SqliteParts } from './parts.ts'
import { signingKeys } from './schema.ts'

export function createKeyStore({ db, read, write }: SqliteParts): KeyStore {
  const directory = { changesDirectory: true }
  const all = db
    .select({
      kid: signingKeys.kid,
      publicJwk: signingKeys.publicJwk,
      state: signingKeys.state,
      createdAt: signingKeys.createdAt,
    })
    .from(signingKeys)
    .orderBy(asc(signingKeys.createdAt), sql`rowid`)
    .prepare()

  return {
    list: () => read(() => all.all()),

    publish: (publicJwk, at) =>
      write(() => {
        db.insert(signingKeys)
          .values({ kid: publicJwk.kid, publicJwk, state: 'next', createdAt: at })
          .onConflictDoNothing()
          .run()
      }, directory),

    activate: (kid, at) =>
      write(() => {
        const activated = db
          .update(signingKeys)
          .set({ state: 'active', activatedAt: at, retiredAt: null })
          .where(eq(signingKeys.kid, kid))
          .run()
        if (activated.changes === 0) throw new Error(`the key ${kid} was never published`)
        db.update(signingKeys)
          .set({ state: 'retiring' })
          .where(and(eq(signingKeys.state, 'active'), ne(signingKeys.kid, kid)))
          .run()
      }, directory),
  }
}
