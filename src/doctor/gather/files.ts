import { readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../../config.ts'
import type { FileFacts, FolderFacts } from '../facts.ts'

/** statfs(2), and linux/magic.h. */
const fileSystems: ReadonlyMap<number, FolderFacts['fileSystem']> = new Map([
  [0x6969, 'network'],
  [0xff53_4d42, 'network'],
  [0xfe53_4d42, 'network'],
  [0x517b, 'network'],
  [0x0102_1994, 'memory'],
  [0x8584_58f6, 'memory'],
  [0x794c_7630, 'container layer'],
  [0xef53, 'local'],
  [0x5846_5342, 'local'],
  [0x9123_683e, 'local'],
])

/** What is left where something is interrupted: see store/key-file.ts, store/backup. */
const leftover = /\.tmp$|\.restoring(-wal|-shm|-journal)?$|\.partial-[0-9a-f]{8}$/
/** Younger ones may still be in use. */
const leftoverAgeMs = 600_000

interface Wanted {
  readonly what: string
  readonly file: string | undefined
  readonly mayBeGroupReadable?: boolean
}

export async function gatherFiles(
  config: Config,
  {
    configFile,
    hasSecretInFile,
    now,
  }: { readonly configFile: string | undefined; readonly hasSecretInFile: boolean; readonly now: Date },
): Promise<FolderFacts> {
  const { dataDir, databaseFile, net } = config
  const wanted: readonly Wanted[] = [
    { what: 'the data folder', file: dataDir },
    ...['', '-wal', '-shm'].map((suffix) => ({ what: 'the database', file: `${databaseFile}${suffix}` })),
    { what: 'the master key', file: config.masterKey === undefined ? config.masterKeyFile : undefined },
    { what: 'the signing key', file: config.signingKey.file },
    { what: "the certificate's key", file: net.tls?.keyFile, mayBeGroupReadable: true },
    {
      what: 'the configuration, with a secret in it,',
      file: hasSecretInFile ? configFile : undefined,
      mayBeGroupReadable: true,
    },
  ]
  const files = await Promise.all(wanted.map(lookAt))
  const folder = await stat(dataDir).catch(() => undefined)
  const space = await statfs(dataDir).catch(() => undefined)
  return {
    path: dataDir,
    files: files.filter((file) => file !== undefined),
    owner: folder?.uid,
    freeBytes: space && space.bavail * space.bsize,
    databaseBytes: await sizeOf(databaseFile),
    leftovers: await findLeftovers(dataDir, now),
    fileSystem: (space && fileSystems.get(space.type)) ?? 'unknown',
  }
}

async function lookAt({ what, file, mayBeGroupReadable = false }: Wanted): Promise<FileFacts | undefined> {
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (file === undefined || found === undefined) return undefined
  const { mode, uid: owner } = found
  return { what, path: file, mode: mode & 0o777, owner, isFolder: found.isDirectory(), mayBeGroupReadable }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0
}

async function findLeftovers(folder: string, now: Date): Promise<readonly string[]> {
  const names = (await readdir(folder).catch((): string[] => [])).filter((name) => leftover.test(name))
  const isOld = await Promise.all(
    names.map(async (name) => {
      const found = await stat(path.join(folder, name)).catch(() => undefined)
      return found !== undefined && now.getTime() - found.mtimeMs > leftoverAgeMs
    }),
  )
  return names.filter((_, index) => isOld[index])
}
