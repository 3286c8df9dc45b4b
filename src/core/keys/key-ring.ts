/**
 * Signing keys: which key signs now, which verify, and what others are shown of them.
 *
 * This folder owns the key ring, the private key's file format, and sealing at rest. It doesn't own what is signed
 * (tokens/).
 */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { KeyFile, KeyStore, PublicJwk } from './key-store.ts'
import { checkPassphrase, formatPrivateKey, KeyFileError, readPrivateKey } from './private-key-file.ts'
import { fromPublicJwk, makePrivateKey, type RsaKey, toRsaKey } from './rsa-key.ts'

/** What signs now. `kid` is absent under a shared secret. */
export type Signer =
  | { readonly algorithm: 'RS256'; readonly kid: string; readonly key: CryptoKey }
  | { readonly algorithm: 'HS256'; readonly kid: null; readonly key: Uint8Array }

/** What a cluster is shown at the handshake, so that it can tell whether it holds the counterpart. */
export type KeyProof =
  | { readonly kind: 'shared_secret'; readonly sha256Hex: string }
  | { readonly kind: 'public_key'; readonly pem: string }

export interface KeyRing {
  signer(): Signer
  /**
   * What verifies a token with this header, or undefined. Under a shared secret: the secret, whatever the kid. Else: the
   * public key of that kid. A kid that this process doesn't know yet is looked up in the store (another process may
   * have rotated), at most once a second.
   */
  verifier(header: { readonly alg: string; readonly kid?: string }): Promise<KeyObject | undefined>
  proof(): KeyProof
  /** Oldest first; empty under a shared secret. */
  publicKeys(): readonly PublicJwk[]
  /** Public key (SubjectPublicKeyInfo PEM). @throws DomainError key_unavailable under a shared secret */
  publicKeyPem(): string
  /**
   * Makes a new key, publishes it, writes its file, then signs with it. Old tokens stay valid.
   * @throws DomainError key_unavailable (shared secret, external mode), storage_failed
   */
  rotate(): Promise<{ readonly kid: string }>
  /**
   * Signs and verifies with this secret from the moment it answers (empty = back to RSA, whose key is loaded or made
   * then). @throws KeyFileError where there is no usable RSA key to go back to; nothing has changed then
   */
  useSharedSecret(secret: string): Promise<void>
  /** Differs whenever what verifies may have changed: caches of verified tokens are void then. */
  generation(): number
}

export interface KeyRingDeps {
  readonly keyFile: KeyFile
  readonly keys: KeyStore
  /** Size of the keys that are made. */
  readonly bits: number
  /** External = the key file is somebody else's: never made, never rotated here. */
  readonly isExternal: boolean
  /** Undefined = the key file is not encrypted. */
  readonly passphrase: string | undefined
  /** Empty = RSA. */
  readonly sharedSecret: string
  readonly clock: Clock
  readonly log: Logger
}

interface SharedSecret {
  readonly key: KeyObject
  readonly signer: Signer
  readonly proof: KeyProof
}

type PublishedKeys = ReadonlyMap<string, { readonly jwk: PublicJwk; readonly key: KeyObject }>

const refreshPauseMs = 1000
const rsaAlgorithms: ReadonlySet<string> = new Set(['RS256', 'RS384', 'RS512'])

/**
 * Loads the key that signs, or makes it at the first start, and sees to it that its public half is published and active.
 *
 * The key file is the truth about what signs. A rotation publishes, writes the file, then activates: wherever it is
 * interrupted, the next start finds a file whose key is published. Under a shared secret the file is neither read nor
 * made.
 * @throws KeyFileError where the key file can't be used
 */
