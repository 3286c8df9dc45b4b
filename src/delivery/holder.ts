/**
 * Who holds a lease: a process, named so that others can tell whether it still runs.
 * @param place where its number means something: processes of one place see each other's numbers
 */
export function createHolder(place = ''): string {
  return `${process.pid}/${place.replaceAll('/', '-')}/${crypto.randomUUID()}`
}

/**
 * Whether the process that took a lease has ended: its number is nobody's, or our own although the lease isn't (containers
 * give every process the same number). One that can't be seen from here may be taken for dead; its lease is fenced then.
 */
export function isAbandoned(holder: string, ourselves: string): boolean {
  const pid = pidOf(holder)
  if (holder === ourselves || pid === undefined) return false
  return pid === process.pid || isGone(pid)
}

/**
 * Whether a process of our own place has ended, asked while we run: one of another place, whose number says nothing here,
 * must not lose its leases again and again.
 */
export function hasEnded(holder: string, ourselves: string): boolean {
  const pid = pidOf(holder)
  if (pid === undefined || pid === process.pid || placeOf(holder) !== placeOf(ourselves)) return false
  return isGone(pid)
}

function placeOf(holder: string): string | undefined {
  return holder.split('/', 2)[1]
}

function pidOf(holder: string): number | undefined {
  const pid = Number(holder.split('/', 1)[0])
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
