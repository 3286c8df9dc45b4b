import type { Revisions } from '../../../core/revisions.ts'

/** Answers that many ask for, kept as bytes until something they could show has changed. */
export interface Answers {
  get(key: string, build: () => Promise<string>): Promise<Uint8Array<ArrayBuffer>>
  /** What is kept and still true, if anything. */
  known(key: string): Uint8Array<ArrayBuffer> | undefined
  /** Keeps an answer that was begun at this revision of the directory, if nothing has changed since; answers its bytes. */
  keep(key: string, revision: number, text: string): Uint8Array<ArrayBuffer>
}

/** More than this is not kept: what follows is built anew each time. */
const maximumBytes = 16 * 1024 * 1024
/** What an entry takes up beside its text: the buffer's own objects and the place in the map, about. */
const entryBytes = 400

const encoder = new TextEncoder()

export function createAnswers(revisions: Revisions): Answers {
  let keptRevision = Number.NaN
  let bytesKept = 0
  const kept = new Map<string, Uint8Array<ArrayBuffer>>()

  function current(): number {
    const revision = revisions.directory()
    if (revision !== keptRevision) {
      kept.clear()
      bytesKept = 0
      keptRevision = revision
    }
    return revision
  }

  function known(key: string) {
    current()
    return kept.get(key)
  }

  function keep(key: string, revision: number, text: string) {
    const bytes = encoder.encode(text)
    const size = bytes.length + 2 * key.length + entryBytes
    // A change while the answer was built may be missing in it.
    if (current() === revision && !kept.has(key) && bytesKept + size <= maximumBytes) {
      kept.set(key, bytes)
      bytesKept += size
    }
    return bytes
  }

  return {
    known,
    keep,
    async get(key, build) {
      const revision = current()
      return kept.get(key) ?? keep(key, revision, await build())
    },
  }
}