export async function createKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  const { keys, clock, log } = deps
  let secret: SharedSecret | undefined
  let rsa: RsaKey | undefined
  let published: PublishedKeys = new Map()
  let generation = 0
  let refreshedAt = Number.NEGATIVE_INFINITY
  let refreshing: Promise<void> | undefined
  const inTurn = createTurns()

  async function refresh() {
    const before = published
    published = await readPublished(keys, before)
    if (before.size !== published.size || [...before.keys()].some((kid) => !published.has(kid))) generation += 1
  }

  /** The store is asked at most once a second, whatever kids strangers make up. */
  async function refreshForUnknownKid() {
    const now = clock.now().getTime()
    if (!refreshing && Math.abs(now - refreshedAt) < refreshPauseMs) return
    refreshedAt = now
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    await refreshing
  }

  async function useSharedSecret(text: string) {
    if (text === '') {
      rsa ??= await loadRsaKey(deps)
      await refresh()
    }
    secret = text === '' ? undefined : toSharedSecret(text)
    generation += 1
  }

  function requireRsa(): RsaKey {
    if (secret || !rsa) throw new DomainError('key_unavailable', { reason: 'shared_secret' })
    return rsa
  }

  async function rotate() {
    requireRsa()
    if (deps.isExternal) throw new DomainError('key_unavailable', { reason: 'external' })
    const next = await makeRsaKey(deps)
    await keys.activate(next.jwk.kid, clock.now())
    await refresh()
    rsa = next
    generation += 1
    log.info({ event: 'key.rotated', kid: next.jwk.kid })
    return { kid: next.jwk.kid }
  }

  await useSharedSecret(deps.sharedSecret)

  return {
    signer: () => secret?.signer ?? requireRsa().signer,
    async verifier({ alg, kid }) {
      if (secret) return alg === 'HS256' ? secret.key : undefined
      if (kid === undefined || !rsaAlgorithms.has(alg)) return undefined
      if (!published.has(kid)) await refreshForUnknownKid()
      return secret ? undefined : published.get(kid)?.key
    },
    proof: () => secret?.proof ?? { kind: 'public_key', pem: requireRsa().publicPem },
    publicKeys: () => (secret ? [] : [...published.values()].map(({ jwk }) => jwk)),
    publicKeyPem: () => requireRsa().publicPem,
    rotate: () => inTurn(rotate),
    useSharedSecret: (text) => inTurn(() => useSharedSecret(text)),
    generation: () => generation,
  }
}

function toSharedSecret(text: string): SharedSecret {
  const bytes = Buffer.from(text)
  const sha256Hex = createHash('sha256').update(bytes).digest('hex')
  return {
    key: createSecretKey(bytes),
    signer: { algorithm: 'HS256', kid: null, key: bytes },
    proof: { kind: 'shared_secret', sha256Hex },
  }
}

/** Keys that verify, oldest first. Those that are known already are not parsed again. */
async function readPublished(keys: KeyStore, before: PublishedKeys): Promise<PublishedKeys> {
  const published = new Map<string, { jwk: PublicJwk; key: KeyObject }>()
  for (const { kid, publicJwk, state } of await keys.list()) {
    if (state === 'retired') continue
    published.set(kid, before.get(kid) ?? { jwk: publicJwk, key: fromPublicJwk(publicJwk) })
  }
  return published
}

/** The key of the file, or a new one where there is no file; published and active either way. */
async function loadRsaKey(deps: KeyRingDeps): Promise<RsaKey> {
  const { keyFile, keys, clock, log } = deps
  if (deps.passphrase !== undefined) checkPassphrase(deps.passphrase)
  const content = await readKeyFile(keyFile)
  if (content === undefined && deps.isExternal) {
    throw new KeyFileError(`there is no private key at ${keyFile.path}: put one there, or leave external key mode`)
  }
  const key = content
    ? await toRsaKey(await readPrivateKey(content, deps.passphrase, keyFile.path))
    : await makeRsaKey(deps)
  const { kid } = key.jwk

  let record = (await keys.list()).find((known) => known.kid === kid)
  if (!record) {
    await keys.publish(key.jwk, clock.now())
    record = (await keys.list()).find((known) => known.kid === kid)
  }
  if (record?.state !== 'active') await keys.activate(kid, clock.now())
  log.info({ event: content ? 'key.loaded' : 'key.made', kid, path: keyFile.path })
  return key
}

/** A new key, published in the store and then written to the file. @throws DomainError storage_failed */
async function makeRsaKey({ bits, passphrase, keyFile, keys, clock }: KeyRingDeps): Promise<RsaKey> {
  const privateKey = await makePrivateKey(bits)
  const key = await toRsaKey(privateKey)
  const content = await formatPrivateKey(privateKey, passphrase)
  await keys.publish(key.jwk, clock.now())
  try {
    await keyFile.write(content)
  } catch (cause) {
    throw new DomainError(
      'storage_failed',
      { reason: `the private key can't be written to ${keyFile.path}` },
      { cause },
    )
  }
  return key
}

async function readKeyFile(keyFile: KeyFile): Promise<Buffer | undefined> {
  try {
    return await keyFile.read()
  } catch (cause) {
    throw new KeyFileError(`the private key file ${keyFile.path} can't be read: check its owner and mode`, { cause })
  }
}

/** Runs one act after the other, each whether or not those before it succeeded. */
function createTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act)
    last = turn.catch(() => undefined)
    return turn
  }
}
