import { UnreachableError } from './client-errors.ts'
import type { CliContext } from './context.ts'
import { showable } from './showable.ts'

const everyMs = 1000

export interface Watched<T> {
  readonly read: () => Promise<T>
  /** For people. */
  readonly words: (value: T) => string
  /** What of it makes a change: not what differs from one second to the next although nothing has happened. */
  readonly essence: (value: T) => unknown
  /** Nothing more is to come. */
  readonly isOver: (value: T) => boolean
}

/**
 * Looks every second until it is over or the process is asked to end; answers what was seen last. A screen is drawn anew,
 * otherwise a change is a line of JSON, or the words again. A server that is away for a while is waited for.
 */
export async function watch<T>(
  { read, words, essence, isOver }: Watched<T>,
  { isJson }: { readonly isJson: boolean },
  context: CliContext,
): Promise<T | undefined> {
  const hasScreen = context.terminal.isOutput && !isJson
  let known = ''
  let value: T | undefined

  function show(found: T) {
    if (hasScreen) return context.terminal.draw(showable(words(found)))
    const now = JSON.stringify(essence(found))
    if (now !== known) context.print(isJson ? JSON.stringify(found) : showable(`${words(found)}\n`))
    known = now
  }

  while (!context.stop.aborted) {
    try {
      value = await read()
      show(value)
      if (isOver(value)) return value
    } catch (error) {
      if (context.stop.aborted) break
      if (!(error instanceof UnreachableError) || value === undefined) throw error
      if (hasScreen) context.terminal.draw(showable(`${words(value)}\n\n${error.message}`))
      else context.warn(`gatehouse: ${error.message}`)
    }
    await pause(context.stop)
  }
  return value
}

/** A second, or until the process is asked to end. */
export function pause(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, everyMs)
    stop.addEventListener('abort', done)
  })
}
