/** Ways to take the room for writing away from a running process, and to give it back. */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface SmallDisk {
  readonly folder: string
  /** Until not a byte more can be written. */
  fill(): void
  empty(): void
}

/** A file system of its own, of so many MiB; undefined where this user may mount none. */
export function mountSmallDisk(mib: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder])
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true })
    return undefined
  }
  onTestFinished(() => {
    // Lazily: the process that uses it is being ended at the same moment.
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const ballast = join(folder, 'ballast')
  return {
    folder,
    fill: () => fillUp(ballast),
    empty: () => rmSync(ballast),
  }
}

function fillUp(file: string) {
  const handle = openSync(file, 'w')
  for (const bytes of [1 << 16, 1]) {
    const part = Buffer.alloc(bytes)
    try {
      for (;;) writeSync(handle, part)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
    }
  }
  closeSync(handle)
}

/** Whether a limit can be set on another process here (util-linux). */
export const canLimitFiles = spawnSync('prlimit', ['--version']).status === 0

/** Writing a file beyond so many bytes fails in that process from now on (EFBIG); undefined = no limit any more. */
export function limitFiles(pid: number, bytes: number | undefined): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`])
}
