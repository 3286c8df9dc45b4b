/** How soon the service is ready, and what it keeps in memory when nobody asks anything. */
import { rm } from 'node:fs/promises'
import { readMemory } from '../children.ts'
import { pause } from '../clock.ts'
import { median } from '../load.ts'
import type { Workbench } from '../workbench.ts'

const restMs = 2000

export async function measureStart(bench: Workbench): Promise<void> {
  const { users, revokedTokens } = bench.size
  if (bench.wants('start-empty')) await measure(bench, 'start-empty', 'start, nothing in it', bench.emptyFolder)
  if (bench.wants('start-full')) {
    const what = `start with ${users} users and ${revokedTokens} revoked tokens`
    await measure(bench, 'start-full', what, bench.fullFolder)
  }
}

async function measure(bench: Workbench, id: string, what: string, makeFolder: () => Promise<string>) {
  const readyMs: number[] = []
  const rss: number[] = []
  for (let repeat = 0; repeat < bench.size.repeats; repeat += 1) {
    const folder = await makeFolder()
    const server = await bench.startBare(folder)
    readyMs.push(server.readyMs)
    await pause(restMs)
    rss.push(readMemory(server.pid).rss)
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  bench.report({ id, what, value: median(readyMs), unit: 'ms', limit: 'loading the program: Node and its packages' })
  bench.report({
    id: `${id}.memory`,
    what: `  memory at rest, ${restMs / 1000} s later`,
    value: median(rss),
    unit: 'MiB',
    limit: 'Node and the loaded code',
  })
}
