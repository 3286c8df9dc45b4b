import type { KeyRing } from '../../core/keys/key-ring.ts'
import type { KeyStore } from '../../core/keys/key-store.ts'
import { presentInstant } from './present-cluster.ts'
import { type Route, route } from './route.ts'
import { Keys } from './shapes/keys.ts'

export interface KeyRouteDeps {
  readonly keys: Pick<KeyStore, 'list'>
  readonly ring: Pick<KeyRing, 'signer'>
}

const tag = 'Keys'

/** Signing keys. */
export function keyRoutes({ keys, ring }: KeyRouteDeps): readonly Route[] {
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
        const items = (await keys.list()).map(({ kid, publicJwk, state, createdAt }) => ({
          kid,
          algorithm: publicJwk.alg,
          state,
          createdAt: presentInstant(createdAt),
        }))
        return { body: { signsWith: ring.signer().algorithm, items } }
      },
    ),
  ]
}
