/** How the key that signs comes into being and changes: what is written, in which order. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { DomainError } from '../errors.ts'
import { type Actor, serviceActor } from '../sessions/actor.ts'
import type { KeyRingDeps } from './key-ring.ts'
import type { KeyFile } from './key-store.ts'
import { checkPassphrase, formatPrivateKey, KeyFileError, readPrivateKey } from './private-key-file.ts'
import { makePrivateKey, type RsaKey, toRsaKey } from './rsa-key.ts'

type Deps = Pick<KeyRingDeps, 'keyFile' | 'keys' | 'sealer' | 'bits' | 'isExternal' | 'passphrase' | 'clock' | 'log'>

/** The key of the file, or a new one where there is no file; published and active either way. */
export async function loadRsaKey(deps: Deps): Promise<RsaKey> {
  const { keyFile, keys, clock, log } = deps
  if (deps.passphrase !== undefined) checkPassphrase(deps.passphrase)
  const found = await findFileKey(deps)
  if (found === undefined && deps.isExternal) {
    throw new KeyFileError(`there is no private key at ${keyFile.path}: put one there, or leave external key mode`)
  }
  const key = found ?? (await makeRsaKey(deps))
  const { kid } = key.jwk

  let record = (await keys.list()).find((known) => known.kid === kid)
  if (!record) {
    await keys.publish(key.jwk, { by: serviceActor, at: clock.now() })
    record = (await keys.list()).find((known) => known.kid === kid)
  }
  if (record?.state === 'retired') {
    throw new KeyFileError(
      `the private key in ${keyFile.path} has been retired and is no longer trusted: put another one there, or remove the file to have a new key made`,
    )
  }
  if (record?.state !== 'active') await keys.activate(kid, { by: serviceActor, at: clock.now() })
  log.info({ event: found ? 'key.loaded' : 'key.made', kid, path: keyFile.path })
  return key
}

/** The key of the file; undefined where there is no file. @throws KeyFileError */
export async function findFileKey({
  keyFile,
  passphrase,
}: Pick<Deps, 'keyFile' | 'passphrase'>): Promise<RsaKey | undefined> {
  const content = await readKeyFile(keyFile)
  return content && toRsaKey(await readPrivateKey(content, passphrase, keyFile.path))
}

/** The key of the first start, published in the store and then written to the file. @throws DomainError storage_failed */
async function makeRsaKey(deps: Deps): Promise<RsaKey> {
  const privateKey = await makePrivateKey(deps.bits)
  const key = await toRsaKey(privateKey)
  await deps.keys.publish(key.jwk, { by: serviceActor, at: deps.clock.now() })
  await writeKeyFile(privateKey, deps)
  return key
}

/** Makes the key that is to sign next: others may look it up from now on. Its private half waits, sealed. */
export async function publishNextKey(by: Actor, { keys, sealer, bits, clock, log }: Deps): Promise<string> {
  const privateKey = await makePrivateKey(bits)
  const { jwk } = await toRsaKey(privateKey)
  const sealed = sealer.seal(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  await keys.publish(jwk, { by, at: clock.now() }, sealed)
  log.info({ event: 'key.published', kid: jwk.kid })
  return jwk.kid
}

/**
 * Writes the file of a published key, then makes it the active one: wherever it is interrupted, the next start finds a file
 * whose key is published.
 * @param unwritten where the file can't be written: `retire` the key, so that nothing has changed, or `keep` it for later
 * @throws DomainError storage_failed
 */
export async function activateKey(kid: string, unwritten: 'retire' | 'keep', by: Actor, deps: Deps): Promise<RsaKey> {
  const { keys, sealer, clock } = deps
  const sealed = await keys.sealedPrivateKey(kid)
  if (sealed === undefined) return followFile(kid, deps)
  const privateKey = createPrivateKey(sealer.open(sealed))
  const key = await toRsaKey(privateKey)
  try {
    await writeKeyFile(privateKey, deps)
  } catch (error) {
    if (unwritten === 'retire') await keys.retire(kid, { by, at: clock.now() })
    throw error
  }
  await keys.activate(kid, { by, at: clock.now() })
  return key
}

/** Another process was faster. */
async function followFile(kid: string, deps: Deps): Promise<RsaKey> {
  const key = await findFileKey(deps)
  if (key?.jwk.kid === kid) return key
  throw new DomainError('storage_failed', { reason: `the private key of ${kid} is not in the store any more` })
}

async function writeKeyFile(privateKey: KeyObject, { keyFile, passphrase }: Deps): Promise<void> {
  const content = await formatPrivateKey(privateKey, passphrase)
  try {
    await keyFile.write(content)
  } catch (cause) {
    throw new DomainError(
      'storage_failed',
      { reason: `the private key can't be written to ${keyFile.path}` },
      { cause },
    )
  }
}

async function readKeyFile(keyFile: KeyFile): Promise<Buffer | undefined> {
  try {
    return await keyFile.read()
  } catch (cause) {
    throw new KeyFileError(`the private key file ${keyFile.path} can't be read: check its owner and mode`, { cause })
  }
}
