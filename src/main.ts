/** From argv to a command, and the only place that handles signals. */
import type { CliContext } from './cli/context.ts'
import { exitCodes, presentFailure } from './cli/failures.ts'
import { type Personality, runCli } from './cli/program.ts'
import { openTerminal } from './cli/terminal.ts'
import type { Log } from './log.ts'

/** After the first signal the process ends within this time, whatever still hangs. */
const stopWithinMs = 10_000

/** Runs the program to its end and exits with its code. */
export async function main(personality: Personality, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const ended = new AbortController()
  let log: Log | undefined

  const exit = async (code: number): Promise<never> => {
    await log?.close()
    process.exit(code)
  }
  const crash = (error: unknown) => void reportCrash(error, log).then(() => exit(exitCodes.unexpected))
  process.on('unhandledRejection', crash)
  process.on('uncaughtException', crash)
  process.on('exit', () => log?.flush())
  handleSignals(ended, () => log)

  const context: CliContext = {
    print: (text) => writeLine(process.stdout, text),
    warn: (text) => writeLine(process.stderr, text),
    terminal: openTerminal(),
    stop: ended.signal,
    async openLog(level) {
      const { createLog } = await import('./log.ts')
      log = createLog({ level })
      return log
    },
    async readRuntimeSettings({ databaseFile }) {
      const { readStoredSettings } = await import('./store/sqlite/stored-settings.ts')
      return readStoredSettings(databaseFile)
    },
  }
  try {
    await exit(await runCli(personality, args, context))
  } catch (error) {
    const failure = presentFailure(error, personality)
    if (failure === undefined) await reportCrash(error, log)
    else context.warn(failure.line)
    await exit(failure?.exitCode ?? exitCodes.unexpected)
  }
}

/** A reader that has seen enough (`gatehouse config | head`) is no failure. */
function writeLine(stream: NodeJS.WriteStream, text: string) {
  if (stream.listenerCount('error') === 0) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
  stream.write(`${text}\n`)
}

/** The first signal asks for an orderly end, the second ends the process at once. */
function handleSignals(ended: AbortController, log: () => Log | undefined) {
  const numbers = { SIGINT: 2, SIGTERM: 15 } as const
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (ended.signal.aborted) process.exit(128 + numbers[signal])
      ended.abort()
      setTimeout(() => {
        log()?.error({ event: 'service.stop_timed_out', afterMs: stopWithinMs })
        process.exit(exitCodes.unexpected)
      }, stopWithinMs).unref()
    })
  }
}

/** A bug: everything about it, without secrets, to the log where there is one, else to standard error. */
async function reportCrash(error: unknown, log: Log | undefined): Promise<void> {
  const { scrubText } = await import('./log-redaction.ts')
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  log?.error({ event: 'process.failed', error })
  process.stderr.write(
    `gatehouse: unexpected failure: ${scrubText(log === undefined ? (stack ?? message) : message)}\n`,
  )
}
