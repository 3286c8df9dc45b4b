import type { Change } from '../revocation/change.ts'

/**
 * A token without rights that is revoked on purpose, on its cluster alone: a proxy that takes it has forgotten its list of
 * revoked tokens. It goes out first in a resync, so a proxy that refuses it has lost nothing that was sent since.
 */
export interface Canary {
  readonly token: string
  readonly expiresAt: Date
}

/** Long enough to outlast an outage of a weekend's night; a resync renews it long before. */
export const canaryLifetimeMs = 24 * 3_600_000

/** The canary as what a batch carries. It has no place in the log, since it concerns one cluster only. */
export function changeOfCanary({ token, expiresAt }: Canary): Change {
  return { sequence: 0, kind: 'token_revoked', token, recordedAt: null, expiresAt }
}
