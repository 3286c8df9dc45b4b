import type { FileFacts, FolderFacts } from '../facts.ts'
import { type Finding, findingsOf } from '../finding.ts'

const { ok, warning, problem } = findingsOf('files')

const mib = 2 ** 20
const leastFreeBytes = 64 * mib

export function checkFiles(folder: FolderFacts): readonly Finding[] {
  if (folder.owner === undefined) {
    const mend = 'Start the service, which makes it; or name another with --data-dir.'
    return [warning('data_folder', `there is no data folder ${folder.path} yet`, mend)]
  }
  const wrong = folder.files.flatMap((file) => [...checkMode(file), ...checkOwner(file, folder)])
  const modes =
    wrong.length > 0 ? wrong : [ok('modes', `${folder.files.length} files and folders are the owner's alone`)]
  return [...modes, ...checkSpace(folder), ...checkFileSystem(folder), ...checkLeftovers(folder)]
}

function checkMode({ what, path, mode, isFolder, mayBeGroupReadable }: FileFacts): readonly Finding[] {
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  const mend = `chmod ${isFolder ? '700' : '600'} '${path}'`
  if ((mode & 0o007) !== 0)
    return [problem('mode', `${what} ${path} is open to everybody on this machine (${shown})`, mend)]
  if ((mode & 0o020) !== 0 || ((mode & 0o070) !== 0 && !mayBeGroupReadable)) {
    return [warning('mode', `${what} ${path} is open to its group (${shown})`, mend)]
  }
  return []
}

/** A service that runs as the folder's owner can't use what belongs to somebody else, root for instance. */
function checkOwner({ what, path, owner, mayBeGroupReadable }: FileFacts, folder: FolderFacts): readonly Finding[] {
  if (folder.owner === undefined || owner === folder.owner || mayBeGroupReadable) return []
  const says = `${what} ${path} belongs to user ${owner}, the data folder to user ${folder.owner}`
  return [problem('owner', says, `chown ${folder.owner} '${path}', if the service runs as the folder's owner`)]
}

function checkSpace({ path, freeBytes, databaseBytes }: FolderFacts): readonly Finding[] {
  if (freeBytes === undefined) return []
  const says = `${Math.floor(freeBytes / mib)} MiB are free in ${path}, the database has ${Math.ceil(databaseBytes / mib)}`
  if (freeBytes < leastFreeBytes) return [problem('space', says, 'Free some: without room no revocation can be kept.')]
  if (freeBytes < 2 * databaseBytes) {
    return [warning('space', says, 'Free some: an upgrade makes a backup there first, and a restore a copy.')]
  }
  return [ok('space', says)]
}

function checkFileSystem({ path, fileSystem }: FolderFacts): readonly Finding[] {
  if (fileSystem === 'network') {
    const says = `${path} lies on a network file system: locks there don't keep two writers apart`
    return [problem('file_system', says, 'Move it to a disk of this machine (a block volume).')]
  }
  if (fileSystem === 'memory' || fileSystem === 'container layer') {
    const what = fileSystem === 'memory' ? 'lies in memory' : "lies in the container's own layer"
    return [warning('file_system', `${path} ${what}: a restart loses it`, 'Put it on a volume.')]
  }
  return []
}

function checkLeftovers({ leftovers }: FolderFacts): readonly Finding[] {
  if (leftovers.length === 0) return []
  const says = `left by something that was interrupted: ${leftovers.join(', ')}`
  return [warning('leftovers', says, 'Remove them when no backup and no restore is under way.')]
}
