import type { KeyRing } from '../../../core/keys/key-ring.ts'
import type { KeyRotation } from '../../../core/keys/rotation.ts'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import { requirePermission } from '../../../core/sessions/permission.ts'
import { answer, answerJson, authenticate, type Call, CallError, done, type Handler } from './call.ts'
import { goJson } from './go-json.ts'
import type { Route } from './routing.ts'

export interface KeyRouteDeps {
  readonly authenticator: Authenticator
  readonly ring: KeyRing
  readonly rotation: Pick<KeyRotation, 'rotate'>
  /** Issuer and base of the documents, character for character. */
  readonly externalUrl: string
}

/** `/v1/public-key`. */
export function publicKeyRoute({ ring }: KeyRouteDeps): Route {
  return onlyGet('/v1/public-key', 'Show the public key', async (call) =>
    answerJson(call, { public_key: ring.publicKeyPem() }),
  )
}

/** `/v1/rotate-key`. */
export function rotateKeyRoute({ authenticator, rotation }: KeyRouteDeps): Route {
  async function post(call: Call): Promise<Response> {
    const principal = await authenticate(call, authenticator)
    requirePermission(principal, 'keys:rotate')
    await rotation.rotate(principal)
    return done(call)
  }
  const path = '/v1/rotate-key'
  const access = [{ path, need: 'keys:rotate', what: 'Rotate the signing key' }] as const
  return { allow: 'POST', handlers: { POST: { access, handle: post } } }
}

/** `/.well-known/openid-configuration`: where clusters find issuer and keys. */
export function discoveryRoute({ externalUrl }: KeyRouteDeps): Route {
  // Paths are appended to the external URL's own path.
  const base = externalUrl.replace(/\/+$/, '')
  const text = `${goJson({
    issuer: externalUrl,
    token_endpoint: `${base}/v1/tokens`,
    userinfo_endpoint: `${base}/v1/users`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['HS256', 'RS256'],
  })}\n`
  return onlyGet('/.well-known/openid-configuration', 'Where issuer and keys are', async (call) => answer(call, text))
}

/** `/.well-known/jwks.json`. */
export function jwksRoute({ ring }: KeyRouteDeps): Route {
  let kept: { readonly generation: number; readonly text: string } | undefined

  function present(): string {
    const generation = ring.generation()
    if (kept?.generation !== generation) kept = { generation, text: `${goJson({ keys: ring.publicKeys() })}\n` }
    return kept.text
  }

  async function get(call: Call): Promise<Response> {
    if (ring.proof().kind === 'shared_secret') {
      throw new CallError(400, 'no public keys: tokens are signed with a shared secret (HMAC)')
    }
    return answer(call, present(), { 'Cache-Control': 'max-age=86400, public' })
  }
  return onlyGet('/.well-known/jwks.json', 'The public keys', get)
}

/** What anybody may read. */
function onlyGet(path: string, what: string, handle: Handler): Route {
  return { allow: 'GET', handlers: { GET: { access: [{ path, need: 'none', what }], handle } } }
}
