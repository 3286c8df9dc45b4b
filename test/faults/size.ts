import { existsSync } from 'node:fs'

/** `npm test` runs each fault in a bounded form; `FAULTS=full` runs it in full. */
const isFull = process.env.FAULTS === 'full'

/** How many of a thing: fewer where the run is bounded. */
export function sized(bounded: number, full: number): number {
  return isFull ? full : bounded
}

const memoryDisk = '/dev/shm'

/**
 * Puts data folders where a sync costs nothing, if there is such a place: what is tried here is what survives the end of a
 * process, which is the same on every file system.
 */
export function useFastFolders(): void {
  if (existsSync(memoryDisk)) process.env.TMPDIR = memoryDisk
}
