/** What happens in a random run: acts, each a small step of the world, and how they are drawn. */
import { randomInt } from 'node:crypto'
import type { Fault } from '../stand-ins/aistore.ts'
import type { World } from './world.ts'

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function newSeed(): number {
  return randomInt(2 ** 31)
}

const page = '<html><body>Bad gateway</body></html>'
const faults: readonly Fault[] = [
  { kind: 'black_hole' },
  { kind: 'answer', status: 401 },
  { kind: 'answer', status: 403 },
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 503, headers: { 'Retry-After': '2' } },
  { kind: 'answer', status: 200, body: page },
  { kind: 'redirect', location: 'http://127.0.0.1:9/' },
  { kind: 'slow', ms: 20 },
  { kind: 'held' },
  { kind: 'half_answer' },
  { kind: 'reset' },
  { kind: 'not_http' },
]
const rightsMs = [90_000, 20 * 60_000, 12 * 3_600_000]

/** The names of the clusters of a run; `rock` has a fixed key. */
const aliases = ['lake', 'pond', 'rock'] as const

type Act = (world: World, draw: Draw) => Promise<string>

interface Draw {
  number(limit: number): number
  of<T>(things: readonly T[]): T
}

const revoke: Act = async (world, draw) => {
  const count = 1 + draw.number(6)
  const livesMs = draw.of(rightsMs)
  await world.revoke(await world.tokens(count, livesMs))
  return `revoke ${count} that live ${livesMs / 1000} s`
}

const pass: Act = async (world, draw) => {
  const ms = draw.of([50, 400, 2_000, 7_000, 15_000])
  await world.pass(ms)
  return `pass ${ms} ms`
}

const begin: Act = async (world, draw) => {
  const alias = draw.of(aliases)
  const fault = draw.of(faults)
  const scope = draw.of([{}, { method: 'DELETE' }, { path: '/v1/tokens' }, { proxy: 0 }])
  world.trouble(world.cluster(alias), fault, scope)
  await world.revokeNew(2)
  return `${alias} ${JSON.stringify(fault)} for ${JSON.stringify(scope)}, and revoke 2`
}

const relieve: Act = async (world, draw) => {
  const alias = draw.of(aliases)
  world.trouble(world.cluster(alias), undefined)
  return `${alias} is well`
}

const forget: Act = async (world, draw) => {
  const alias = draw.of(aliases)
  const cluster = world.cluster(alias)
  if (!cluster.isUp()) return `${alias} is down`
  const proxy = draw.of([undefined, ...cluster.urls.keys()])
  await world.pass(10)
  world.forget(cluster, proxy)
  return `${alias} forgets at ${proxy ?? 'every proxy'}`
}

const stopOrStart: Act = async (world, draw) => {
  const alias = draw.of(aliases)
  const cluster = world.cluster(alias)
  if (!cluster.isUp()) {
    await world.start(cluster)
    return `${alias} is up again`
  }
  await cluster.stop()
  return `${alias} is down`
}

const restartService: Act = async (world) => {
  await world.restartService()
  return 'the service restarts'
}

const rotate: Act = async (world) => {
  await world.scene.ask('POST', '/api/v1/keys/rotate')
  return 'rotate'
}

const giveKey: Act = async (world) => {
  const { public_key: pem } = (await world.scene.ask('GET', '/v1/public-key')) as { public_key: string }
  world.cluster('rock').trust({ kind: 'static_key', pem })
  return 'rock gets the present key'
}

const resync: Act = async (world, draw) => {
  const alias = draw.of(aliases)
  await world.scene.ask('POST', `/api/v1/clusters/${alias}/resync`)
  return `resync ${alias}`
}

/** Each as often as it stands here. */
const acts: readonly Act[] = [
  ...[revoke, revoke, revoke, revoke, revoke, pass, pass, pass, pass, pass],
  ...[
    begin,
    begin,
    relieve,
    relieve,
    forget,
    forget,
    stopOrStart,
    stopOrStart,
    restartService,
    rotate,
    giveKey,
    resync,
  ],
]

/** Does one act drawn at random; answers what it was. */
export async function actAtRandom(world: World, random: () => number): Promise<string> {
  const draw: Draw = {
    number: (limit) => Math.floor(random() * limit),
    of: (things) => things[Math.floor(random() * things.length)] as (typeof things)[number],
  }
  return draw.of(acts)(world, draw)
}

/** Ends every trouble: from here on the promise must be kept. */
export async function settleDown(world: World): Promise<void> {
  for (const alias of aliases) {
    const cluster = world.cluster(alias)
    world.trouble(cluster, undefined)
    if (!cluster.isUp()) await world.start(cluster)
  }
  // Until a key that was published signs.
  await world.pass(60_000)
  await world.scene.ask('GET', '/v1/public-key').then(async (answer) => {
    world.cluster('rock').trust({ kind: 'static_key', pem: (answer as { public_key: string }).public_key })
  })
}
