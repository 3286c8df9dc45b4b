/** How long others wait while something large is under way. */
import { startHelper } from './children.ts'
import { pause } from './clock.ts'

export interface StallWatch {
  start(): Promise<void>
  /** The longest wait for a small answer since the start, in ms. */
  longest(): Promise<number>
  stop(): Promise<void>
}

const limitMs = 60_000
const warmUpMs = 500

export async function watchStalls(port: number): Promise<StallWatch> {
  const helper = startHelper(new URL('./probe.ts', import.meta.url), [String(port)])

  async function start() {
    const started = helper.next('started', limitMs)
    helper.send({ type: 'start' })
    await started
  }

  async function longest() {
    const stalls = helper.next<{ longestMs: number; count: number }>('stalls', limitMs)
    helper.send({ type: 'stop' })
    return (await stalls).longestMs
  }

  await start()
  await pause(warmUpMs)
  return { start, longest, stop: helper.stop }
}
