/** The process of the service ends in the middle of its work, or is not alone. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { buildProgram } from '../cli/program.ts'
import { type Installation, install, type Process } from './program.ts'
import { expectNothingLost } from './promise.ts'
import { sized } from './size.ts'

beforeAll(buildProgram)

const keptWithinMs = 20_000
const heldMs = 300

async function installWithTwoClusters(env: Readonly<Record<string, string>> = {}) {
  const installation = await install()
  const first = await installation.start(env)
  const lake = await installation.addCluster()
  const pond = await installation.addCluster({ proxies: 3 })
  return { installation, first, lake, pond }
}

async function startAnew(installation: Installation) {
  const next = await installation.start()
  installation.use(next)
  return next
}

async function isRecorded(process: Process, token: string): Promise<boolean> {
  const { state } = (await process.ask('POST', '/api/v1/tokens/introspect', { token })) as { state: string }
  return state === 'revoked'
}

test('kill -9 right after the last of 200 revocations was acknowledged loses none, though no cluster had heard of them', async () => {
  const { installation, first, lake, pond } = await installWithTwoClusters()
  lake.fault({ kind: 'black_hole' })
  await pond.stop()
  const statuses = await first.revokeAll(installation.tokens(200))
  first.signal('SIGKILL')
  await first.ended
  expect(statuses.filter((status) => status === 200)).toHaveLength(200)
  lake.fault(undefined)
  await pond.start()
  await startAnew(installation)
  await expectNothingLost(installation.scene, keptWithinMs)
})

test('kill -9 in the midst of revocations and pushes loses no acknowledged one, again and again', async () => {
  const { installation, first } = await installWithTwoClusters()
  let running = first
  for (let round = 0; round < sized(1, 25); round += 1) {
    const answered = running.revokeAll(installation.tokens(400))
    const enough = installation.scene.tokens().length + 40 + 17 * (round % 7)
    while (installation.scene.tokens().length < enough) await new Promise((resolve) => setImmediate(resolve))
    running.signal('SIGKILL')
    const statuses = await answered
    expect(statuses).toContain(0)
    running = await startAnew(installation)
  }
  await expectNothingLost(installation.scene, keptWithinMs)
})

test('SIGTERM with work in flight: what was asked is answered, what was not told is told later, and it ends in time', async () => {
  // The answers wait for the clusters so long that all are waiting when the signal comes.
  const { installation, first, lake, pond } = await installWithTwoClusters({ GATEHOUSE_REVOCATION_BUDGET: '3s' })
  lake.fault({ kind: 'black_hole' }, { method: 'DELETE' })
  pond.fault({ kind: 'held' }, { method: 'DELETE' })
  const tokens = installation.tokens(30)
  const answered = Promise.all(tokens.map(first.revoke))
  for (const token of tokens)
    while (!(await isRecorded(first, token))) await new Promise((resolve) => setImmediate(resolve))
  expect(installation.scene.tokens()).toEqual([])
  const signalledAt = performance.now()
  first.signal('SIGTERM')
  const { code } = await first.ended
  expect(performance.now() - signalledAt).toBeLessThan(10_000)
  expect(code).toBe(0)
  expect((await answered).filter((status) => status !== 200)).toEqual([])
  // What it held back comes to nothing: the cluster is as if it had never been asked.
  await Promise.all([lake.stop(), pond.stop()])
  for (const cluster of [lake, pond]) {
    cluster.fault(undefined)
    await cluster.start()
  }
  await startAnew(installation)
  await expectNothingLost(installation.scene, keptWithinMs)
})

test('two processes on one database file: each delivers what the other has taken, and one goes on when the other is killed', async () => {
  const { installation, first, lake, pond } = await installWithTwoClusters()
  const second = await installation.start({ AIS_AUTHN_PORT: '0' })
  const tokens = installation.tokens(sized(300, 3_000))
  const half = tokens.length / 2
  const both = await Promise.all([first.revokeAll(tokens.slice(0, half)), second.revokeAll(tokens.slice(half))])
  expect(new Set(both.flat())).toEqual(new Set([200]))
  await expectNothingLost(installation.scene, keptWithinMs)

  // Killed while it holds the leases: nobody else may tell these clusters before they end.
  lake.fault({ kind: 'black_hole' }, { method: 'DELETE' })
  await pond.stop()
  await first.revokeAll(installation.tokens(20))
  first.signal('SIGKILL')
  await first.ended
  lake.fault(undefined)
  await pond.start({ keepsList: true })
  installation.use(second)
  await second.revokeAll(installation.tokens(5))
  await expectNothingLost(installation.scene, keptWithinMs)
})

test('while another process holds the database for a while, revocations wait and are not refused', async () => {
  const { installation, first } = await installWithTwoClusters()
  const other = new Database(join(installation.folder, 'gatehouse.db'))
  onTestFinished(() => void other.close())
  other.exec('BEGIN IMMEDIATE')
  const answered = first.revokeAll(installation.tokens(20))
  // Longer than SQLite itself waits; in real time, since it is a lock of the operating system.
  await installation.scene.pass(heldMs)
  expect(installation.scene.tokens()).toEqual([])
  other.exec('COMMIT')
  expect(new Set(await answered)).toEqual(new Set([200]))
  await expectNothingLost(installation.scene, keptWithinMs)
})

test('two processes that both resync, revoke and rotate leases never undo what the other has learned', async () => {
  const { installation, first, lake, pond } = await installWithTwoClusters()
  const second = await installation.start({ AIS_AUTHN_PORT: '0' })
  for (let round = 0; round < sized(4, 40); round += 1) {
    const [one, other] = round % 2 === 0 ? [lake, pond] : [pond, lake]
    one.fault({ kind: 'answer', status: 503 }, { method: 'DELETE' })
    const answered = Promise.all([first.revokeAll(installation.tokens(20)), second.revokeAll(installation.tokens(20))])
    await first.ask('POST', `/api/v1/clusters/${other.uuid}/resync`)
    await second.ask('POST', `/api/v1/clusters/${other.uuid}/resync`)
    expect(new Set((await answered).flat())).toEqual(new Set([200]))
    one.fault(undefined)
  }
  await expectNothingLost(installation.scene, keptWithinMs)
})
