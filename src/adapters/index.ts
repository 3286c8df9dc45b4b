import type { Authorizer } from '../core/access/authorizer.ts'
import type { GrantRules } from '../core/access/grant-rules.ts'
import type { Clock } from '../core/clock.ts'
import type { ClusterKind } from '../core/clusters/cluster.ts'
import type { Driver } from '../core/clusters/driver.ts'
import type { KeyRing } from '../core/keys/key-ring.ts'
import type { GrantWords } from '../core/roles/grant-words.ts'
import type { TokenIssuer } from '../core/tokens/token-issuer.ts'
import { aistoreAuthorizer } from './aistore/authorizer.ts'
import { createAistoreDriver } from './aistore/driver.ts'
import { aistoreGrantRules } from './aistore/grant-rules.ts'
import { aistoreGrantWords } from './aistore/grant-words.ts'
import type { Outbound } from './outbound.ts'

/** The driver of every kind of cluster; a kind without one does not compile. */
export function createDrivers(deps: {
  readonly outbound: Outbound
  readonly ring: Pick<KeyRing, 'proof'>
  readonly issuer: Pick<TokenIssuer, 'mintServiceToken' | 'mintCanary'>
  readonly clock: Clock
  readonly timeoutMs: number
}): Readonly<Record<ClusterKind, Driver>> {
  return { aistore: createAistoreDriver(deps) }
}

/** How every kind of cluster decides what a token may do. */
export const authorizers: Readonly<Record<ClusterKind, Authorizer>> = { aistore: aistoreAuthorizer }

/** What every kind of cluster makes of grants. */
export const grantRules: Readonly<Record<ClusterKind, GrantRules>> = { aistore: aistoreGrantRules }
/** How the grants of every kind of cluster are written; a kind without words does not compile. */
export const grantWords: Readonly<Record<ClusterKind, GrantWords>> = { aistore: aistoreGrantWords }
