/** The time of day is set back. */
import { expect, test } from 'vitest'
import { createSealer } from '../../src/core/keys/sealer.ts'
import { defaultBatchLimits } from '../../src/core/revocation/batch.ts'
import { createRecentChanges } from '../../src/delivery/recent-changes.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createHandClock } from '../clock.ts'
import { openMemoryStore, recordRevocations } from '../delivery/script.ts'
import { startWorld, type World } from './world.ts'

const hourMs = 3_600_000
/** Until every cluster has been looked at once. */
const lookedAtMs = 14_000

function startLakeAndPond(): Promise<World> {
  return startWorld({ clusters: [{ alias: 'lake', proxies: 3 }, { alias: 'pond' }] })
}

/** A process that was killed while it told clusters something leaves this behind. */
async function leaveLeases(world: World, leaseMs: number): Promise<number> {
  const { databaseFile, masterKey = '' } = world.service.config
  const store = openSqliteStore({ file: databaseFile, sealer: createSealer(Buffer.from(masterKey, 'base64')) })
  const now = new Date(world.clock.now().getTime() + 60_000)
  const leaseUntil = new Date(world.clock.now().getTime() + leaseMs)
  const claims = await store.cursors.claimDue({ now, limit: 10, leaseUntil, holder: 'killed' })
  await store.close()
  return claims.length
}

test('an hour back while a cluster waits for its next attempt: it does not wait an hour longer', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await world.expectKept(60_000)
  lake.fault({ kind: 'answer', status: 503 })
  await world.revokeNew(10)
  await world.pass(30_000)
  world.clock.step(-hourMs)
  await world.revokeNew(10)
  await world.pass(5_000)
  lake.fault(undefined)
  await world.revokeNew(10)
  await world.expectKept(60_000)
})

test('an hour back while a cluster that asked for patience waits: it is told after a minute', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  lake.fault({ kind: 'answer', status: 503, headers: { 'Retry-After': '60' } }, { method: 'DELETE' })
  await world.revokeNew(10)
  world.clock.step(-hourMs)
  await world.pass(1_000)
  lake.fault(undefined)
  await world.expectKept(100_000)
})

test('an hour back after a process was killed that held leases: the others go on as soon as these end', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  lake.fault({ kind: 'answer', status: 503 })
  await world.revokeNew(10)
  expect(await leaveLeases(world, 15_000)).toBeGreaterThan(0)
  world.clock.step(-hourMs)
  lake.fault(undefined)
  await world.revokeNew(10)
  await world.expectKept(60_000)
})

test('an hour back while a push is on its way: what comes of it is not lost', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  lake.fault({ kind: 'held' }, { method: 'DELETE' })
  await world.revokeNew(10)
  world.clock.step(-hourMs)
  await world.pass(1_000)
  lake.fault(undefined)
  await world.revokeNew(10)
  await world.expectKept(60_000)
})

test('an hour back: a cluster that then forgets is found out as soon as ever', async () => {
  await using world = await startLakeAndPond()
  await world.revokeNew(10)
  await world.expectKept(60_000)
  world.clock.step(-hourMs)
  world.forget(world.cluster('lake'), 0)
  await world.revokeNew(3)
  await world.pass(lookedAtMs + 1_000)
  await world.expectTruth()
  await world.expectKept(20_000)
})

test.each([
  ['an hour', hourMs],
  ['ten minutes', hourMs / 6],
])(
  '%s back: a token that had expired and lives again is dead on every cluster, also on one that was away',
  async (_, backMs) => {
    await using world = await startLakeAndPond()
    const lake = world.cluster('lake')
    await world.expectKept(60_000)
    await lake.stop()
    const short = await world.tokens(10, 12 * 60_000)
    await world.revoke(short)
    await world.pass(14 * 60_000, 10_000)
    await lake.start({ keepsList: true })
    await world.expectKept(60_000)
    world.clock.step(-backMs)
    expect(world.scene.tokens()).toHaveLength(10)
    await world.pass(lookedAtMs)
    await world.expectTruth()
    await world.expectKept(30_000)
  },
)

test('what was read for a resync before the clock was set back is read again after', async () => {
  const opened = openMemoryStore()
  const at = createHandClock().now()
  const later = (ms: number) => new Date(at.getTime() + ms)
  const until = await recordRevocations(opened, ['short'], { at, expiresAt: later(hourMs / 2) })
  const changes = createRecentChanges(opened.store.revocations)
  const read = async (now: Date) => (await changes.between(0, until, defaultBatchLimits, now)).changes.length
  expect([await read(later(0.6 * hourMs)), await read(later(0.1 * hourMs))]).toEqual([0, 1])
  await opened.store.close()
})

test('an hour ahead and back again: nothing is forgotten on the way', async () => {
  await using world = await startLakeAndPond()
  await world.revoke(await world.tokens(10, 45 * 60_000))
  await world.revokeNew(10)
  await world.expectKept(60_000)
  world.clock.step(hourMs)
  await world.pass(120_000, 1_000)
  world.clock.step(-hourMs)
  for (const alias of ['lake', 'pond']) world.forget(world.cluster(alias))
  await world.expectKept(60_000)
  expect(world.scene.tokens()).toHaveLength(20)
})
