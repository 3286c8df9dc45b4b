import { describe, expect, test } from 'vitest'
import type { ClusterStore } from '../../src/core/clusters/cluster-store.ts'
import type { Outcome } from '../../src/core/clusters/driver.ts'
import { createKeyRotation } from '../../src/workers/key-rotation.ts'
import { deedAt, op } from '../actors.ts'
import { createTestRing } from '../core/keys/ring-parts.ts'
import { createScriptedDriver, keepLog, refused } from '../delivery/script.ts'
import { aCluster, aToken } from '../store/conformance/samples.ts'
import { until } from './probe-parts.ts'

const hour = 3_600_000
const answered: Outcome = { ...refused('key_mismatch'), status: 401 } as Outcome

async function startRotating(
  clusters: Readonly<Record<string, Outcome | 'held' | 'accepted'>>,
  { leadMs = 0 }: { leadMs?: number } = {},
) {
  const parts = await createTestRing({ leadMs })
  const { store, ring, clock } = parts
  const driver = createScriptedDriver()
  const log = keepLog()
  const held: (() => void)[] = []
  for (const id of Object.keys(clusters))
    await store.clusters.insert(aCluster(id, { alias: `the ${id}` }), 0, [], deedAt(clock.now()))
  const shaken: string[] = []
  const hastened: string[] = []
  const rotation = createKeyRotation({
    ring,
    keys: store.keys,
    clusters: store.clusters satisfies ClusterStore,
    drivers: {
      aistore: {
        ...driver,
        async handshake({ id }, signal) {
          shaken.push(id)
          const answer = clusters[id] ?? 'accepted'
          if (answer === 'held') {
            await new Promise<void>((resolve) => {
              held.push(resolve)
              signal.addEventListener('abort', () => resolve())
            })
          }
          return answer === 'held' || answer === 'accepted' ? { kind: 'accepted', url: 'u' } : answer
        },
      },
    },
    probes: { hasten: async (id) => void hastened.push(id) },
    clock,
    log,
    config: { maximumLifetimeMs: 90 * 24 * hour, isExternal: false },
  })
  const stop = new AbortController()
  const running = rotation.worker.run(stop.signal)
  return {
    ...parts,
    rotation,
    log,
    shaken,
    hastened,
    held,
    states: async () => (await store.keys.list()).map(({ state }) => state),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
      await store.close()
    },
  }
}

describe('a rotation', () => {
  test('names the clusters that do not trust the new key, with what to do, and those that could not be asked', async () => {
    await using it = await startRotating({ good: 'accepted', fixed: answered, dead: refused('unreachable') })
    const { kid, activatesAt, refusedBy, notAsked } = await it.rotation.rotate(op)
    expect(it.ring.signer().kid).toBe(kid)
    expect(activatesAt).toBeNull()
    expect(refusedBy).toEqual([
      { clusterId: 'fixed', alias: 'the fixed', reason: 'key_mismatch', said: 'it is key_mismatch', advice: 'Look.' },
    ])
    expect(notAsked).toEqual([
      { clusterId: 'dead', alias: 'the dead', reason: 'unreachable', said: 'it is unreachable' },
    ])
    expect(it.log.entries.filter(({ event }) => event === 'key.refused')).toHaveLength(2)
  })

  test('has every cluster looked at soon, so that its status tells', async () => {
    await using it = await startRotating({ good: 'accepted', fixed: answered })
    await it.rotation.rotate(op)
    expect([...it.hastened].sort()).toEqual(['fixed', 'good'])
  })

  test('is answered after a second, whoever is slow; they are asked on behind the answer', async () => {
    await using it = await startRotating({ good: 'accepted', slow: 'held' })
    const answer = it.rotation.rotate(op)
    await until(() => it.shaken.length === 2)
    await it.clock.advance(1_000)
    expect(await answer).toMatchObject({ refusedBy: [], notAsked: [{ clusterId: 'slow', reason: null }] })
    it.held[0]?.()
    await until(() => it.hastened.includes('slow'))
  })

  test('asks all clusters, however many, not all at once', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => `c${index}`)
    await using it = await startRotating(Object.fromEntries(ids.map((id) => [id, 'held'])))
    const answer = it.rotation.rotate(op)
    await until(() => it.shaken.length === 64)
    expect(it.shaken).toHaveLength(64)
    await it.clock.advance(1_000)
    expect((await answer).notAsked).toHaveLength(150)
    while (it.hastened.length < 150) {
      for (const letGo of it.held.splice(0)) letGo()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  })

  test('with a lead asks nobody before the key signs, and then does so by itself', async () => {
    await using it = await startRotating({ fixed: answered }, { leadMs: 30_000 })
    const { kid, activatesAt } = await it.rotation.rotate(op)
    expect(activatesAt).toEqual(new Date(it.clock.now().getTime() + 30_000))
    await it.clock.advance(29_000)
    expect(it.shaken).toEqual([])
    expect(it.ring.signer().kid).not.toBe(kid)
    await it.clock.advance(11_000)
    await until(() => it.shaken.length === 1)
    expect(it.ring.signer().kid).toBe(kid)
    await until(() => it.log.entries.some(({ event }) => event === 'key.refused'))
  })

  test('that is under way when the service ends is given up', async () => {
    const it = await startRotating({ slow: 'held' })
    const answer = it.rotation.rotate(op)
    await until(() => it.shaken.length === 1)
    await it[Symbol.asyncDispose]()
    await it.clock.advance(1_000)
    expect(await answer).toMatchObject({ notAsked: [{ clusterId: 'slow' }] })
    expect(it.hastened).toEqual([])
  })
})

describe('a key that no longer signs', () => {
  test('leaves the key set when the last token that it signed has ended, not before', async () => {
    await using it = await startRotating({})
    await it.rotation.rotate(op)
    const { kid: second } = it.ring.signer()
    const issuedAt = it.clock.now()
    const expiresAt = new Date(issuedAt.getTime() + 3 * hour)
    await it.store.tokens.record(
      aToken('t', it.sealer, { kid: second ?? '', issuedAt, expiresAt }),
      deedAt(it.clock.now()),
    )
    await it.rotation.rotate(op)
    const published = () => it.ring.publicKeys().map(({ kid }) => kid)
    await it.clock.advance(3 * hour - 1_000)
    expect(published()).toContain(second)
    await it.clock.advance(20_000)
    await until(() => !published().includes(second ?? ''))
    expect(await it.ring.verifier({ alg: 'RS256', kid: second ?? '' })).toBeUndefined()
    expect(await it.states()).toEqual(['retiring', 'retired', 'active'])
  })

  test('is gone at once when an operator retires it', async () => {
    await using it = await startRotating({})
    const old = it.ring.signer().kid ?? ''
    await it.rotation.rotate(op)
    await it.rotation.retire(old, op)
    expect(await it.states()).toEqual(['retired', 'active'])
  })
})

test('a store that fails for a while ends nothing: the next turn goes on', async () => {
  await using it = await startRotating({}, { leadMs: 30_000 })
  const { kid } = await it.rotation.rotate(op)
  const { list } = it.store.keys
  let isBroken = true
  Object.assign(it.store.keys, { list: async () => (isBroken ? Promise.reject(new Error('disk')) : list()) })
  await it.clock.advance(40_000)
  expect(it.log.entries.some(({ event }) => event === 'key.turn_failed')).toBe(true)
  isBroken = false
  await it.clock.advance(20_000)
  await until(() => it.ring.signer().kid === kid)
})
