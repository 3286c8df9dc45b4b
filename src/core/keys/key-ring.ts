/**
 * Signing keys: which key signs now, which verify, and what others are shown of them.
 *
 * This folder owns the key ring, the private key's file format, and sealing at rest. It doesn't own what is signed
 * (tokens/).
 */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { DomainError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Actor, serviceActor } from '../sessions/actor.ts'
import { activateKey, findFileKey, loadRsaKey, publishNextKey } from './key-changes.ts'
import { findPending, planActivation } from './key-plan.ts'
import type { KeyFile, KeyStore, PublicJwk } from './key-store.ts'
import { fromPublicJwk, type RsaKey } from './rsa-key.ts'
import type { Sealer } from './sealer.ts'

/** What signs now. `kid` is absent under a shared secret. */
export type Signer =
  | { readonly algorithm: 'RS256'; readonly kid: string; readonly key: KeyObject }
  | { readonly algorithm: 'HS256'; readonly kid: null; readonly key: KeyObject }

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
   * Makes a new key and publishes it; after the lead its file is written, and it signs. `activatesAt` is null where it signs
   * already. A rotation that is under way is answered instead of beginning another. Old tokens stay valid.
   * @throws DomainError key_unavailable (shared secret, external mode), storage_failed
   */
  rotate(by: Actor): Promise<Rotated>
  /** Signs with the key that has been published for long enough, if there is one; answers its kid. */
  activateDue(): Promise<string | undefined>
  /** Takes over what other processes have changed: which key signs, and which verify. */
  follow(): Promise<void>
  /**
   * Ends all trust in a key at once: what it signed is refused from now on.
   * @throws DomainError key_not_found, key_unavailable (it signs: rotate first)
   */
  retire(kid: string, by: Actor): Promise<void>
  /**
   * Signs and verifies with this secret from the moment it answers (empty = back to RSA, whose key is loaded or made
   * then). @throws KeyFileError where there is no usable RSA key to go back to; nothing has changed then
   */
  useSharedSecret(secret: string): Promise<void>
  /** Differs whenever what verifies may have changed: caches of verified tokens are void then. */
  generation(): number
}

export interface Rotated {
  readonly kid: string
  /** When it signs; null = now. */
  readonly activatesAt: Date | null
}

export interface KeyRingDeps {
  readonly keyFile: KeyFile
  readonly keys: KeyStore
  /** Private keys that don't sign yet are kept under it. */
  readonly sealer: Sealer
  /** How long a key is published before it signs. */
  readonly leadMs: number
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

  async function activate(kid: string, unwritten: 'retire' | 'keep', by: Actor) {
    rsa = await activateKey(kid, unwritten, by, deps)
    await refresh()
    generation += 1
    log.info({ event: 'key.rotated', kid })
  }

  async function rotate(by: Actor): Promise<Rotated> {
    requireRsa()
    if (deps.isExternal) throw new DomainError('key_unavailable', { reason: 'external' })
    const pending = findPending(await keys.list())
    const kid = pending?.kid ?? (await publishNextKey(by, deps))
    if (pending === undefined) await refresh()
    const activatesAt = new Date((pending?.createdAt ?? clock.now()).getTime() + deps.leadMs)
    if (activatesAt > clock.now()) return { kid, activatesAt }
    // Who asked is told of a failure, so it must not happen later all the same.
    await activate(kid, 'retire', by)
    return { kid, activatesAt: null }
  }

  async function activateDue(): Promise<string | undefined> {
    if (secret || deps.isExternal) return undefined
    const due = planActivation(await keys.list(), deps.leadMs, clock.now())
    if (due !== undefined) await activate(due.kid, 'keep', serviceActor)
    return due?.kid
  }

  async function follow() {
    if (secret || !rsa) return
    await refresh()
    const active = (await keys.list()).find(({ state }) => state === 'active')
    if (active === undefined || active.kid === rsa.jwk.kid) return
    const key = await findFileKey(deps)
    if (key === undefined) return
    // Two rotations at once: the file is the truth.
    if (key.jwk.kid !== active.kid) await keys.activate(key.jwk.kid, { by: serviceActor, at: clock.now() })
    if (key.jwk.kid === rsa.jwk.kid) return
    rsa = key
    generation += 1
    log.info({ event: 'key.followed', kid: key.jwk.kid })
  }

  async function retire(kid: string, by: Actor) {
    const record = (await keys.list()).find((known) => known.kid === kid)
    if (record === undefined) throw new DomainError('key_not_found', { kid })
    if (!(await keys.retire(kid, { by, at: clock.now() })))
      throw new DomainError('key_unavailable', { reason: 'signing' })
    await refresh()
    log.info({ event: 'key.retired', kid })
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
    rotate: (by) => inTurn(() => rotate(by)),
    activateDue: () => inTurn(activateDue),
    follow: () => inTurn(follow),
    retire: (kid, by) => inTurn(() => retire(kid, by)),
    useSharedSecret: (text) => inTurn(() => useSharedSecret(text)),
    generation: () => generation,
  }
}

/** What a secret signs with, verifies with and is known by. */
export function toSharedSecret(text: string): SharedSecret {
  const bytes = Buffer.from(text)
  const sha256Hex = createHash('sha256').update(bytes).digest('hex')
  const key = createSecretKey(bytes)
  return {
    key,
    signer: { algorithm: 'HS256', kid: null, key },
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

/** Runs one act after the other, each whether or not those before it succeeded. */
function createTurns() {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act)
    last = turn.catch(() => undefined)
    return turn
  }
}
