/** What a restore does with what is there already: nothing is thrown away. */
import { constants } from 'node:fs'
import { copyFile, link, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { isCode } from '../key-file.ts'
import { BackupError } from './manifest.ts'

/** @throws BackupError where it can't be looked at */
export async function holdsSomething(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size > 0
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw new BackupError(`${file} can't be looked at: check its owner and mode`, { cause: error })
  }
}

/**
 * Keeps what is there under another name. The database stays where it is until the new one takes its name; a log that lies
 * beside it must be gone by then, since SQLite would write what is in it into the new one.
 */
export async function clearTheWay(database: string, stamp: string): Promise<readonly string[]> {
  const aside = (await holdsSomething(database)) ? [await keepAside(database, stamp)] : []
  for (const suffix of ['-wal', '-shm']) {
    const file = `${database}${suffix}`
    if (!(await holdsSomething(file))) await rm(file, { force: true })
    else if (aside[0] === undefined) await rename(file, `${file}.before-restore-${stamp}`)
    else await rename(file, `${aside[0]}${suffix}`)
  }
  return aside
}

/** Answers the new name. */
export async function keepAside(file: string, stamp: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const aside = `${file}.before-restore-${stamp}${number === 1 ? '' : `-${number}`}`
    try {
      await linkOrCopy(file, aside)
      return aside
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
  }
}

async function linkOrCopy(file: string, aside: string): Promise<void> {
  try {
    await link(file, aside)
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw error
    // Not every file system has links.
    await copyFile(file, aside, constants.COPYFILE_EXCL)
  }
}

/** An interrupted restore may have kept aside what is in use still: a second name of the same file. */
export async function removeSecondNames(database: string): Promise<void> {
  const folder = path.dirname(database)
  const names = await readdir(folder)
  const { ino } = await stat(database)
  for (const name of names.filter((name) => name.startsWith(`${path.basename(database)}.before-restore-`))) {
    const file = path.join(folder, name)
    if ((await stat(file)).ino === ino) await rm(file)
  }
}
