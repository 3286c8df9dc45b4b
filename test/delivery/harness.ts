import { createDelivery, type DeliveryConfig } from '../../src/delivery/worker.ts'
import type { Store } from '../../src/store/store.ts'
import { deedAt } from '../actors.ts'
import { createHandClock, type HandClock } from '../clock.ts'
import { aCluster } from '../store/conformance/samples.ts'
import { createScriptedDriver, keepLog, openMemoryStore, recordRevocations, type ScriptedDriver } from './script.ts'

export interface Opened {
  readonly store: Store
  readonly sealer: ReturnType<typeof openMemoryStore>['sealer']
}

export const budgetMs = 250

/** The delivery worker on a real store, with clusters that answer as a test says and a clock set by hand. */
export async function startDelivery(
  options: {
    readonly clusters?: readonly string[]
    readonly config?: Partial<DeliveryConfig>
    /** A store that outlives this worker; else it has one of its own. */
    readonly opened?: Opened
    readonly driver?: ScriptedDriver
    readonly clock?: HandClock
  } = {},
) {
  const opened = options.opened ?? openMemoryStore()
  const clock = options.clock ?? createHandClock()
  const driver = options.driver ?? createScriptedDriver()
  const log = keepLog()
  const { store } = opened
  for (const id of options.clusters ?? []) await store.clusters.insert(aCluster(id), 0, [], deedAt(clock.now()))
  const delivery = createDelivery({
    cursors: store.cursors,
    revocations: store.revocations,
    drivers: { aistore: driver },
    clock,
    log,
    config: { timeoutMs: 10_000, retryMs: [1_000, 5_000, 60_000], parallel: 100, ...options.config },
    random: () => 0.5,
  })
  const abort = new AbortController()
  const running = delivery.worker.run(abort.signal)
  await delivery.settled()

  async function record(texts: readonly string[], livesMs = 3_600_000) {
    const at = clock.now()
    return recordRevocations(opened, texts, { at, expiresAt: new Date(at.getTime() + livesMs) })
  }

  async function stop() {
    abort.abort()
    await running
  }

  return {
    ...opened,
    clock,
    driver,
    log,
    delivery,
    record,
    /** Revokes and waits as an answer does. */
    revoke: async (texts: readonly string[]) => delivery.propagation.reached(await record(texts), budgetMs),
    cursor: async (id: string) => (await store.cursors.list(clock.now())).find(({ clusterId }) => clusterId === id),
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      if (options.opened === undefined) await store.close()
    },
  }
}

/** Lets others run until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn += 1) {
    if (turn > 2_000) throw new Error('it never came to hold')
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

/** Whether the promise has been fulfilled by now; others get to run first. */
export async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let isOver = false
  void promise.then(() => {
    isOver = true
  })
  for (let turn = 0; turn < 30; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  return isOver
}
