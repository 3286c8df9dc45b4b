import { expect } from 'vitest'
import type { Store } from '../../../src/store/store.ts'
import { deedAt, op } from '../../actors.ts'
import { aCluster, after, aRevocation, aToken, aUser, revokeAll, type StoreTest, start } from './samples.ts'

const deed = { by: op, reason: 'because', at: start }

/** Claims the one cluster that is due and says what it has acknowledged. */
async function acknowledge(store: Store, acknowledged: number, ms: number, resyncFrom: number | null = null) {
  const options = { now: after(ms), limit: 1, leaseUntil: after(ms + 1), holder: 'test' }
  const [claim] = await store.cursors.claimDue(options)
  if (claim === undefined) throw new Error('nothing is due')
  await store.cursors.settle(claim, { kind: 'acknowledged', acknowledged, resyncFrom, at: after(ms), leaseUntil: null })
}

export function actConformance(test: StoreTest): void {
  test('a revocation by text is an act, and its repetition is none', async (store, sealer) => {
    const token = aToken('t1', sealer)
    const { actId, sequence } = await store.revocations.record(aRevocation(token, { reason: 'logout' }))
    await store.revocations.record(aRevocation(token))
    const act = {
      id: actId,
      selector: { by: 'text' },
      actor: 'ann',
      reason: 'logout',
      at: start,
      tokens: 1,
      lastSequence: sequence,
      expiresAt: token.expiresAt,
    }
    expect(await store.revocationActs.list({ limit: 9 })).toEqual([act])
    expect(await store.revocationActs.get(actId)).toEqual(act)
    expect(await store.revocationActs.get(actId + 1)).toBeUndefined()
  })

  test('acts are listed newest first, page by page, with or without those by text', async (store, sealer) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    for (const name of ['ann', 'ann']) await store.revocations.revokeSelected({ by: 'user', name }, deed)
    await revokeAll(store, sealer, ['t2'])
    const { list } = store.revocationActs
    const all = await list({ limit: 9 })
    expect(all.map((act) => act.selector.by)).toEqual(['text', 'user', 'user', 'text'])
    const first = await list({ limit: 3 })
    expect(first).toEqual(all.slice(0, 3))
    expect(await list({ after: first.at(-1)?.id ?? 0, limit: 3 })).toEqual(all.slice(3))
    expect(await list({ limit: 9, isByTextLeftOut: true })).toEqual(all.slice(1, 3))
    expect(await list({ after: all[1]?.id ?? 0, limit: 9, isByTextLeftOut: true })).toEqual(all.slice(2, 3))
  })

  test('an act\u2019s progress names each cluster: whether it has all of it, and since when', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1', { alias: 'one' }), 0, [], deedAt(start))
    const [first = 0, second = 0, third = 0] = await revokeAll(store, sealer, ['t1', 't2', 't3'])
    const acts = [...(await store.revocationActs.list({ limit: 3 }))].reverse()
    const sinces = async () => {
      const progress = await Promise.all(acts.map((act) => store.revocationActs.progress(act.id)))
      return progress.map((holdings) => holdings?.[0]?.isHeld && holdings[0].since)
    }
    expect(await store.revocationActs.progress(acts[0]?.id ?? 0)).toEqual([
      { clusterId: 'c1', alias: 'one', isHeld: false, since: null, isResyncing: false, failure: null },
    ])
    await acknowledge(store, first, 10)
    expect(await sinces()).toEqual([after(10), false, false])
    await acknowledge(store, first, 15)
    await acknowledge(store, third, 20)
    expect(await sinces()).toEqual([after(10), after(20), after(20)])
    await store.clusters.insert(aCluster('c2', { registeredAt: after(30) }), second, [], deedAt(start))
    expect(await store.revocationActs.progress(acts[1]?.id ?? 0)).toMatchObject([
      { clusterId: 'c1', isHeld: true, since: after(20) },
      { clusterId: 'c2', isHeld: true, since: after(30) },
    ])
    expect((await store.revocationActs.progress(acts[2]?.id ?? 0))?.[1]).toMatchObject({ isHeld: false, since: null })
    expect(await store.revocationActs.progress(999)).toBeUndefined()
  })

  test('a cluster that is being told anew holds only what it has been told again', async (store, sealer) => {
    const [first = 0, , last = 0] = await revokeAll(store, sealer, ['t1', 't2', 't3'])
    await store.clusters.insert(aCluster('c1'), last, [], deedAt(start))
    const [latest, , oldest] = await store.revocationActs.list({ limit: 3 })
    const held = async () => {
      const holdings = [oldest, latest].map((act) => store.revocationActs.progress(act?.id ?? 0))
      return (await Promise.all(holdings)).map((progress) => progress?.[0]?.isHeld)
    }
    expect(await held()).toEqual([true, true])
    await store.cursors.resync('c1', after(1))
    expect(await held()).toEqual([false, false])
    await acknowledge(store, last, 2, first)
    expect(await held()).toEqual([true, false])
    expect((await store.revocationActs.progress(latest?.id ?? 0))?.[0]).toMatchObject({ isResyncing: true })
    await acknowledge(store, last, 3)
    expect(await held()).toEqual([true, true])
  })

  test('why a cluster does not have it, and when it is asked again, is told', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    await revokeAll(store, sealer, ['t1'])
    const [claim] = await store.cursors.claimDue({ now: start, limit: 1, leaseUntil: after(9), holder: 'test' })
    const failure = {
      attempts: 2,
      nextAttemptAt: after(500),
      reason: 'key_mismatch',
      said: 'who?',
      at: after(5),
    } as const
    if (claim) await store.cursors.settle(claim, { kind: 'failed', ...failure })
    const [act] = await store.revocationActs.list({ limit: 1 })
    expect(await store.revocationActs.progress(act?.id ?? 0)).toMatchObject([
      { isHeld: false, failure: { reason: 'key_mismatch', said: 'who?', nextAttemptAt: after(500) } },
    ])
  })

  test('an act that found no token is everywhere', async (store) => {
    await store.users.insert(aUser('ann'), deedAt(start))
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const { id } = await store.revocations.revokeSelected({ by: 'user', name: 'ann' }, deed)
    expect(await store.revocationActs.progress(id)).toMatchObject([{ isHeld: true, since: null }])
  })

  test('of a token is told what it is, and once it is revoked by which act and who has it', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const token = aToken('t1', sealer, { session: 's1' })
    await store.tokens.record(token, deedAt(start))
    const { jti, session, subject, kid, audience, origin, issuedAt, expiresAt, fingerprint } = token
    const known = { jti, session, subject, kid, audience, origin, issuedAt, expiresAt }
    expect(await store.revocationActs.token({ fingerprint })).toEqual({ ...known, revocation: null })
    const act = await store.revocations.revokeSelected({ by: 'session', session: 's1' }, { ...deed, at: after(4) })
    const status = await store.revocationActs.token({ jti: 'jti of t1' })
    expect(status).toMatchObject({ ...known, revocation: { act, at: after(4), sequence: act.lastSequence } })
    expect(status?.revocation?.holdings).toMatchObject([{ clusterId: 'c1', isHeld: false }])
    await acknowledge(store, act.lastSequence, 6)
    expect((await store.revocationActs.token({ fingerprint }))?.revocation?.holdings).toMatchObject([
      { isHeld: true, since: after(6) },
    ])
    expect(await store.revocationActs.token({ jti: 'another' })).toBeUndefined()
    expect(await store.revocationActs.token({ fingerprint: aToken('t2', sealer).fingerprint })).toBeUndefined()
  })

  test('acts are purged, in bounded steps, when their last token ended before the given time', async (store, sealer) => {
    await revokeAll(store, sealer, ['t1', 't2', 't3'])
    const lasting = aRevocation(aToken('lasting', sealer, { expiresAt: after(90_000) }))
    const { actId } = await store.revocations.record(lasting)
    expect(await store.revocationActs.purge(after(60_000), 10)).toBe(0)
    expect(await store.revocationActs.purge(after(60_001), 2)).toBe(2)
    expect(await store.revocationActs.purge(after(60_001), 2)).toBe(1)
    expect(await store.revocationActs.purge(after(60_001), 2)).toBe(0)
    expect((await store.revocationActs.list({ limit: 9 })).map((act) => act.id)).toEqual([actId])
  })

  test('an act outlives its tokens', async (store, sealer) => {
    await revokeAll(store, sealer, ['t1'])
    await store.tokens.purgeExpired(after(99_999), 10)
    expect(await store.revocationActs.list({ limit: 9 })).toMatchObject([{ tokens: 1 }])
  })

  test('what was acknowledged when is remembered for a while, and thinned, never told too early', async (store, sealer) => {
    await store.clusters.insert(aCluster('c1'), 0, [], deedAt(start))
    const count = 1_200
    const texts = Array.from({ length: count }, (_, index) => `t${index}`)
    const sequences = await revokeAll(store, sealer, texts)
    for (const [index, sequence] of sequences.entries()) await acknowledge(store, sequence, index)
    for (let purged = 1; purged > 0; ) purged = await store.revocationActs.purge(start, 100)
    const acts = [...(await store.revocationActs.list({ limit: count }))].reverse()
    const sinceOf = async (index: number) =>
      (await store.revocationActs.progress(acts[index]?.id ?? 0))?.[0]?.since?.getTime() ?? 0
    for (const index of [count - 1, count - 100]) expect(await sinceOf(index)).toBe(after(index).getTime())
    for (const index of [0, 1, 300, 301]) {
      expect(await sinceOf(index)).toBeGreaterThanOrEqual(after(index).getTime())
      expect(await sinceOf(index)).toBeLessThanOrEqual(after(index + 2).getTime())
    }
    await store.tokens.purgeExpired(after(99_999), count)
    expect(await store.revocationActs.purge(start, 5_000)).toBeGreaterThan(500)
    expect(await sinceOf(count - 1)).toBe(after(count - 1).getTime())
  })
}
