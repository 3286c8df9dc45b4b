import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { RoleStore } from '../core/roles/role-store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { Worker } from '../supervisor.ts'

export function createPurge(deps: { tokens: TokenStore; roles: RoleStore; clock: Clock; log: Logger }): Worker {
  return {
    name: 'purge',
    async run(signal) {
      while (!signal.aborted) {
        await deps.tokens.purgeExpired(deps.clock.now(), 500)
        await deps.clock.wait(60_000, signal)
      }
    },
  }
}
