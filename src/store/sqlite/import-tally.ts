import type { Tally } from '../../core/transfer/import.ts'

/** Counts what became of the things of one kind. */
export function createCount() {
  const counts = { added: 0, unchanged: 0, kept: 0 }
  return {
    add(what: keyof Tally): void {
      counts[what] += 1
    },
    tally: (): Tally => ({ ...counts }),
  }
}
