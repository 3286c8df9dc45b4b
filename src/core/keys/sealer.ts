import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Encryption at rest under the master key: AES-256-GCM, a fresh nonce a message, layout version(1) | nonce(12) | ciphertext | tag(16). */
export interface Sealer {
  seal(plain: string): Buffer
  /** @throws Error where the bytes were not sealed under this master key */
  open(sealed: Buffer): string
}

const version = 1
const nonceBytes = 12
const tagBytes = 16
const headBytes = 1 + nonceBytes

/**
 * @param masterKey 32 bytes
 * @throws Error where the master key has another length
 */
export function createSealer(masterKey: Buffer): Sealer {
  if (masterKey.length !== 32) throw new Error(`the master key must be 32 bytes, not ${masterKey.length}`)
  const key = Buffer.from(masterKey)
  const nextNonce = createNonces()

  return {
    seal(plain) {
      const head = Buffer.alloc(headBytes)
      head[0] = version
      nextNonce().copy(head, 1)
      const cipher = createCipheriv('aes-256-gcm', key, head.subarray(1))
      // The version byte is authenticated too, so that it can't be turned into another one.
      cipher.setAAD(head.subarray(0, 1))
      return Buffer.concat([head, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed) {
      if (sealed.length < headBytes + tagBytes || sealed[0] !== version) throw new Error('not a sealed message')
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, headBytes), { authTagLength: tagBytes })
      decipher.setAAD(sealed.subarray(0, 1))
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
      try {
        return (
          decipher.update(sealed.subarray(headBytes, sealed.length - tagBytes), undefined, 'utf8') +
          decipher.final('utf8')
        )
      } catch (cause) {
        throw new Error('sealed under another master key, or damaged', { cause })
      }
    },
  }
}

const noncesAtOnce = 256

/** Random nonces, each used once. They are drawn many at a time: a system call for each costs more than the encryption. */
function createNonces(): () => Buffer {
  let drawn = Buffer.alloc(0)
  return () => {
    if (drawn.length === 0) drawn = randomBytes(nonceBytes * noncesAtOnce)
    const nonce = drawn.subarray(0, nonceBytes)
    drawn = drawn.subarray(nonceBytes)
    return nonce
  }
}
