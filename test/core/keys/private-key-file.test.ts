import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  checkPassphrase,
  formatPrivateKey,
  KeyFileError,
  readPrivateKey,
} from '../../../src/core/keys/private-key-file.ts'

const path = '/data/authn_rsa.key'
const passphrase = randomBytes(16).toString('base64')
let key: KeyObject

beforeAll(() => {
  key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
})

function pem(of: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8') {
  return Buffer.from(of.export({ type, format: 'pem' }))
}

test('a plain key file is PKCS#8 PEM and reads back', async () => {
  const content = await formatPrivateKey(key, undefined)
  expect(content.toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  expect((await readPrivateKey(content, undefined, path)).equals(key)).toBe(true)
})

test('an encrypted key file is salt, nonce, ciphertext and tag, and reads back with its passphrase alone', async () => {
  const content = await formatPrivateKey(key, passphrase)
  expect(content.length).toBe(32 + 12 + pem(key).length + 16)
  expect(content.includes('PRIVATE KEY')).toBe(false)
  expect((await readPrivateKey(content, passphrase, path)).equals(key)).toBe(true)
})

describe('a key file that cannot be used is refused with what to do about it', () => {
  const cases: [string, () => Promise<Buffer>, string | undefined, string][] = [
    [
      'a plain key although a passphrase is set',
      async () => pem(key),
      passphrase,
      'is not encrypted although a passphrase is set',
    ],
    ['an encrypted key without a passphrase', () => formatPrivateKey(key, passphrase), undefined, 'set its passphrase'],
    ['a wrong passphrase', () => formatPrivateKey(key, passphrase), `${passphrase}x`, 'the passphrase is wrong'],
    ['a file cut short', async () => (await formatPrivateKey(key, passphrase)).subarray(0, 59), passphrase, 'damaged'],
    ['an empty file', async () => Buffer.alloc(0), undefined, 'is empty'],
    ['a file of blanks', async () => Buffer.from(' \n'), passphrase, 'is empty'],
    ['PKCS#1', async () => pem(key, 'pkcs1'), undefined, 'openssl pkcs8 -topk8 -nocrypt'],
    ['a public key', async () => Buffer.from('-----BEGIN PUBLIC KEY-----\n'), undefined, 'holds "PUBLIC KEY"'],
    [
      'a damaged key',
      async () =>
        Buffer.from(
          pem(key)
            .toString()
            .replace(/\n\w{9}/, '\nAAAAAAAAA'),
        ),
      undefined,
      'is damaged',
    ],
    [
      'an EC key',
      async () => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
      undefined,
      'RSA is needed',
    ],
    [
      'an RSA-PSS key',
      async () => pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey),
      undefined,
      'RSA is needed',
    ],
    [
      'a short key',
      async () => pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
      undefined,
      'at least 2048',
    ],
  ]
  test.each(cases)('%s', async (_name, content, given, message) => {
    const failure = readPrivateKey(await content(), given, path)
    await expect(failure).rejects.toThrow(KeyFileError)
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.not.toThrow(passphrase)
  })
})

describe('a passphrase is refused that', () => {
  test.each([
    ['is set but empty', '', 'set but empty'],
    ['is short', 'abcdefg', 'at least 8 bytes'],
    ['has too few different characters', 'aaaaaaaabbbbbbbb', 'too simple'],
    ['has a tab', 'abcdefgh\tijk', 'tab or a line break'],
    ['has a line feed', 'abcdefghijk\n', 'tab or a line break'],
    ['has a carriage return', 'abcdefghijk\r', 'tab or a line break'],
  ])('%s', (_name, text, message) => expect(() => checkPassphrase(text)).toThrow(message))
})

test('eight different bytes are a passphrase, as are fewer characters of more bytes', () => {
  expect(() => checkPassphrase('abcdefgh')).not.toThrow()
  expect(() => checkPassphrase('äöüß')).toThrow('too simple')
  expect(() => checkPassphrase('日本語鍵')).not.toThrow()
})

test('junk before the PEM block is skipped', async () => {
  const content = Buffer.concat([Buffer.from('made by hand\n'), pem(key)])
  expect((await readPrivateKey(content, undefined, path)).equals(createPrivateKey(pem(key)))).toBe(true)
})
