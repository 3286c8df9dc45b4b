import { createPublicKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createKeyRing, type KeyRingDeps } from '../../../src/core/keys/key-ring.ts'
import type { KeyStore } from '../../../src/core/keys/key-store.ts'
import { readPrivateKey } from '../../../src/core/keys/private-key-file.ts'
import { op } from '../../actors.ts'
import { createMemoryKeyFile, createTestRing } from './ring-parts.ts'

async function activeKids(keys: KeyStore) {
  return (await keys.list()).filter(({ state }) => state === 'active').map(({ kid }) => kid)
}

/** Everything that a rotation or a first start writes fails from the `at`-th write on: before it, or after it took effect. */
function dieAt(at: number, when: 'before' | 'after', { keys, keyFile }: Pick<KeyRingDeps, 'keys' | 'keyFile'>) {
  let writes = 0
  async function dying<T>(act: () => Promise<T>): Promise<T> {
    writes += 1
    if (writes > at || (writes === at && when === 'before')) throw new Error('killed')
    const answer = await act()
    if (writes === at) throw new Error('killed')
    return answer
  }
  return {
    keys: {
      ...keys,
      publish: (key, now, sealed) => dying(() => keys.publish(key, now, sealed)),
      retire: (kid, now) => dying(() => keys.retire(kid, now)),
      activate: (kid, now) => dying(() => keys.activate(kid, now)),
    } satisfies KeyStore,
    keyFile: {
      path: keyFile.path,
      read: () => keyFile.read(),
      write: (content: Buffer) => dying(() => keyFile.write(content)),
    },
  }
}

describe.each([
  [1, 'before'],
  [1, 'after'],
  [2, 'before'],
  [2, 'after'],
  [3, 'before'],
  [3, 'after'],
] as const)('a kill %i writes in, %s the write,', (at, when) => {
  test('during a rotation leaves a service that starts, signs with a published key and knows the old one', async () => {
    const { deps, store, keyFile } = await createTestRing()
    const dying = await createKeyRing({ ...deps, ...dieAt(at, when, deps) })
    const old = dying.signer().kid ?? ''
    await expect(dying.rotate(op)).rejects.toThrow()

    const ring = await createKeyRing(deps)
    const { kid } = ring.signer()
    const inFile = await readPrivateKey(keyFile.content ?? Buffer.alloc(0), undefined, keyFile.path)
    expect(ring.publicKeyPem()).toBe(createPublicKey(inFile).export({ type: 'spki', format: 'pem' }))
    const published = ring.publicKeys().map((key) => key.kid)
    expect(published).toEqual(expect.arrayContaining([kid, old]))
    expect(await activeKids(store.keys)).toEqual([kid])
  })

  test('during the first start leaves a service that starts', async () => {
    const keyFile = createMemoryKeyFile(undefined)
    const { deps, store } = await createTestRing({ keyFile, sharedSecret: randomBytes(24).toString('base64') })
    await expect(createKeyRing({ ...deps, ...dieAt(at, when, deps), sharedSecret: '' })).rejects.toThrow()
    const ring = await createKeyRing({ ...deps, sharedSecret: '' })
    expect(await activeKids(store.keys)).toEqual([ring.signer().kid])
  })
})
