/** Logins a second, beside what the machine can do at most: the bare rate of the same hash. */
import { startHelper, watchCpu } from '../children.ts'
import { runLoad, writeRequest } from '../load.ts'
import { administratorName } from '../server.ts'
import type { Running, Workbench } from '../workbench.ts'

const loginsAtOnce = [1, 8, 32]
/** The bare rate is measured before and after each row, since machines that are shared change their speed. */
const bareSeconds = 2

export async function measureLogins(bench: Workbench): Promise<void> {
  const wanted = loginsAtOnce.filter((atOnce) => bench.wants(`logins-${atOnce}`))
  if (wanted.length === 0) return
  await using server = await bench.start(await bench.emptyFolder())
  const bare = startHelper(new URL('../argon2-rate.ts', import.meta.url))

  async function measureBare(atOnce: number): Promise<number> {
    const ms = Math.min(bareSeconds, bench.size.seconds) * 1000
    const rate = bare.next<{ perSecond: number }>('rate', ms + 30_000)
    bare.send({ type: 'measure', atOnce, ms })
    return (await rate).perSecond
  }

  await measureBare(1)
  for (const atOnce of wanted) await measureRow(bench, server, atOnce, measureBare)
  await bare.stop()
}

async function measureRow(
  bench: Workbench,
  server: Running,
  atOnce: number,
  measureBare: (atOnce: number) => Promise<number>,
) {
  const body = JSON.stringify({ password: bench.administratorPassword })
  const bytes = writeRequest({ method: 'POST', path: `/v1/users/${administratorName}`, body })
  const load = (seconds: number) =>
    runLoad({ port: server.port, connections: atOnce, durationMs: seconds * 1000, request: () => bytes })
  await load(bench.size.warmUpSeconds)
  const before = await measureBare(atOnce)
  const stopWatch = watchCpu(server.pid)
  const { perSecond } = await load(bench.size.seconds)
  const cpu = stopWatch()
  const bareRate = (before + (await measureBare(atOnce))) / 2
  const share = Math.round((perSecond / bareRate) * 100)
  bench.report({
    id: `logins-${atOnce}`,
    what: `logins, ${atOnce} at once`,
    value: perSecond,
    unit: '/s',
    aside: `${share} % of bare argon2id, ${bareRate.toFixed(0)}/s`,
    limit: `argon2id (the service uses ${cpu.process} % of a core, its main thread ${cpu.mainThread} %)`,
  })
}
