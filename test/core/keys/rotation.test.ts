import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createKeyRing } from '../../../src/core/keys/key-ring.ts'
import { KeyFileError } from '../../../src/core/keys/private-key-file.ts'
import { deedAt, op } from '../../actors.ts'
import { aToken } from '../../store/conformance/samples.ts'
import { createTestRing } from './ring-parts.ts'

const leadMs = 60_000

describe('with a lead', () => {
  test('a new key is published at once, and signs when the lead is over', async () => {
    const { ring, clock } = await createTestRing({ leadMs })
    const old = ring.signer().kid
    const { kid, activatesAt } = await ring.rotate(op)
    expect(activatesAt).toEqual(new Date(clock.now().getTime() + leadMs))
    expect(ring.publicKeys().map((key) => key.kid)).toEqual([old, kid])
    expect(ring.signer().kid).toBe(old)
    await clock.advance(leadMs - 1)
    expect(await ring.activateDue()).toBeUndefined()
    await clock.advance(1)
    expect(await ring.activateDue()).toBe(kid)
    expect(ring.signer().kid).toBe(kid)
    expect(await ring.activateDue()).toBeUndefined()
  })

  test('a second rotation meanwhile is the same one', async () => {
    const { ring, clock } = await createTestRing({ leadMs })
    const first = await ring.rotate(op)
    await clock.advance(1_000)
    expect(await ring.rotate(op)).toEqual(first)
    await clock.advance(leadMs)
    expect(await ring.rotate(op)).toEqual({ kid: first.kid, activatesAt: null })
  })

  test('a restart in between goes on with the same key; its private half lies sealed in the store until then', async () => {
    const passphrase = randomBytes(24).toString('base64')
    const { deps, clock, store } = await createTestRing({ leadMs, passphrase, keyFile: emptyFile() })
    const { kid } = await (await createKeyRing(deps)).rotate(op)
    const sealed = await store.keys.sealedPrivateKey(kid)
    expect(sealed?.includes('PRIVATE')).toBe(false)
    await clock.advance(leadMs)
    const next = await createKeyRing(deps)
    expect(next.signer().kid).not.toBe(kid)
    expect(await next.activateDue()).toBe(kid)
    expect(await store.keys.sealedPrivateKey(kid)).toBeUndefined()
    expect((await createKeyRing(deps)).signer().kid).toBe(kid)
  })

  test('a file that can not be written yet is tried again', async () => {
    const { ring, clock, keyFile } = await createTestRing({ leadMs })
    const write = keyFile.write.bind(keyFile)
    const { kid } = await ring.rotate(op)
    await clock.advance(leadMs)
    keyFile.write = async () => {
      throw new Error('read-only')
    }
    await expect(ring.activateDue()).rejects.toMatchObject({ code: 'storage_failed' })
    expect(ring.signer().kid).not.toBe(kid)
    keyFile.write = write
    expect(await ring.activateDue()).toBe(kid)
  })
})

function emptyFile() {
  return {
    path: '/data/authn_rsa.key',
    content: undefined as Buffer | undefined,
    async read() {
      return this.content
    },
    async write(content: Buffer) {
      this.content = content
    },
  }
}

describe('another process', () => {
  test('that has rotated is followed: its key signs here too', async () => {
    const { deps, ring } = await createTestRing()
    const other = await createKeyRing(deps)
    const { kid } = await other.rotate(op)
    const before = ring.generation()
    await ring.follow()
    expect(ring.signer().kid).toBe(kid)
    expect(ring.generation()).not.toBe(before)
  })

  test('that rotates at the same time leaves one key that signs: that of the file', async () => {
    const { deps, ring, store, keyFile } = await createTestRing()
    const other = await createKeyRing(deps)
    const [one, two] = await Promise.all([ring.rotate(op), other.rotate(op)])
    for (let turn = 0; turn < 2; turn += 1) {
      await ring.follow()
      await other.follow()
    }
    expect(ring.signer().kid).toBe(other.signer().kid)
    expect([one.kid, two.kid]).toContain(ring.signer().kid)
    expect((await createKeyRing({ ...deps, keyFile })).signer().kid).toBe(ring.signer().kid)
    const active = (await store.keys.list()).filter(({ state }) => state === 'active')
    expect(active.map(({ kid }) => kid)).toEqual([ring.signer().kid])
  })

  test('that has retired a key is followed: what it signed opens nothing here', async () => {
    const { deps, ring } = await createTestRing()
    const other = await createKeyRing(deps)
    const old = ring.signer().kid ?? ''
    await other.rotate(op)
    await ring.follow()
    await other.retire(old, op)
    expect(await ring.verifier({ alg: 'RS256', kid: old })).toBeDefined()
    await ring.follow()
    expect(await ring.verifier({ alg: 'RS256', kid: old })).toBeUndefined()
  })
})

describe('retiring', () => {
  test('ends the trust in a key at once, here and in the key set', async () => {
    const { ring } = await createTestRing()
    const old = ring.signer().kid ?? ''
    const { kid } = await ring.rotate(op)
    await ring.retire(old, op)
    expect(await ring.verifier({ alg: 'RS256', kid: old })).toBeUndefined()
    expect(ring.publicKeys().map((key) => key.kid)).toEqual([kid])
  })

  test('is refused for the key that signs and for one that nobody knows', async () => {
    const { ring } = await createTestRing()
    const { kid } = ring.signer()
    await expect(ring.retire(kid ?? '', op)).rejects.toMatchObject({
      code: 'key_unavailable',
      details: { reason: 'signing' },
    })
    await expect(ring.retire('nobody', op)).rejects.toMatchObject({ code: 'key_not_found' })
    expect(ring.signer().kid).toBe(kid)
  })

  test('outlasts a file that is put back: the service does not start with it', async () => {
    const { ring, deps, keyFile } = await createTestRing()
    const stolen = keyFile.content
    const old = ring.signer().kid ?? ''
    await ring.rotate(op)
    await ring.retire(old, op)
    keyFile.content = stolen
    await expect(createKeyRing(deps)).rejects.toThrow(KeyFileError)
  })
})

test('a key is in use as long as one of its tokens lives', async () => {
  const { store, sealer, clock } = await createTestRing()
  const now = clock.now()
  const in1h = new Date(now.getTime() + 3_600_000)
  await store.tokens.record(aToken('one', sealer, { kid: 'k1', issuedAt: now, expiresAt: in1h }), deedAt(clock.now()))
  await store.tokens.record(
    aToken('two', sealer, { kid: 'k2', issuedAt: now, expiresAt: new Date(now.getTime() + 1_000) }),
    deedAt(clock.now()),
  )
  expect(await store.keys.isInUse('k1', now)).toBe(true)
  expect(await store.keys.isInUse('k2', now)).toBe(true)
  expect(await store.keys.isInUse('k2', new Date(now.getTime() + 1_000))).toBe(false)
  expect(await store.keys.isInUse('k3', now)).toBe(false)
})
