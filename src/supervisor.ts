import type { Clock } from './core/clock.ts'
import type { Logger } from './core/logger.ts'

/** Background work: a name, and a run that goes on until the signal aborts and then ends by itself. */
export interface Worker {
  readonly name: string
  run(signal: AbortSignal): Promise<void>
}

export interface WorkerHealth {
  readonly name: string
  readonly isRunning: boolean
  /** How often it ended without being asked to and was started again. */
  readonly restarts: number
}

export interface Supervisor {
  health(): readonly WorkerHealth[]
  /** Tells all workers to end and waits for them. */
  stop(): Promise<void>
}

const restartPauseMs = 1000

/** Runs all workers; one that fails is logged and started again after a pause. */
export function superviseWorkers(workers: readonly Worker[], deps: { clock: Clock; log: Logger }): Supervisor {
  const abort = new AbortController()
  const states = workers.map((worker) => ({ worker, isRunning: true, restarts: 0 }))

  async function keepRunning(state: (typeof states)[number]) {
    while (!abort.signal.aborted) {
      try {
        await state.worker.run(abort.signal)
      } catch (error) {
        deps.log.error({ event: 'worker.failed', worker: state.worker.name, error })
      }
      if (abort.signal.aborted) break
      state.isRunning = false
      await deps.clock.wait(restartPauseMs, abort.signal)
      state.restarts += 1
      state.isRunning = true
    }
    state.isRunning = false
  }

  const running = states.map(keepRunning)
  return {
    health: () => states.map(({ worker, isRunning, restarts }) => ({ name: worker.name, isRunning, restarts })),
    async stop() {
      abort.abort()
      await Promise.all(running)
    },
  }
}
