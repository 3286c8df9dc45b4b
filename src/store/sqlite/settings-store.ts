import { asc } from 'drizzle-orm'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { SettingsStore } from '../../core/settings/settings-store.ts'
import type { SqliteParts } from './parts.ts'
import { settings } from './schema.ts'

export function createSettingsStore({ db, read, write }: SqliteParts, sealer: Sealer): SettingsStore {
  const all = db.select().from(settings).orderBy(asc(settings.name)).prepare()

  return {
    list: () =>
      read(() =>
        all
          .all()
          .map(({ name, value, sealed }) => ({ name, value: sealed === null ? (value ?? '') : sealer.open(sealed) })),
      ),

    put: (changed, { at }) =>
      write(
        () => {
          for (const { name, value, isSecret } of changed) {
            const kept = isSecret ? { value: null, sealed: sealer.seal(value) } : { value, sealed: null }
            db.insert(settings)
              .values({ name, ...kept, updatedAt: at })
              .onConflictDoUpdate({ target: settings.name, set: { ...kept, updatedAt: at } })
              .run()
          }
        },
        { changesDirectory: true },
      ),
  }
}
