/** Who holds a lease: a process of this machine, named so that others can tell whether it still runs. */
export function createHolder(): string {
  return `${process.pid}/${crypto.randomUUID()}`
}

/**
 * Whether the process that took a lease has ended: its number is nobody's, or our own although the lease isn't (containers
 * give every process the same number). One that can't be seen from here may be taken for dead; its lease is fenced then.
 */
export function isAbandoned(holder: string, ourselves: string): boolean {
  const pid = Number(holder.split('/', 1)[0])
  if (holder === ourselves || !Number.isSafeInteger(pid) || pid <= 0) return false
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
