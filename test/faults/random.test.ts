/**
 * Revocations, restarts of clusters and of the service, outages and rotations in random order; after each act no report is
 * false, and in the end nothing is lost. A run that fails shows its seed: `FAULTS_SEED=… vitest run test/faults/random.test.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { actAtRandom, createRandom, newSeed, settleDown } from './model.ts'
import { sized } from './size.ts'
import { startWorld } from './world.ts'

const runs = sized(2, 60)
const acts = sized(60, 150)

const given = process.env.FAULTS_SEED
const seeds =
  given === undefined ? Array.from({ length: runs }, (_, index) => sized(index + 1, newSeed())) : [Number(given)]

test.each(seeds)(
  'whatever happens in whatever order, nothing is lost and no report is false (seed %i)',
  async (seed) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'authn_rsa.key')
    await using world = await startWorld({
      algorithm: 'RS256',
      config: { signingKey: { bits: 2048, isExternal: false, file, passphrase: undefined, leadMs: 20_000 } },
      clusters: [
        { alias: 'lake', trust: 'discovery', proxies: 3 },
        { alias: 'pond', trust: 'discovery', version: '4.3' },
        { alias: 'rock', trust: 'static_key' },
      ],
    })
    const random = createRandom(seed)
    const done: string[] = []
    try {
      for (let count = 0; count < acts; count += 1) {
        done.push(await actAtRandom(world, random))
        await world.expectTruth()
      }
      await settleDown(world)
      await world.expectKept()
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      expect.fail(`seed ${seed}, after\n${done.join('\n')}\n${said}`)
    }
  },
)
