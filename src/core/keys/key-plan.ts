import type { KeyRecord } from './key-store.ts'

/** Tokens that have no row, those that clusters are shown, live at most so long. */
const rowlessMs = 10 * 60_000
/** A key that was published long ago, does not sign and can't be made to is left over from a rotation that failed. */
const leftOverMs = 3_600_000

/** The key that has been published for long enough to sign now, or undefined. */
export function planActivation(records: readonly KeyRecord[], leadMs: number, now: Date): KeyRecord | undefined {
  const pending = findPending(records)
  if (pending === undefined) return undefined
  const age = now.getTime() - pending.createdAt.getTime()
  // Published in the future: the clock has been set back since, and a wait is never longer than the lead.
  return age < 0 || age >= leadMs ? pending : undefined
}

/** The key that is to sign next: published, and its private key waits in the store. */
export function findPending(records: readonly KeyRecord[]): KeyRecord | undefined {
  return records.find(({ state, isPrivateKeyKept }) => state === 'next' && isPrivateKeyKept)
}

/**
 * Keys that may go once no token of theirs lives, as far as the store knows. A key that others brought, or the first one,
 * may have signed tokens that the store has never seen, by a server that we replaced: these live at most
 * `maximumLifetimeMs` from when we took the key over, or as long as an import has said.
 */
export function planRetirement(
  records: readonly KeyRecord[],
  facts: { readonly now: Date; readonly maximumLifetimeMs: number; readonly isExternal: boolean },
): readonly string[] {
  const now = facts.now.getTime()
  const oldest = records[0]?.kid
  return records
    .filter((record) => {
      if (record.state === 'next') return !record.isPrivateKeyKept && now - record.createdAt.getTime() > leftOverMs
      if (record.state !== 'retiring') return false
      const isBrought = facts.isExternal || record.kid === oldest
      const foreignUntil = isBrought ? record.createdAt.getTime() + facts.maximumLifetimeMs : 0
      const importedUntil = record.foreignUntil?.getTime() ?? 0
      return now >= Math.max(signedUntil(record, records) + rowlessMs, foreignUntil, importedUntil)
    })
    .map(({ kid }) => kid)
}

/** When the next key took over from this one. */
function signedUntil(record: KeyRecord, records: readonly KeyRecord[]): number {
  const since = record.activatedAt?.getTime() ?? 0
  const later = records
    .map(({ kid, activatedAt }) => (kid === record.kid ? undefined : activatedAt?.getTime()))
    .filter((at) => at !== undefined && at >= since)
  return later.length === 0 ? since : Math.min(...later.map((at) => at ?? since))
}
