import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import type { TokenFilter, TokenPosition } from '../../../src/core/tokens/token-search.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt, op } from '../../actors.ts'
import { aCluster, after, aRole, aToken, start } from '../conformance/samples.ts'

const sealer = createSealer(randomBytes(32))
let store: Store

beforeEach(() => {
  store = openSqliteStore({ file: ':memory:', sealer })
  return () => store.close()
})

type Given = Parameters<typeof aToken>[2]

async function record(text: string, given: Given = {}) {
  await store.tokens.record(aToken(text, sealer, { jti: text, ...given }), deedAt(start))
}

/** Every page, `limit` at a time. */
async function walk(filter: TokenFilter, limit = 2, now = start): Promise<(string | null)[]> {
  const found: (string | null)[] = []
  let next: TokenPosition | undefined
  do {
    const page = await store.tokenSearch.find(filter, { ...(next && { after: next }), limit, now })
    expect(page.tokens.length).toBeLessThanOrEqual(limit)
    found.push(...page.tokens.map(({ jti }) => jti))
    next = page.next
  } while (next !== undefined)
  return found
}

test('those come first that came last, in pages of any length', async () => {
  for (let number = 0; number < 7; number += 1) await record(`t${number}`)
  const all = ['t6', 't5', 't4', 't3', 't2', 't1', 't0']
  for (const limit of [1, 2, 3, 7, 100]) expect(await walk({}, limit)).toEqual(all)
})

test('each filter finds what it says, alone and together with others', async () => {
  await store.roles.insert(aRole('r'), deedAt(start))
  await store.roles.insert(aRole('s'), deedAt(start))
  await store.clusters.insert({ ...aCluster('c1'), alias: 'lake' }, 0, [], deedAt(start))
  await store.clusters.insert(aCluster('c2'), 0, [], deedAt(start))
  const roleKeys = [(await store.roles.get('r'))?.key ?? 0]
  await record('ann-r', { subject: 'ann', roleKeys, reach: ['c1'] })
  await record('ann', { subject: 'ann', kid: 'k2', reach: ['c2'], issuedAt: after(10_000) })
  await record('bob-r', { subject: 'bob', roleKeys, kid: 'k2', reach: 'everywhere', issuedAt: after(20_000) })
  await record('bob', { subject: 'bob', kid: null, reach: [], issuedAt: after(30_000) })
  await store.revocations.revokeSelected({ by: 'jti', jti: 'ann' }, { by: op, at: start, reason: 'test' })

  const expected: readonly [TokenFilter, readonly string[]][] = [
    [{ subject: 'ann' }, ['ann', 'ann-r']],
    [{ subject: 'nobody' }, []],
    [{ role: 'r' }, ['bob-r', 'ann-r']],
    [{ role: 's' }, []],
    [{ role: 'none' }, []],
    [{ cluster: 'c1' }, ['bob-r', 'ann-r']],
    [{ cluster: 'lake' }, ['bob-r', 'ann-r']],
    [{ cluster: 'c2' }, ['bob-r', 'ann']],
    [{ cluster: 'none' }, []],
    [{ kid: 'k2' }, ['bob-r', 'ann']],
    [{ state: 'revoked' }, ['ann']],
    [{ state: 'live' }, ['bob', 'bob-r', 'ann-r']],
    [{ state: 'expired' }, []],
    [{ issuedFrom: after(10_000) }, ['bob', 'bob-r', 'ann']],
    [{ issuedUntil: after(20_000) }, ['ann', 'ann-r']],
    [{ issuedFrom: after(10_000), issuedUntil: after(30_000), state: 'live' }, ['bob-r']],
    [{ subject: 'ann', state: 'live' }, ['ann-r']],
    [{ subject: 'bob', role: 'r', cluster: 'c2', kid: 'k2', issuedFrom: after(20_000) }, ['bob-r']],
    [{ role: 'r', cluster: 'c1', issuedUntil: after(20_000) }, ['ann-r']],
    [{ cluster: 'c2', state: 'revoked' }, ['ann']],
  ]
  for (const [filter, names] of expected) {
    for (const limit of [1, 10]) expect({ filter, found: await walk(filter, limit) }).toEqual({ filter, found: names })
  }
  expect(await walk({ state: 'expired' }, 10, after(10 * 86_400_000))).toEqual(['bob', 'bob-r', 'ann-r'])
})

test('by the instant of issue, tokens of one instant are neither lost nor told twice', async () => {
  for (let number = 0; number < 6; number += 1) await record(`t${number}`, { issuedAt: after(number < 3 ? 0 : 1000) })
  expect(await walk({ issuedFrom: start }, 1)).toEqual(['t5', 't4', 't3', 't2', 't1', 't0'])
})

test('a page that looked at much and found little says where to go on', async () => {
  await record('wanted', { kid: 'k2' })
  const others = Array.from({ length: 5100 }, (_, number) => aToken(`t${number}`, sealer))
  await Promise.all(others.map((token) => store.tokens.record(token, deedAt(start))))
  const filter = { subject: 'ann', kid: 'k2' }
  const page = await store.tokenSearch.find(filter, { limit: 10, now: start })
  expect(page.tokens).toEqual([])
  expect(page.next).toBeDefined()
  expect(await walk(filter, 10)).toEqual(['wanted'])
})
