import { asc } from 'drizzle-orm'
import type { AuditEntry } from '../../core/audit/audit.ts'
import type { Sealer } from '../../core/keys/sealer.ts'
import type { SettingsStore, StoredSetting } from '../../core/settings/settings-store.ts'
import type { SqliteParts } from './parts.ts'
import { settings } from './schema.ts'

export function createSettingsStore({ db, read, write, audit }: SqliteParts, sealer: Sealer): SettingsStore {
  const all = db.select().from(settings).orderBy(asc(settings.name)).prepare()

  function list(): readonly StoredSetting[] {
    return all.all().map(({ name, value, sealed, updatedAt }) => ({
      name,
      value: sealed === null ? (value ?? '') : sealer.open(sealed),
      changedAt: updatedAt,
    }))
  }

  return {
    list: () => read(list),

    put: (changed, deed) =>
      write(
        () => {
          deed.precondition?.(list())
          const { at } = deed
          const before = new Map(all.all().map((row) => [row.name, row]))
          for (const { name, value, isSecret } of changed) {
            const kept = isSecret ? { value: null, sealed: sealer.seal(value) } : { value, sealed: null }
            db.insert(settings)
              .values({ name, ...kept, updatedAt: at })
              .onConflictDoUpdate({ target: settings.name, set: { ...kept, updatedAt: at } })
              .run()
          }
          audit.append(settingsChanged(changed, before), deed)
        },
        { changesDirectory: true },
      ),
  }
}

type Changed = Parameters<SettingsStore['put']>[0]

/** Of a secret it is only said that there is one, or that there is another. */
function settingsChanged(changed: Changed, rows: ReadonlyMap<string, typeof settings.$inferSelect>): AuditEntry {
  const entries = changed.map(({ name, value, isSecret }) => {
    const before = rows.get(name)
    const hidden = before === undefined ? null : '(secret)'
    return isSecret
      ? { name, before: hidden, after: '(new secret)' }
      : { name, before: before?.value ?? null, after: value }
  })
  const pick = (side: 'before' | 'after') => Object.fromEntries(entries.map((entry) => [entry.name, entry[side]]))
  const target = { kind: 'setting', name: changed.map(({ name }) => name).join(', ') } as const
  return { action: 'setting.changed', target, before: pick('before'), after: pick('after') }
}
