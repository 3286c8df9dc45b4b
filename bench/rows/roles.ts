/** Changing and deleting a role that many hold: one call at a time, and how long others wait meanwhile. */
import { call } from '../calls.ts'
import { pause } from '../clock.ts'
import { median, percentile } from '../load.ts'
import { watchStalls } from '../stalls.ts'
import { deletedRole, heldRole, type Running, type Workbench } from '../workbench.ts'

const updates = 200
/** What a deletion leaves to be cleaned up in the background falls into this time. */
const aftermathMs = 2000

export async function measureRoles(bench: Workbench): Promise<void> {
  const { holders, repeats } = bench.size
  const names = ['1k', '10k', '100k']
  const rows = holders.map((count, index) => ({ count, name: names[index] ?? String(count) }))
  const updated = rows.filter(({ name }) => bench.wants(`role-update-${name}`))
  const deleted = rows.filter(({ name }) => bench.wants(`role-delete-${name}`))
  if (updated.length + deleted.length === 0) return
  await using server = await bench.start(await bench.heldRolesFolder())
  await updateRole(server, heldRole(holders[0] ?? 0), 0)
  for (const { count, name } of updated) {
    const times: number[] = []
    for (let round = 1; round <= updates; round += 1) times.push(await updateRole(server, heldRole(count), round))
    bench.report({
      id: `role-update-${name}`,
      what: `role update, ${count} holders`,
      value: median(times),
      unit: 'ms',
      aside: `longest of ${updates}: ${percentile(new Float64Array(times).sort(), 1).toFixed(1)} ms`,
      limit: 'one commit, on disk',
    })
  }
  const stalls = await watchStalls(server.port)
  for (const { count, name } of deleted) {
    await stalls.start()
    const times: number[] = []
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const path = `/v1/roles/${deletedRole(count, repeat)}`
      times.push((await call(server.port, { method: 'DELETE', path, bearer: server.bearer })).ms)
    }
    await pause(aftermathMs)
    const longest = await stalls.longest()
    bench.report({
      id: `role-delete-${name}`,
      what: `role delete, ${count} holders`,
      value: median(times),
      unit: 'ms',
      aside: `longest wait of another client, then and ${aftermathMs / 1000} s on: ${longest.toFixed(0)} ms`,
      limit: 'one commit, on disk',
    })
  }
  await stalls.stop()
}

async function updateRole(server: Running, name: string, round: number): Promise<number> {
  const clusters = [{ id: 'bench-cluster-0', perm: round % 2 === 0 ? '831' : '771' }]
  const body = JSON.stringify({ name, desc: `round ${round}`, clusters, buckets: null, admin: false })
  return (await call(server.port, { method: 'PUT', path: `/v1/roles/${name}`, bearer: server.bearer, body })).ms
}
