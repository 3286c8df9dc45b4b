import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { DomainError } from '../core/errors.ts'
import type { KeyFile } from '../core/keys/key-store.ts'

/** The private key's file at `file`. A write is on disk when it resolves; readers see the old content or the new. */
export function createKeyFile(file: string): KeyFile {
  return {
    path: file,
    async read() {
      try {
        return await readFile(file)
      } catch (error) {
        if (isCode(error, 'ENOENT')) return undefined
        throw error
      }
    },
    /** @throws DomainError storage_failed; the old content is there still */
    async write(content) {
      // A name of its own: processes that write at once must not write into each other's sibling.
      const sibling = `${file}.${randomBytes(6).toString('hex')}.tmp`
      try {
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
        await writeDurably(sibling, content)
        await rename(sibling, file)
        await syncFolder(path.dirname(file))
      } catch (error) {
        await rm(sibling, { force: true }).catch(() => undefined)
        throw new DomainError('storage_failed', { reason: `the key file ${file} cannot be written` }, { cause: error })
      }
    },
  }
}

/**
 * Makes the private key's file, mode 0600, whole or not at all, with this content on disk. One that is there is never
 * replaced: answers whether it was made.
 * @throws DomainError storage_failed
 */
export async function placeKeyFile(file: string, content: Uint8Array): Promise<boolean> {
  const folder = path.dirname(file)
  const sibling = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeDurably(sibling, content)
    // A link, unlike a rename, never takes another file's place.
    const isMade = await link(sibling, file).then(
      () => true,
      (error: unknown) => {
        if (isCode(error, 'EEXIST')) return false
        throw error
      },
    )
    await syncFolder(folder)
    return isMade
  } catch (error) {
    throw new DomainError('storage_failed', { reason: `the key file ${file} cannot be written` }, { cause: error })
  } finally {
    await rm(sibling, { force: true }).catch(() => undefined)
  }
}

/** Makes the file, mode 0600, with this content on disk. @throws Error EEXIST where there is one */
export async function writeDurably(file: string, content: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Puts the names in a folder on disk: without it a rename may be forgotten in a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
