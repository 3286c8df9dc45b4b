/** A cluster, or what lies before it, goes wrong for a while. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Fault } from '../stand-ins/aistore.ts'
import { missing } from './promise.ts'
import { sized } from './size.ts'
import { startWorld, type World } from './world.ts'

const awayMs = sized(20_000, 120_000)
const revokedMeanwhile = sized(20, 200)

/** A server that thanks for everything and is no cluster; answers what it was sent. */
async function startImpostor() {
  const seen: string[] = []
  const server = createServer((request, response) => {
    request.on('data', (part) => seen.push(String(part)))
    request.on('end', () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function startLakeAndPond(): Promise<World> {
  return startWorld({ clusters: [{ alias: 'lake' }, { alias: 'pond' }] })
}

/** Revokes before, during and after; while it lasts nobody may say that the lake holds what it lacks. */
async function expectOutlived(world: World, begin: () => Promise<void>, end: () => Promise<void>) {
  const [lake, pond] = [world.cluster('lake'), world.cluster('pond')]
  await world.revokeNew(10)
  await world.pass(15_000)
  await begin()
  const lost = await world.revokeNew(revokedMeanwhile)
  await world.expectTruth()
  await world.pass(awayMs)
  await world.expectTruth()
  expect(lost.filter((token) => lake.knows(token))).toEqual([])
  expect(lost.filter((token) => !pond.knows(token))).toEqual([])
  await end()
  await world.revokeNew(10)
  await world.expectKept()
}

const page = '<html><body>Welcome to nginx!</body></html>'
const faults: readonly (readonly [string, Fault])[] = [
  ['never answers', { kind: 'black_hole' }],
  ['answers 401', { kind: 'answer', status: 401 }],
  ['answers 403', { kind: 'answer', status: 403, body: '{"message":"not authorized: requires ADMIN"}' }],
  ['answers 500', { kind: 'answer', status: 500, body: '{"message":"internal"}' }],
  ['answers 503 and asks for patience', { kind: 'answer', status: 503, headers: { 'Retry-After': '3' } }],
  ['closes in mid-answer', { kind: 'half_answer' }],
  ['resets connections', { kind: 'reset' }],
  ['answers something that is not HTTP', { kind: 'not_http' }],
  ['answers 200 with a web page', { kind: 'answer', status: 200, body: page }],
  ['answers 200 with JSON of somebody else', { kind: 'answer', status: 200, body: '{"status":"ok"}' }],
  ['answers 202, to think about it', { kind: 'answer', status: 202 }],
]

test.each(faults)(
  'a cluster that %s for a while gets what it missed, and nobody says otherwise meanwhile',
  async (_, fault) => {
    await using world = await startLakeAndPond()
    const lake = world.cluster('lake')
    await expectOutlived(
      world,
      async () => lake.fault(fault),
      async () => lake.fault(undefined),
    )
  },
)

test('a cluster that refuses connections for a while gets what it missed', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await expectOutlived(
    world,
    () => lake.stop(),
    () => lake.start({ keepsList: true }),
  )
})

test('a cluster that was away and has forgotten everything gets everything', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await world.revokeNew(20)
  await world.expectKept()
  await world.restart(lake, awayMs)
  await world.revokeNew(5)
  await world.expectKept(60_000)
})

test('a cluster that redirects is not followed, and gets what it missed itself', async () => {
  await using world = await startLakeAndPond()
  const impostor = await startImpostor()
  const lake = world.cluster('lake')
  await expectOutlived(
    world,
    async () => lake.fault({ kind: 'redirect', location: `${impostor.url}/v1/tokens` }),
    async () => lake.fault(undefined),
  )
  expect(impostor.seen).toEqual([])
})

test('something that answers every call with an empty 200 is found out by the next probe', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await world.revokeNew(10)
  await world.pass(15_000)
  lake.fault({ kind: 'answer', status: 200 })
  const lost = await world.revokeNew(5)
  // As with a cluster that has just forgotten: nobody can know before it is looked at.
  await world.pass(14_000)
  await world.expectTruth()
  await world.pass(awayMs)
  await world.expectTruth()
  expect(lost.filter((token) => lake.knows(token))).toEqual([])
  lake.fault(undefined)
  await world.expectKept()
})

test('a cluster that answers slowly holds up neither the others nor an answer beyond its budget', async () => {
  await using world = await startLakeAndPond()
  const [lake, pond] = [world.cluster('lake'), world.cluster('pond')]
  lake.fault({ kind: 'slow', ms: 150 })
  for (let round = 0; round < 5; round += 1) {
    const before = world.clock.now().getTime()
    const tokens = await world.revokeNew(4)
    expect(tokens.filter((token) => !pond.knows(token))).toEqual([])
    expect(world.clock.now().getTime() - before).toBeLessThanOrEqual(600)
    await world.expectTruth()
  }
  lake.fault(undefined)
  await world.expectKept()
})

test('a push whose answer is lost though the cluster has taken it is sent again', async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await world.expectKept()
  lake.fault({ kind: 'held' }, { method: 'DELETE' })
  await world.revokeNew(5)
  await world.pass(12_000)
  await world.expectTruth()
  lake.fault(undefined)
  await world.expectKept()
})

