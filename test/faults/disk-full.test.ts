/** No room is left on the disk while tokens are revoked. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { buildProgram } from '../cli/program.ts'
import { type Installation, install, type Process } from './program.ts'
import { expectNothingLost, falseReports } from './promise.ts'
import { canLimitFiles, limitFiles, mountSmallDisk } from './small-disk.ts'

beforeAll(buildProgram)

const keptWithinMs = 20_000

async function stateOf(process: Process, token: string): Promise<string> {
  return ((await process.ask('POST', '/api/v1/tokens/introspect', { token })) as { state: string }).state
}

/** While there is no room: refused, clearly, and as if it had never been asked; afterwards all is as before. */
async function expectOutlived(installation: Installation, first: Process, fill: () => void, empty: () => void) {
  const lake = await installation.addCluster({ proxies: 3 })
  await first.revokeAll(installation.tokens(20))
  fill()
  const tokens = installation.tokens(40)
  const statuses = await first.revokeAll(tokens)
  const refused = tokens.filter((_, index) => statuses[index] !== 200)
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(statuses)).not.toContain(0)
  for (const token of refused) {
    expect(await stateOf(first, token)).toBe('live')
    expect(lake.knows(token, 0)).toBe(false)
  }
  await expect(first.ask('POST', '/api/v1/revocations', { token: refused[0] })).rejects.toThrow(
    /: 503 .*storage_failed/,
  )
  await expect(first.ask('POST', '/api/v1/revocations', { user: 'admin' })).rejects.toThrow(/: 503 .*storage_failed/)
  expect(await falseReports(installation.scene)).toEqual([])
  empty()
  expect(new Set(await first.revokeAll(refused))).toEqual(new Set([200]))
  await expectNothingLost(installation.scene, keptWithinMs)
}

test('on a full disk a revocation is refused with a reason and leaves nothing behind; with room again it works', async (context) => {
  const disk = mountSmallDisk(8)
  if (disk === undefined) return context.skip('this user may mount nothing')
  const installation = await install(disk.folder)
  const first = await installation.start()
  await expectOutlived(installation, first, disk.fill, disk.empty)

  // Ended while there is no room, and started before there is: what was acknowledged is there.
  disk.fill()
  first.signal('SIGKILL')
  await first.ended
  const second = await installation.start()
  installation.use(second)
  await expectNothingLost(installation.scene, keptWithinMs)
  disk.empty()
  expect(new Set(await second.revokeAll(installation.tokens(20)))).toEqual(new Set([200]))
  await expectNothingLost(installation.scene, keptWithinMs)
})

test.skipIf(!canLimitFiles)('where files may not grow any more it is the same', async () => {
  const installation = await install()
  const first = await installation.start()
  await expectOutlived(
    installation,
    first,
    () => limitFiles(first.pid, statSync(join(installation.folder, 'gatehouse.db-wal')).size),
    () => limitFiles(first.pid, undefined),
  )
})
