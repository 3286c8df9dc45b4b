/** Small reads by many clients at once. */
import { presentCost, watchCpu } from '../children.ts'
import { roleName, userName } from '../fill.ts'
import { percentile, runLoad, writeRequest } from '../load.ts'
import type { Running, Workbench } from '../workbench.ts'

const connections = 64

interface Read {
  readonly id: string
  readonly what: string
  /** The path of the request of this number. */
  readonly path: (number: number) => string
  readonly isOpen?: true
}

export async function measureReads(bench: Workbench): Promise<void> {
  const { users } = bench.size
  const reads: readonly Read[] = [
    { id: 'user-get', what: 'one user', path: () => `/v1/users/${userName(7)}` },
    { id: 'user-get-any', what: `one of ${users} users`, path: (number) => `/v1/users/${userName(number % users)}` },
    { id: 'role-get', what: 'one role', path: () => `/v1/roles/${roleName(7)}` },
    { id: 'roles-list', what: 'list of 1,000 roles', path: () => '/v1/roles' },
    { id: 'discovery', what: 'discovery', path: () => '/.well-known/openid-configuration', isOpen: true },
  ]
  const wanted = reads.filter(({ id }) => bench.wants(id))
  if (wanted.length === 0) return
  await using server = await bench.start(await bench.fullFolder())
  for (const read of wanted) await measureRead(bench, server, read)
}

async function measureRead(bench: Workbench, server: Running, { id, what, path, isOpen }: Read) {
  const requestTo = (wanted: string) =>
    writeRequest({ method: 'GET', path: wanted, ...(isOpen ? {} : { bearer: server.bearer }) })
  const one = requestTo(path(0))
  const isAlwaysTheSame = path(0) === path(1)
  // Numbers go on where the warm-up ended, so that what was warmed up isn't what is measured.
  let served = 0
  const load = async (seconds: number) => {
    const from = served
    const result = await runLoad({
      port: server.port,
      connections,
      durationMs: seconds * 1000,
      request: (number) => (isAlwaysTheSame ? one : requestTo(path(from + number))),
    })
    served += result.count
    return result
  }
  await load(bench.size.warmUpSeconds)
  const stopWatch = watchCpu(server.pid)
  const stopOwnWatch = watchCpu(process.pid)
  const { perSecond, latenciesMs } = await load(bench.size.seconds)
  const cpu = stopWatch()
  bench.report({
    id,
    what: `GET ${what}`,
    value: perSecond,
    unit: '/s',
    aside: `${connections} at once, p99 ${percentile(latenciesMs, 0.99).toFixed(1)} ms`,
    limit: `the service's main thread (${presentCost(cpu.mainThread, perSecond)}; the load takes ${stopOwnWatch().process} %)`,
  })
}
