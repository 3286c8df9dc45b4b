import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createKeyRing, type KeyRingDeps } from '../../../src/core/keys/key-ring.ts'
import type { KeyFile } from '../../../src/core/keys/key-store.ts'
import { createSealer } from '../../../src/core/keys/sealer.ts'
import type { LogEntry, Logger } from '../../../src/core/logger.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { createHandClock } from '../../clock.ts'

/** A real store in memory, with what the security core needs beside it. */
export function createParts() {
  const sealer = createSealer(randomBytes(32))
  return { sealer, store: openSqliteStore({ file: ':memory:', sealer }), clock: createHandClock(), ...createLog() }
}

/** A log that keeps what was said. */
function createLog() {
  const entries: LogEntry[] = []
  const keep = (entry: LogEntry) => {
    entries.push(entry)
  }
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep }
  return { log, entries }
}

/** The content of a plain key file. */
export function makeKeyContent(): Buffer {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

let shared: Buffer | undefined

/** A key that many tests share, since making one takes long. */
function sharedKeyContent(): Buffer {
  shared ??= makeKeyContent()
  return shared
}

/** A key file that lives in memory; `content` may be looked at and replaced. */
export function createMemoryKeyFile(
  content: Buffer | undefined,
): KeyFile & { content: Buffer | undefined; reads: number } {
  return {
    path: '/data/authn_rsa.key',
    content,
    reads: 0,
    async read() {
      this.reads += 1
      return this.content
    },
    async write(content) {
      this.content = content
    },
  }
}

/** A key ring of its own store: RSA with a key that is there already, unless told otherwise. */
export async function createTestRing(given: Partial<KeyRingDeps> = {}) {
  const parts = createParts()
  const keyFile = createMemoryKeyFile(sharedKeyContent())
  const deps: KeyRingDeps = {
    keyFile,
    keys: parts.store.keys,
    sealer: parts.sealer,
    leadMs: 0,
    bits: 2048,
    isExternal: false,
    passphrase: undefined,
    sharedSecret: '',
    clock: parts.clock,
    log: parts.log,
    ...given,
  }
  return { ...parts, keyFile, deps, ring: await createKeyRing(deps) }
}
