import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import { type Once, onceKeptMs } from '../../../src/core/once.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { deedAt } from '../../actors.ts'
import { aCluster, after, aRole, aUser, failure, start } from '../conformance/samples.ts'

const sealer = createSealer(randomBytes(32))
let store: Store

beforeEach(() => {
  store = openSqliteStore({ file: ':memory:', sealer })
  return () => store.close()
})

function once<T>(more: Partial<Once<T>> = {}): Once<T> {
  return { key: 'k', userKey: 1, digest: 'of a request', answer: (made) => JSON.stringify(made), ...more }
}

const creations: readonly (readonly [string, (given: Once<unknown>) => Promise<unknown>, () => Promise<unknown>])[] = [
  [
    'a user',
    (given) => store.users.insert(aUser('ann'), { ...deedAt(start), once: given }),
    () => store.users.get('ann'),
  ],
  ['a role', (given) => store.roles.insert(aRole('r'), { ...deedAt(start), once: given }), () => store.roles.get('r')],
  [
    'a cluster',
    (given) => store.clusters.insert(aCluster('c1'), 0, [], { ...deedAt(start), once: given }),
    () => store.clusters.get('c1'),
  ],
]

test.each(creations)('%s and the key of the creation are kept together or not at all', async (_what, create, read) => {
  const broken = once<unknown>({
    answer: () => {
      throw new Error('no answer')
    },
  })
  await expect(create(broken)).rejects.toThrow('no answer')
  expect(await read()).toBeUndefined()
  expect(await store.once.find(broken, start)).toBeUndefined()

  await create(once())
  const made = await read()
  const kept = await store.once.find(once(), start)
  expect(kept?.digest).toBe('of a request')
  expect(JSON.parse(kept?.answer ?? '')).toMatchObject(JSON.parse(JSON.stringify(made)))
})

test('a creation under a key that somebody else has used meanwhile is undone, unless that is a day ago', async () => {
  await store.users.insert(aUser('ann'), { ...deedAt(start), once: once() })
  const again = (ms: number) => store.roles.insert(aRole('r'), { ...deedAt(after(ms)), once: once() })
  await expect(again(onceKeptMs)).rejects.toMatchObject(failure('idempotency_key_busy', { key: 'k' }))
  expect(await store.roles.get('r')).toBeUndefined()
  await again(onceKeptMs + 1)
  expect(await store.roles.get('r')).toBeDefined()
})

test('keys of different users never meet, and are forgotten when they are old', async () => {
  await store.users.insert(aUser('ann'), { ...deedAt(start), once: once() })
  expect(await store.once.find({ userKey: 2, key: 'k' }, start)).toBeUndefined()
  expect(await store.once.find({ userKey: 1, key: 'k' }, after(1))).toBeUndefined()
  expect(await store.once.purge(start, 10)).toBe(0)
  expect(await store.once.purge(after(1), 10)).toBe(1)
  expect(await store.once.find(once(), start)).toBeUndefined()
})
