/** Who holds a lease: a process of this machine, named so that others can tell whether it still runs. */
export function createHolder(): string {
  return `${process.pid}/${crypto.randomUUID()}`
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
 * Tells, while we run, of processes that have ended since: only of those that were once seen to run, since one in another
 * container, whose number says nothing here, must not lose its leases again and again.
 */
export function watchHolders(ourselves: string): (holder: string) => boolean {
  const seen = new Set<string>()
  return (holder) => {
    const pid = pidOf(holder)
    if (holder === ourselves || pid === undefined || pid === process.pid) return false
    if (isGone(pid)) return seen.delete(holder)
    seen.add(holder)
    return false
  }
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
