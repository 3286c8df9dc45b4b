import { createHash, randomBytes } from 'node:crypto'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import type { PublicJwk } from '../../../src/core/keys/key-store.ts'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import type { NewRevocation } from '../../../src/core/revocation/revocation-store.ts'
import type { NewRole } from '../../../src/core/roles/role.ts'
import type { TokenRow } from '../../../src/core/tokens/token-store.ts'
import type { NewUser } from '../../../src/core/users/user-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { actorNamed, op } from '../../actors.ts'

/** One promise of a port: `body` gets a new, empty store, and a sealer that opens what the store seals. */
export type StoreTest = (title: string, body: (store: Store, sealer: Sealer) => Promise<void>) => void

export const start = new Date('2026-03-01T12:00:00.250Z')

export function after(ms: number): Date {
  return new Date(start.getTime() + ms)
}

/** Who changes something, and when. */
export const by = { by: op, at: start }

export function aUser(name: string, more: Partial<NewUser> = {}): NewUser {
  const passwordHash = `$test$${randomBytes(8).toString('hex')}`
  return { name, passwordHash, roleNames: [], isBuiltIn: false, tokensNotBefore: start, ...more }
}

export function aRole(name: string, more: Partial<NewRole> = {}): NewRole {
  const grants = [{ clusterId: 'c1', resource: null, permissions: '771', annotations: {} }]
  return { name, description: `what ${name} may do`, grants, annotations: {}, ...more }
}

export function aCluster(id: string, more: Partial<Cluster> = {}): Cluster {
  const urls = [`http://${id}.test:8080`]
  return { id, kind: 'aistore', alias: null, urls, annotations: {}, registeredAt: start, ...more }
}

export function aJwk(kid: string): PublicJwk {
  return { alg: 'RS256', e: 'AQAB', kid, kty: 'RSA', n: randomBytes(32).toString('base64url'), use: 'sig' }
}

export function aToken(text: string, sealer: Sealer, more: Partial<TokenRow> = {}): TokenRow {
  return {
    fingerprint: createHash('sha256').update(text).digest(),
    jti: `jti of ${text}`,
    session: null,
    subject: 'ann',
    userKey: null,
    kid: 'kid-1',
    audience: ['c1'],
    reach: ['c1'],
    roleKeys: [],
    issuedAt: start,
    expiresAt: after(60_000),
    sealedText: sealer.seal(text),
    origin: 'issued',
    ...more,
  }
}

export function aRevocation(token: TokenRow, more: Partial<NewRevocation> = {}): NewRevocation {
  return { token, by: actorNamed('ann'), reason: 'logout', at: start, ...more }
}

/** Revokes tokens with these texts, in order; answers their sequences. */
export async function revokeAll(store: Store, sealer: Sealer, texts: readonly string[]): Promise<readonly number[]> {
  const recorded = await Promise.all(texts.map((text) => store.revocations.record(aRevocation(aToken(text, sealer)))))
  return recorded.map(({ sequence }) => sequence)
}

/** A failure with this code and these details. */
export function failure(code: string, details: object) {
  return { name: 'DomainError', code, details }
}
