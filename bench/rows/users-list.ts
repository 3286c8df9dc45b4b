/** The list of all users, and what it costs others. */
import { call } from '../calls.ts'
import { median } from '../load.ts'
import { watchStalls } from '../stalls.ts'
import type { Workbench } from '../workbench.ts'

export async function measureUsersList(bench: Workbench): Promise<void> {
  const isListWanted = bench.wants('users-list')
  if (!isListWanted) return
  await using server = await bench.start(await bench.fullFolder())
  const list = () => call(server.port, { method: 'GET', path: '/v1/users', bearer: server.bearer })
  const { bytes, ms: firstMs } = await list()
  await list()
  const undisturbed: number[] = []
  for (let repeat = 0; repeat < bench.size.repeats; repeat += 1) undisturbed.push((await list()).ms)
  const stalls = await watchStalls(server.port)
  await stalls.start()
  for (let repeat = 0; repeat < bench.size.repeats; repeat += 1) await list()
  const longest = await stalls.longest()
  await stalls.stop()
  bench.report({
    id: 'users-list',
    what: `list of ${bench.size.users} users`,
    value: median(undisturbed),
    unit: 'ms',
    aside: `${(bytes / 2 ** 20).toFixed(0)} MiB; the first one ${firstMs.toFixed(0)} ms`,
    limit: "the service's main thread: rows to text",
  })
  bench.report({
    id: 'users-list.stall',
    what: '  longest wait of another client meanwhile',
    value: longest,
    unit: 'ms',
    limit: 'one page of the list',
  })
}