const many = sized(600, 10_000)
/** Of one push (core/revocation/batch.ts). */
const mostBytes = 4 * 1024 * 1024
/** As of a user with many buckets: together more than one push may carry. */
const ballast = sized(14_000, 1_000)

test(`${many} revocations while a cluster is away are all there when it is back, across a restart of the service`, async () => {
  await using world = await startLakeAndPond()
  const lake = world.cluster('lake')
  await world.revokeNew(5)
  await lake.stop()
  await world.revoke(await world.tokens(many * 0.75, undefined, ballast))
  await world.restartService()
  await world.revoke(await world.tokens(many * 0.25, undefined, ballast))
  await world.expectTruth()
  await world.start(lake)
  const before = lake.pushes().length
  await world.expectKept(120_000)
  const carried = lake.pushes().slice(before)
  expect(carried.filter(({ tokens }) => tokens.length > 1).length).toBeLessThan(20)
  const sizes = carried.map(({ tokens }) => tokens.reduce((sum, token) => sum + token.length, 0))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(mostBytes)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(mostBytes)
}, 180_000)

interface ClusterBody {
  readonly state: string
  readonly reportedId: string | null
  readonly trouble: { readonly said: string; readonly advice: string | null } | null
}

test.each([
  ['that keeps strangers out', { version: '5.0' }],
  ['that tells everybody who it is', { version: '4.3', clientAuth: false }],
] as const)(
  'a cluster that is replaced by another one %s at the same URL is shown as such, and the new one gets all',
  async (_, options) => {
    await using world = await startLakeAndPond()
    const lake = world.cluster('lake')
    await world.revokeNew(20)
    await world.expectKept()
    const ports = lake.urls.map((url) => Number(new URL(url).port))
    await lake.stop()
    const other = await world.service.startCluster({ alias: 'other', ports, ...options })
    world.unregister('lake')
    await world.revokeNew(20)
    await world.pass(30_000)
    const shown = (await world.scene.ask('GET', '/api/v1/clusters/lake')) as ClusterBody
    expect(JSON.stringify(shown.trouble)).toMatch(/another cluster/i)
    if (options.version === '5.0') expect(shown.state).toBe('refused')
    else expect(shown.reportedId).toBe(other.uuid)
    await world.service.request('DELETE', '/v1/clusters/lake', { token: await world.service.adminToken() })
    await world.register('other', other)
    expect(missing(world.scene)).toEqual([])
    await world.revokeNew(5)
    if (options.version === '5.0') await world.expectKept()
    // A cluster that asks nobody for a token is never called in step; it has the list all the same.
    else await world.pass(20_000)
    await world.expectTruth()
    expect(missing(world.scene)).toEqual([])
  },
)
