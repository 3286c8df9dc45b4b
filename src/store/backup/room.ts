import { statfs } from 'node:fs/promises'
import { BackupError } from './manifest.ts'

/** Beside what is copied there is room for the rest: keys and manifest. */
const spareBytes = 1 << 20

/**
 * Looks for room before anything is written. Where a file system doesn't tell, there is taken to be some.
 * @param what for people, for instance `the backup`
 * @throws BackupError
 */
export async function requireRoom(folder: string, sizes: readonly number[], what: string): Promise<void> {
  const needed = sizes.reduce((sum, size) => sum + size, spareBytes)
  const space = await statfs(folder).catch(() => undefined)
  const free = space && space.bavail * space.bsize
  if (free === undefined || free >= needed) return
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`
  throw new BackupError(`not enough room in ${folder}: ${what} needs ${mib(needed)}, ${mib(free)} are free`)
}
