import { createHash, createPublicKey, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import { isDomainError } from '../../../src/core/errors.ts'
import { createKeyRing } from '../../../src/core/keys/key-ring.ts'
import type { KeyStore } from '../../../src/core/keys/key-store.ts'
import { KeyFileError, readPrivateKey } from '../../../src/core/keys/private-key-file.ts'
import { op } from '../../actors.ts'
import { createMemoryKeyFile, createTestRing, makeKeyContent } from './ring-parts.ts'

const secret = () => randomBytes(24).toString('base64')

async function states(keys: KeyStore) {
  return Object.fromEntries((await keys.list()).map(({ kid, state }) => [kid, state]))
}

test('the first start makes a key, publishes it, writes its file and signs with it', async () => {
  const keyFile = createMemoryKeyFile(undefined)
  const { ring, store } = await createTestRing({ keyFile })
  const { algorithm, kid } = ring.signer()
  expect(algorithm).toBe('RS256')
  expect(ring.publicKeys().map((key) => key.kid)).toEqual([kid])
  expect(await states(store.keys)).toEqual({ [kid ?? '']: 'active' })
  const key = await readPrivateKey(keyFile.content ?? Buffer.alloc(0), undefined, keyFile.path)
  expect(ring.publicKeyPem()).toBe(createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  expect(ring.proof()).toEqual({ kind: 'public_key', pem: ring.publicKeyPem() })
})

test('a kid is the RFC 7638 thumbprint, and a published key shows its public members alone', async () => {
  const { ring } = await createTestRing()
  const [jwk] = ring.publicKeys()
  expect(Object.keys(jwk ?? {})).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  expect(jwk).toMatchObject({ alg: 'RS256', e: 'AQAB', kty: 'RSA', use: 'sig' })
  expect(jwk?.kid).toBe(await calculateJwkThumbprint({ ...jwk }))
})

test('a second start signs with the same key', async () => {
  const { ring, deps } = await createTestRing()
  const again = await createKeyRing(deps)
  expect(again.signer().kid).toBe(ring.signer().kid)
  expect(again.publicKeys()).toHaveLength(1)
})

test('an encrypted key file survives rotation and a start with its passphrase', async () => {
  const keyFile = createMemoryKeyFile(undefined)
  const { ring, deps } = await createTestRing({ keyFile, passphrase: secret() })
  const { kid } = await ring.rotate(op)
  expect(keyFile.content?.includes('BEGIN')).toBe(false)
  expect((await createKeyRing(deps)).signer().kid).toBe(kid)
  await expect(createKeyRing({ ...deps, passphrase: secret() })).rejects.toThrow(KeyFileError)
})

test('rotation signs with a new key while the old one goes on verifying', async () => {
  const { ring, store } = await createTestRing()
  const old = ring.signer().kid ?? ''
  const { kid } = await ring.rotate(op)
  expect(kid).not.toBe(old)
  expect(ring.signer().kid).toBe(kid)
  expect(ring.publicKeys().map((key) => key.kid)).toEqual([old, kid])
  expect(await states(store.keys)).toEqual({ [old]: 'retiring', [kid]: 'active' })
  for (const known of [old, kid]) expect(await ring.verifier({ alg: 'RS256', kid: known })).toBeDefined()
})

test('rotations that are asked for at once happen one after the other', async () => {
  const { ring, store, keyFile, deps } = await createTestRing()
  const kids = (await Promise.all([ring.rotate(op), ring.rotate(op), ring.rotate(op)])).map(({ kid }) => kid)
  expect(new Set(kids).size).toBe(3)
  expect(ring.signer().kid).toBe(kids[2])
  expect(Object.values(await states(store.keys)).filter((state) => state === 'active')).toHaveLength(1)
  expect((await createKeyRing({ ...deps, keyFile })).signer().kid).toBe(kids[2])
})

test('a rotation whose file cannot be written changes nothing that signs', async () => {
  const { ring, keyFile } = await createTestRing()
  const { kid } = ring.signer()
  keyFile.write = async () => {
    throw new Error('read-only')
  }
  await expect(ring.rotate(op)).rejects.toSatisfy((error) => isDomainError(error, 'storage_failed'))
  expect(ring.signer().kid).toBe(kid)
})

describe('external key mode', () => {
  test('refuses to start without a key file, and says what to do', async () => {
    const failure = createTestRing({ isExternal: true, keyFile: createMemoryKeyFile(undefined) })
    await expect(failure).rejects.toThrow(KeyFileError)
    await expect(failure).rejects.toThrow('there is no private key at /data/authn_rsa.key')
  })

  test('never rotates', async () => {
    const { deps } = await createTestRing()
    const ring = await createKeyRing({ ...deps, isExternal: true })
    await expect(ring.rotate(op)).rejects.toMatchObject({ code: 'key_unavailable', details: { reason: 'external' } })
  })

  test('publishes every key that it was given, so that after a second replacement the middle key still verifies', async () => {
    const { deps, keyFile } = await createTestRing()
    const kids: string[] = []
    for (let replacement = 0; replacement < 2; replacement += 1) {
      keyFile.content = makeKeyContent()
      kids.push((await createKeyRing({ ...deps, isExternal: true })).signer().kid ?? '')
    }
    keyFile.content = makeKeyContent()
    const ring = await createKeyRing({ ...deps, isExternal: true })
    for (const kid of kids) expect(await ring.verifier({ alg: 'RS256', kid })).toBeDefined()
  })
})

describe('under a shared secret', () => {
  test('the RSA key is neither read nor made', async () => {
    const keyFile = createMemoryKeyFile(undefined)
    const { ring, store } = await createTestRing({ keyFile, sharedSecret: secret() })
    expect(keyFile).toMatchObject({ content: undefined, reads: 0 })
    expect(await store.keys.list()).toEqual([])
    expect(ring.signer()).toMatchObject({ algorithm: 'HS256', kid: null })
    expect(ring.publicKeys()).toEqual([])
  })

  test('clusters are shown its SHA-256', async () => {
    const sharedSecret = secret()
    const { ring } = await createTestRing({ sharedSecret })
    const sha256Hex = createHash('sha256').update(sharedSecret).digest('hex')
    expect(ring.proof()).toEqual({ kind: 'shared_secret', sha256Hex })
  })

  test('it verifies whatever the kid, but HS256 alone', async () => {
    const { ring } = await createTestRing({ sharedSecret: secret() })
    expect(await ring.verifier({ alg: 'HS256' })).toBeDefined()
    expect(await ring.verifier({ alg: 'HS256', kid: 'any' })).toBeDefined()
    for (const alg of ['RS256', 'RS512', 'none', 'HS512']) expect(await ring.verifier({ alg })).toBeUndefined()
  })

  test('there is no key to rotate or show', async () => {
    const { ring } = await createTestRing({ sharedSecret: secret() })
    const unavailable = { code: 'key_unavailable', details: { reason: 'shared_secret' } }
    await expect(ring.rotate(op)).rejects.toMatchObject(unavailable)
    expect(() => ring.publicKeyPem()).toThrow(expect.objectContaining(unavailable))
  })

  test('the way back to RSA loads or makes the key', async () => {
    const keyFile = createMemoryKeyFile(undefined)
    const { ring } = await createTestRing({ keyFile, sharedSecret: secret() })
    await ring.useSharedSecret('')
    expect(ring.signer().algorithm).toBe('RS256')
    expect(keyFile.content).toBeDefined()
    const [jwk] = ring.publicKeys()
    expect(await ring.verifier({ alg: 'RS256', kid: jwk?.kid ?? '' })).toBeDefined()
  })

  test('the way back to an RSA key that cannot be used is refused, and the secret goes on signing', async () => {
    const { ring, keyFile } = await createTestRing({ sharedSecret: secret() })
    keyFile.content = Buffer.from('not a key')
    await expect(ring.useSharedSecret('')).rejects.toThrow(KeyFileError)
    expect(ring.signer().algorithm).toBe('HS256')
  })
})

test('an RSA ring verifies RS256, RS384 and RS512 of a known kid, and nothing else', async () => {
  const { ring } = await createTestRing()
  const kid = ring.signer().kid ?? ''
  for (const alg of ['RS256', 'RS384', 'RS512']) expect(await ring.verifier({ alg, kid })).toBeDefined()
  for (const alg of ['HS256', 'none', 'PS256', 'ES256', 'rs256'])
    expect(await ring.verifier({ alg, kid })).toBeUndefined()
  expect(await ring.verifier({ alg: 'RS256' })).toBeUndefined()
  expect(await ring.verifier({ alg: 'RS256', kid: 'foreign' })).toBeUndefined()
})

test('a generation ends with everything that may change what verifies', async () => {
  const { ring } = await createTestRing()
  const seen = [ring.generation()]
  await ring.rotate(op)
  seen.push(ring.generation())
  await ring.useSharedSecret(secret())
  seen.push(ring.generation())
  await ring.useSharedSecret('')
  seen.push(ring.generation())
  expect(new Set(seen).size).toBe(4)
})

test('a key that another process rotated to is found, and strangers cannot make us ask the store more than once a second', async () => {
  let lists = 0
  const { deps, store, clock } = await createTestRing()
  const keys: KeyStore = {
    ...store.keys,
    list: () => {
      lists += 1
      return store.keys.list()
    },
  }
  const ring = await createKeyRing({ ...deps, keys })
  const other = await createKeyRing(deps)
  const { kid } = await other.rotate(op)
  const before = ring.generation()
  expect(await ring.verifier({ alg: 'RS256', kid })).toBeDefined()
  expect(ring.generation()).not.toBe(before)

  lists = 0
  for (let stranger = 0; stranger < 20; stranger += 1) await ring.verifier({ alg: 'RS256', kid: `k${stranger}` })
  expect(lists).toBe(0)
  await clock.advance(1000)
  await Promise.all(Array.from({ length: 20 }, (_, stranger) => ring.verifier({ alg: 'RS256', kid: `k${stranger}` })))
  expect(lists).toBe(1)
})

test('a clock that was set back does not keep unknown keys from being looked up', async () => {
  const { deps, clock, ring } = await createTestRing()
  await ring.verifier({ alg: 'RS256', kid: 'unknown' })
  const { kid } = await (await createKeyRing(deps)).rotate(op)
  clock.step(-3_600_000)
  expect(await ring.verifier({ alg: 'RS256', kid })).toBeDefined()
})

test('a key file that cannot be read is named in one line', async () => {
  const keyFile = createMemoryKeyFile(undefined)
  keyFile.read = async () => {
    throw new Error('EACCES')
  }
  await expect(createTestRing({ keyFile })).rejects.toThrow(/^the private key file \/data\/authn_rsa.key can't be read/)
})
