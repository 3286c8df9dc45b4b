import { createCipheriv, createDecipheriv, createPrivateKey, type KeyObject, pbkdf2, randomBytes } from 'node:crypto'

/** The private key can't be used as it is. The message is one line that says what to do about it, and holds no secret. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
}

/** Smallest RSA key that is used or made. */
const minimumKeyBits = 2048

const saltBytes = 32
const nonceBytes = 12
const tagBytes = 16
const rounds = 100_000
const minimumPassphraseBytes = 8
const minimumEntropyBits = 3.0

/**
 * Reads the private key of a key file: PKCS#8 PEM, plain without a passphrase and encrypted with one (contract 2.5:
 * salt 32 | nonce 12 | AES-256-GCM of the PEM | tag 16, key by PBKDF2-HMAC-SHA256 of 100,000 rounds).
 *
 * @param path how messages name the file
 * @throws KeyFileError whatever is wrong with the passphrase or the content
 */
export async function readPrivateKey(
  content: Buffer,
  passphrase: string | undefined,
  path: string,
): Promise<KeyObject> {
  if (passphrase !== undefined) checkPassphrase(passphrase)
  if (content.toString('latin1').trim() === '') {
    throw new KeyFileError(`the private key file ${path} is empty: restore it, or remove it to have a new key made`)
  }
  const isPlain = content.includes('-----BEGIN ')
  if (isPlain && passphrase !== undefined) {
    throw new KeyFileError(
      `the private key file ${path} is not encrypted although a passphrase is set: unset the passphrase, or put an encrypted key there`,
    )
  }
  if (isPlain) return parsePem(content.toString('utf8'), path)
  if (passphrase === undefined) {
    throw new KeyFileError(
      `the private key file ${path} is not PEM; if it is encrypted, set its passphrase (AIS_AUTHN_PRIVATE_KEY_PASS)`,
    )
  }
  return parsePem(await decrypt(content, passphrase, path), path)
}

/**
 * The content of a key file: plain PEM without a passphrase, encrypted with one.
 * @throws KeyFileError where the passphrase breaks a rule
 */
export async function formatPrivateKey(key: KeyObject, passphrase: string | undefined): Promise<Buffer> {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  if (passphrase === undefined) return Buffer.from(pem)
  checkPassphrase(passphrase)
  const salt = randomBytes(saltBytes)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, salt), nonce)
  return Buffer.concat([salt, nonce, cipher.update(pem, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/**
 * The rules for a passphrase (contract 2.5): at least 8 bytes, at least 3 bits of Shannon entropy a byte, no tab, CR or LF.
 * @throws KeyFileError
 */
export function checkPassphrase(passphrase: string): void {
  const bytes = Buffer.from(passphrase)
  if (bytes.length === 0) {
    throw new KeyFileError(
      'the private key passphrase is set but empty: give one, or unset it to keep the key unencrypted',
    )
  }
  if (/[\t\r\n]/.test(passphrase)) {
    throw new KeyFileError('the private key passphrase must not contain a tab or a line break')
  }
  if (bytes.length < minimumPassphraseBytes) {
    throw new KeyFileError(`the private key passphrase is too short: give at least ${minimumPassphraseBytes} bytes`)
  }
  if (entropyPerByte(bytes) < minimumEntropyBits) {
    throw new KeyFileError(
      'the private key passphrase is too simple: give one with more different characters (at least 8)',
    )
  }
}

function entropyPerByte(bytes: Buffer): number {
  const counts = new Map<number, number>()
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / bytes.length) * Math.log2(count / bytes.length)
  return bits
}

function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(passphrase, salt, rounds, 32, 'sha256', (error, key) => (error ? reject(error) : resolve(key)))
  })
}

async function decrypt(content: Buffer, passphrase: string, path: string): Promise<string> {
  const failure = `the private key file ${path} can't be decrypted: the passphrase is wrong, or the file is damaged or not an encrypted key`
  if (content.length <= saltBytes + nonceBytes + tagBytes) throw new KeyFileError(failure)
  const key = await deriveKey(passphrase, content.subarray(0, saltBytes))
  const nonce = content.subarray(saltBytes, saltBytes + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(content.subarray(content.length - tagBytes))
  const sealed = content.subarray(saltBytes + nonceBytes, content.length - tagBytes)
  try {
    return decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new KeyFileError(failure, { cause })
  }
}

function parsePem(pem: string, path: string): KeyObject {
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1]
  if (label === 'RSA PRIVATE KEY') {
    throw new KeyFileError(
      `the private key in ${path} is PKCS#1, PKCS#8 is needed: convert it with "openssl pkcs8 -topk8 -nocrypt"`,
    )
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    throw new KeyFileError(
      `the private key in ${path} is encrypted in PEM's own way: decrypt it with "openssl pkcs8 -topk8 -nocrypt"`,
    )
  }
  if (label !== 'PRIVATE KEY') {
    throw new KeyFileError(`the file ${path} holds "${label ?? 'something else'}", a PKCS#8 "PRIVATE KEY" is needed`)
  }
  const key = decodeKey(pem, path)
  if (key.asymmetricKeyType !== 'rsa') {
    throw new KeyFileError(`the private key in ${path} is of type ${key.asymmetricKeyType}, RSA is needed`)
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < minimumKeyBits) {
    throw new KeyFileError(`the RSA key in ${path} has ${bits} bits, at least ${minimumKeyBits} are needed`)
  }
  return key
}

function decodeKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey({ key: pem.slice(pem.indexOf('-----BEGIN ')), format: 'pem' })
  } catch (cause) {
    throw new KeyFileError(`the private key in ${path} is damaged: restore it`, { cause })
  }
}
