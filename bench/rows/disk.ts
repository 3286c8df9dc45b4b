/** What the disk can do at most: every answered write waits for one of these, or shares it with others. */
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../children.ts'
import { nowMs } from '../clock.ts'
import { percentile } from '../load.ts'
import type { Workbench } from '../workbench.ts'

const writes = 300
const pageBytes = 4096
/** Of a file system that lives in memory (statfs(2)). */
const tmpfsType = 0x0102_1994

export async function measureDisk(bench: Workbench): Promise<void> {
  if (!bench.wants('disk-sync')) return
  const folder = await makeFolder()
  const file = await open(join(folder, 'sync'), 'w')
  const page = Buffer.alloc(pageBytes, 1)
  const times: number[] = []
  for (let count = 0; count < writes; count += 1) {
    const at = nowMs()
    await file.write(page)
    await file.datasync()
    times.push(nowMs() - at)
  }
  await file.close()
  const isInMemory = (await statfs(folder)).type === tmpfsType
  await rm(folder, { recursive: true, force: true })
  const sorted = new Float64Array(times).sort()
  bench.report({
    id: 'disk-sync',
    what: 'bare disk: one page written and synced',
    value: percentile(sorted, 0.5),
    unit: 'ms',
    aside: `p99 ${percentile(sorted, 0.99).toFixed(1)} ms${isInMemory ? '; IN MEMORY, set TMPDIR to a folder on a disk' : ''}`,
    limit: 'the disk',
  })
}
