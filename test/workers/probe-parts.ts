import { createHandClock, type HandClock } from '../clock.ts'
import { startService, type TestService } from '../service.ts'
import type { TestClusterOptions, TestServiceOptions } from '../service-options.ts'

const probeEveryMs = 10_000

/** The real service with probes every 10 s, on a clock set by hand. */
export async function startProbed(
  clusters: readonly TestClusterOptions[],
  options: Partial<TestServiceOptions> = {},
): Promise<{ readonly service: TestService; readonly clock: HandClock } & AsyncDisposable> {
  const clock = createHandClock()
  const service = await startService({
    clock,
    clusters,
    ...options,
    config: { probe: { everyMs: probeEveryMs, resyncEveryMs: 7 * 86_400_000 }, ...options.config },
  })
  return { service, clock, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

const limitMs = 15_000

/** Lets time pass in steps of 100 ms until it holds; answers how much has passed. */
export async function passUntil(clock: HandClock, holds: () => boolean, stepMs = 100): Promise<number> {
  const startedAt = performance.now()
  let passed = 0
  while (!holds()) {
    if (performance.now() - startedAt > limitMs) throw new Error(`it does not hold after ${passed} ms`)
    await clock.advance(stepMs)
    passed += stepMs
    await new Promise<void>((resolve) => setTimeout(resolve, 1))
  }
  return passed
}

/** Lets so much time pass, with room for the network in between. */
export async function pass(clock: HandClock, ms: number, stepMs = 100): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await clock.advance(stepMs)
    await new Promise<void>((resolve) => setTimeout(resolve, 1))
  }
}

/** Lets others run until it holds; making a key takes its time. */
export async function until(holds: () => boolean): Promise<void> {
  const startedAt = performance.now()
  while (!holds()) {
    if (performance.now() - startedAt > limitMs) throw new Error('it never came to hold')
    await new Promise<void>((resolve) => setTimeout(resolve, 1))
  }
}
