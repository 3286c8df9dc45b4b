/** Keys are rotated while there are live revocations, with clusters of each kind of trust. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { TestClusterOptions } from '../service-options.ts'
import { sized } from './size.ts'
import { startWorld, type World } from './world.ts'

const live = sized(150, 1_000)

const clusters: readonly TestClusterOptions[] = [
  { alias: 'lake', trust: 'discovery', proxies: 3 },
  { alias: 'pond', trust: 'discovery' },
  { alias: 'rock', trust: 'static_key' },
  { alias: 'fossil', trust: 'static_key', version: '4.3' },
]

/** @param leadMs how long a key is published before it signs */
function startLakes(leadMs: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'authn_rsa.key')
  const signingKey = { bits: 2048, isExternal: false, file, passphrase: undefined, leadMs }
  return startWorld({ algorithm: 'RS256', config: { signingKey }, clusters })
}

interface ClusterBody {
  readonly alias: string
  readonly state: string
  readonly isKeyTrusted: boolean | null
  readonly trouble: { readonly reason: string; readonly advice: string | null } | null
}

async function statusOf(world: World, alias: string): Promise<ClusterBody> {
  return (await world.scene.ask('GET', `/api/v1/clusters/${alias}`)) as ClusterBody
}

/** The cluster is configured with the key that signs now. */
async function giveKey(world: World, alias: string) {
  const { public_key: pem } = (await world.scene.ask('GET', '/v1/public-key')) as { public_key: string }
  world.cluster(alias).trust({ kind: 'static_key', pem })
}

async function revokeWhilePassing(world: World, ms: number) {
  for (let passed = 0; passed < ms; passed += 5_000) {
    await world.revokeNew(3)
    await world.pass(5_000)
    await world.expectTruth()
  }
}

test('a rotation in the middle of revocations loses nothing: who looks keys up notices nothing, who has a fixed one is named', async () => {
  await using world = await startLakes(60_000)
  await world.revokeNew(live)
  await world.expectKept(60_000)
  const old = await world.tokens(10)
  const quiet = world.service.log().length
  await world.scene.ask('POST', '/api/v1/keys/rotate')
  await revokeWhilePassing(world, 30_000)
  await world.service.restart()
  await revokeWhilePassing(world, 60_000)

  const refused = world.service
    .log()
    .slice(quiet)
    .filter(({ event, outcome }) => event === 'delivery.attempted' && outcome === 'refused')
    .map(({ cluster }) => cluster)
  expect(new Set(refused)).toEqual(new Set([world.cluster('rock').uuid]))
  for (const alias of ['rock', 'fossil']) {
    expect(await statusOf(world, alias)).toMatchObject({ isKeyTrusted: false, state: 'refused' })
    expect((await statusOf(world, alias)).trouble?.advice).toMatch(/public key/)
  }
  for (const alias of ['lake', 'pond']) expect((await statusOf(world, alias)).state).toBe('in_step')

  for (const alias of ['rock', 'fossil']) await giveKey(world, alias)
  await world.revokeNew(5)
  // Signed with the key before: a cluster that looks keys up takes them still.
  await world.revoke(old)
  await world.expectKept(120_000)
})

test('keys that sign at once, two within half a minute: whatever is refused until clusters look again is tried again', async () => {
  await using world = await startLakes(0)
  await world.revokeNew(live)
  await world.expectKept(60_000)
  for (let turn = 0; turn < 2; turn += 1) {
    await world.scene.ask('POST', '/v1/rotate-key')
    await revokeWhilePassing(world, 10_000)
  }
  await revokeWhilePassing(world, 45_000)
  for (const alias of ['rock', 'fossil']) await giveKey(world, alias)
  await world.expectKept(120_000)
})

test('a cluster that forgot its list while it did not trust our key has everything once it does', async () => {
  await using world = await startLakes(0)
  await world.revokeNew(20)
  await world.expectKept(60_000)
  await world.scene.ask('POST', '/v1/rotate-key')
  await world.revokeNew(5)
  await world.pass(20_000)
  for (const alias of ['rock', 'fossil']) world.forget(world.cluster(alias))
  await world.pass(20_000)
  await world.expectTruth()
  for (const alias of ['rock', 'fossil']) await giveKey(world, alias)
  await world.expectKept(120_000)
})

test('another shared secret: clusters that still have the old one are named, and have everything once they get the new one', async () => {
  await using world = await startWorld({
    clusters: [
      { alias: 'lake', proxies: 3 },
      { alias: 'fossil', version: '4.3' },
      { alias: 'shell', version: '4.1' },
    ],
  })
  await world.revokeNew(live)
  await world.expectKept(60_000)
  const secret = randomBytes(24).toString('hex')
  await world.scene.ask('PUT', '/v1/daemon', { auth: { secret } })
  world.useSecret(secret)
  await revokeWhilePassing(world, 30_000)
  for (const alias of ['lake', 'fossil', 'shell']) {
    expect((await statusOf(world, alias)).trouble?.reason).toMatch(/key_mismatch|not_authorized/)
  }
  for (const alias of ['lake', 'fossil', 'shell']) world.cluster(alias).trust({ kind: 'shared_secret', secret })
  await world.revokeNew(5)
  await world.expectKept(120_000)
})
