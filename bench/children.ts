/** The processes and folders of this run. Whatever ends it, they go with it: by pid, nothing else is touched. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nowMs, within } from './clock.ts'

const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** Ends what is left when this process ends, on Ctrl-C too. */
export function cleanUpAtExit(): void {
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
}

export function adopt<T extends ChildProcess>(child: T): T {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  folders.add(folder)
  return folder
}

/** A program of this folder as a process of its own, with which messages are exchanged. */
export interface Helper {
  readonly pid: number
  /** The next message of this type. @throws Error where the helper ends or stays silent */
  next<T>(type: string, limitMs: number): Promise<T>
  send(message: { readonly type: string; readonly [member: string]: unknown }): void
  stop(): Promise<void>
}

export function startHelper(program: URL, args: readonly string[] = []): Helper {
  const child = adopt(fork(fileURLToPath(program), args, { serialization: 'advanced' }))
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    pid: child.pid ?? 0,
    next: <T>(type: string, limitMs: number) => within(`${type} of a helper`, limitMs, nextMessage<T>(child, type)),
    send: (message) => child.send(message),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function nextMessage<T>(child: ChildProcess, type: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const heard = (message: unknown) => {
      if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== type) return
      stopListening()
      resolve(message as T)
    }
    const ended = (code: number | null) => {
      stopListening()
      reject(new Error(`a helper ended with ${code} before it said ${type}`))
    }
    const stopListening = () => {
      child.off('message', heard)
      child.off('exit', ended)
    }
    child.on('message', heard)
    child.on('exit', ended)
  })
}

/** CPU time of a process or one of its threads so far, in ms; NaN where the system doesn't tell. */
function cpuMs(pid: number, thread?: number): number {
  try {
    const path = thread === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`
    const fields = readFileSync(path, 'utf8').split(') ')[1]?.split(' ') ?? []
    // utime and stime, in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return Number.NaN
  }
}

/** Share of one core, in percent, that a process and its main thread use from now until the returned function is called. */
export function watchCpu(pid: number): () => { readonly process: number; readonly mainThread: number } {
  const startedAt = nowMs()
  const before = { process: cpuMs(pid), mainThread: cpuMs(pid, pid) }
  return () => {
    const ms = nowMs() - startedAt
    const share = (from: number, to: number) => Math.round(((to - from) / ms) * 100)
    return {
      process: share(before.process, cpuMs(pid)),
      mainThread: share(before.mainThread, cpuMs(pid, pid)),
    }
  }
}

/** In words: the share of a core that a thread used, and its CPU time for each of so many acts a second. */
export function presentCost(share: number, perSecond: number): string {
  return `${share} % of a core, ${((share * 10_000) / perSecond).toFixed(0)} us each`
}

/** Memory of a process in MiB, now and at its highest; NaN where the system doesn't tell. */
export function readMemory(pid: number): { readonly rss: number; readonly peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
    return { rss: mib('VmRSS'), peak: mib('VmHWM') }
  } catch {
    return { rss: Number.NaN, peak: Number.NaN }
  }
}
