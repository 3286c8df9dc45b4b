import type { Revisions } from '../../../core/revisions.ts'

/** Answers that many ask for, kept as bytes until something they could show has changed. */
export interface Answers {
  get(key: string, build: () => Promise<string>): Promise<Uint8Array<ArrayBuffer>>
}

/** More than this is not kept: what follows is built anew each time. */
const maximumBytes = 16 * 1024 * 1024

export function createAnswers(revisions: Revisions): Answers {
  let revision = Number.NaN
  let bytesKept = 0
  const kept = new Map<string, Uint8Array<ArrayBuffer>>()

  return {
    async get(key, build) {
      const current = revisions.directory()
      if (current !== revision) {
        kept.clear()
        bytesKept = 0
        revision = current
      }
      const known = kept.get(key)
      if (known) return known
      const bytes = new TextEncoder().encode(await build())
      // A change while the answer was built may be missing in it.
      const isCurrent = revision === current && revisions.directory() === current
      if (isCurrent && !kept.has(key) && bytesKept + bytes.length <= maximumBytes) {
        kept.set(key, bytes)
        bytesKept += bytes.length
      }
      return bytes
    },
  }
}
