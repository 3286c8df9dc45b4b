import type { Revisions } from '../../../core/revisions.ts'

/** Answers that many ask for, kept as bytes until something they could show has changed. */
export interface Answers {
  get(key: string, build: () => Promise<string>): Promise<Uint8Array<ArrayBuffer>>
  /** What is kept and still true, if anything. */
  known(key: string): Uint8Array<ArrayBuffer> | undefined
  /** Keeps an answer that was begun at this revision of the directory, if nothing has changed since; answers its bytes. */
  keep(key: string, revision: number, text: string): Uint8Array<ArrayBuffer>
}

/** Beyond this the answers that were asked for least lately make room. */
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

  const sizeOf = (key: string, bytes: Uint8Array) => bytes.length + 2 * key.length + entryBytes

  /** A map goes through its entries in the order of their coming, so what is asked for moves to the end. */
  function recall(key: string) {
    const bytes = kept.get(key)
    if (bytes === undefined) return undefined
    kept.delete(key)
    kept.set(key, bytes)
    return bytes
  }

  function makeRoom(size: number) {
    for (const [key, bytes] of kept) {
      if (bytesKept + size <= maximumBytes) return
      kept.delete(key)
      bytesKept -= sizeOf(key, bytes)
    }
  }

  function known(key: string) {
    current()
    return recall(key)
  }

  function keep(key: string, revision: number, text: string) {
    const bytes = encoder.encode(text)
    const size = sizeOf(key, bytes)
    // A change while the answer was built may be missing in it.
    if (current() === revision && !kept.has(key) && size <= maximumBytes / 2) {
      makeRoom(size)
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
      return recall(key) ?? keep(key, revision, await build())
    },
  }
}
