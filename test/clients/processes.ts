/** Programs that a test needs beside itself: started, waited for, ended by id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))

export interface Running {
  readonly child: ChildProcess
  /** Everything that it printed. */
  output(): string
  /** Resolves with the exit status when it ends by itself or was stopped; null if it could not run or was killed. */
  readonly ended: Promise<number | null>
  stop(): Promise<number | null>
}

/** Starts a program in the project's folder; its output is kept, not shown. */
export function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn(command, args, { cwd: projectRoot, env: { ...process.env, ...env }, stdio: 'pipe' })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve)
    child.once('error', (error) => {
      printed += String(error)
      resolve(null)
    })
  })
  return {
    child,
    output: () => printed,
    ended,
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM')
      return ended
    },
  }
}

/** Tries until `ready` answers true; throws with the program's output when it ends or takes too long. */
export async function untilReady(running: Running, ready: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const startedAt = performance.now()
  while (!(await ready().catch(() => false))) {
    if (running.child.exitCode !== null || performance.now() - startedAt > limitMs) {
      throw new Error(`${running.child.spawnargs.join(' ')} did not come up:\n${running.output()}`)
    }
    await new Promise<void>((resolve) => setTimeout(resolve, 50))
  }
}
