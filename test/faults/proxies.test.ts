/** The proxies of a cluster forget their lists: each keeps its own in memory (contract section 7, W4). */
import { expect, test } from 'vitest'
import { sized } from './size.ts'
import { startWorld, type World } from './world.ts'

const proxies = 3
/** Ten restarts in a minute. */
const restarts = 10
const betweenMs = 6_000
const rounds = sized(1, 6)

async function startLake(version: '4.3' | '5.0' = '5.0'): Promise<World> {
  const world = await startWorld({ clusters: [{ alias: 'lake', proxies, version }] })
  await world.revokeNew(30)
  await world.expectKept(60_000)
  return world
}

interface ClusterBody {
  readonly trouble: { readonly said: string; readonly advice: string | null } | null
}

async function stateOf(world: World): Promise<string> {
  return ((await world.scene.ask('GET', '/api/v1/clusters/lake')) as { state: string }).state
}

/** Restarts what `which` names, ten times in a minute, with revocations before, between and after. */
async function expectOutlived(world: World, which: (turn: number) => readonly number[]) {
  const lake = world.cluster('lake')
  for (let turn = 0; turn < restarts * rounds; turn += 1) {
    for (const proxy of which(turn)) world.forget(lake, proxy)
    await world.revokeNew(2)
    for (let passed = 0; passed < betweenMs; passed += 2_000) {
      await world.pass(2_000, 250)
      await world.expectTruth()
    }
  }
  await world.expectKept(30_000)
}

const cases = [
  ['the primary', () => [0]],
  ['one that is not the primary', (turn: number) => [1 + (turn % 2)]],
  ['all of them', () => [0, 1, 2]],
  ['first the primary, then another', (turn: number) => [turn % proxies]],
] as const

test.each(cases)(
  'of three proxies %s restarts ten times in a minute: all three have everything again',
  async (_, which) => {
    await using world = await startLake()
    await expectOutlived(world, which)
  },
)

test('a cluster before 5.0, whose POST looks at no bearer, is found out as well', async () => {
  await using world = await startLake('4.3')
  await expectOutlived(world, (turn) => [turn % proxies])
})

test('a primary that restarts when its list was long raises its version until the others take its list', async () => {
  await using world = await startLake()
  const lake = world.cluster('lake')
  for (let push = 0; push < sized(40, 400); push += 1) await world.revokeNew(1)
  world.forget(lake, 0)
  expect(lake.revokedState(1).version).toBeGreaterThan(40)
  const [late = ''] = await world.revokeNew(1)
  expect([0, 1, 2].map((proxy) => lake.knows(late, proxy))).toEqual([true, false, false])
  await world.expectKept(40_000)
  expect(lake.revokedState(0).version).toBe(lake.revokedState(1).version)
})

test('a look without a canary to show takes back nothing that an earlier look has found', async () => {
  await using world = await startLake()
  const lake = world.cluster('lake')
  for (let push = 0; push < 20; push += 1) await world.revokeNew(1)
  world.forget(lake, 0)
  lake.fault({ kind: 'held' }, { method: 'DELETE' })
  await world.revokeNew(3)
  // Found out, and looked at again while the new canary is on its way.
  await world.pass(15_000)
  lake.fault(undefined)
  for (let passed = 0; passed < 2_000; passed += 20) {
    await world.pass(20, 20)
    await world.expectTruth()
  }
  await world.expectKept(60_000)
})

test('a proxy that has the list yet refuses newer ones is not called in step', async () => {
  await using world = await startLake()
  const lake = world.cluster('lake')
  for (let push = 0; push < 10; push += 1) await world.revokeNew(1)
  world.forget(lake, 0)
  // From here on the primary takes whatever is sent, and the others nothing: empty pushes do not arrive.
  lake.fault({ kind: 'answer', status: 503 }, { method: 'DELETE' })
  await world.pass(20_000)
  expect(await stateOf(world)).not.toBe('in_step')
  lake.fault(undefined)
  await world.expectKept(60_000)
})

test('a proxy that can not be reached from here keeps nobody from knowing the rest', async () => {
  await using world = await startLake()
  const lake = world.cluster('lake')
  lake.fault({ kind: 'reset' }, { proxy: 2 })
  await world.revokeNew(3)
  for (let step = 0; (await stateOf(world)) !== 'unknown' && step < 400; step += 1) await world.pass(100, 100)
  const shown = (await world.scene.ask('GET', '/api/v1/clusters/lake')) as ClusterBody
  expect(shown).toMatchObject({ state: 'unknown', inStepSince: null, isEveryProxyAsked: false })
  expect(shown.trouble?.said).toMatch(/proxy \S+ \(http.*\) has given no usable answer since 2026-\S+Z: ./)
  expect(shown.trouble?.advice).toMatch(/reach/)
  const [token = ''] = world.scene.tokens()
  expect(await world.scene.ask('POST', '/api/v1/tokens/introspect', { token })).toMatchObject({
    isDeadEverywhere: false,
    clusters: [{ isHeld: false, why: expect.stringMatching(/could not be told: proxy/) }],
  })
  world.forget(lake, 0)
  for (let passed = 0; passed < 20_000; passed += 500) {
    await world.pass(500, 50)
    await world.expectTruth()
  }
  lake.fault(undefined)
  await world.expectKept(60_000)
})
