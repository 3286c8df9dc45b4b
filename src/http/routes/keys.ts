import { z } from 'zod'
import type { KeyRing } from '../../core/keys/key-ring.ts'
import type { KeyStore } from '../../core/keys/key-store.ts'
import type { KeyRotation } from '../../core/keys/rotation.ts'
import { presentInstant } from './present-cluster.ts'
import { noContent, type Route, route } from './route.ts'
import { Keys, Rotation } from './shapes/keys.ts'

export interface KeyRouteDeps {
  readonly keys: Pick<KeyStore, 'list'>
  readonly ring: Pick<KeyRing, 'signer'>
  readonly rotation: KeyRotation
}

const tag = 'Keys'

/** Signing keys. */
export function keyRoutes({ keys, ring, rotation }: KeyRouteDeps): readonly Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/keys',
        permission: 'keys:read',
        tag,
        summary: 'List signing keys',
        answer: { status: 200, description: 'Oldest first.', body: Keys },
      },
      async () => {
        const items = (await keys.list()).map(({ kid, publicJwk, state, createdAt, activatedAt }) => ({
          kid,
          algorithm: publicJwk.alg,
          state,
          createdAt: presentInstant(createdAt),
          activatedAt: presentInstant(activatedAt),
        }))
        return { body: { signsWith: ring.signer().algorithm, items } }
      },
    ),
    route(
      {
        method: 'post',
        path: '/keys/rotate',
        permission: 'keys:rotate',
        tag,
        summary: 'Rotate the signing key',
        description:
          'Makes a new key and asks every cluster whether it trusts it. Old tokens stay good until they end.',
        answer: { status: 200, description: 'The new key, and the clusters that refuse it.', body: Rotation },
        refusals: [409, 503],
      },
      async ({ caller }) => {
        const { kid, activatesAt, refusedBy, notAsked } = await rotation.rotate(caller.principal)
        return {
          body: {
            kid,
            signsAt: presentInstant(activatesAt),
            refusedBy: refusedBy.map(({ clusterId, alias, reason, said, advice }) => ({
              cluster: clusterId,
              alias,
              trouble: { reason, said, advice },
            })),
            notAsked: notAsked.map(({ clusterId, alias, said }) => ({ cluster: clusterId, alias, said })),
          },
        }
      },
    ),
    route(
      {
        method: 'post',
        path: '/keys/{kid}/retire',
        permission: 'keys:rotate',
        tag,
        summary: 'End all trust in a key at once',
        description:
          'Tokens that it signed open nothing here any more. Clusters that look keys up follow when they look again; revoke by key to have every cluster refuse them now.',
        params: z.object({ kid: z.string().min(1).max(256) }),
        answer: { status: 204, description: 'The key is trusted no more.' },
        refusals: [404, 409, 503],
      },
      async ({ params, caller }) => {
        await rotation.retire(params.kid, caller.principal)
        return noContent
      },
    ),
  ]
}
