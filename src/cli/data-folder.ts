import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'

/** The data folder can't be used. The message is one line for the operator. */
class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

/**
 * Makes the data folder, readable by its owner alone, where it is missing.
 *
 * @throws DataFolderError where it can't be made or nothing can be written there
 */
export async function prepareDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new DataFolderError(
      `the data folder ${folder} can't be used: ${reasons[code] ?? code} (choose another with --data-dir or GATEHOUSE_DATA_DIR)`,
      { cause: error },
    )
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write to it',
  EPERM: 'this user may not write to it',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'it is a file, not a folder',
  ENOTDIR: 'part of its path is a file, not a folder',
}
