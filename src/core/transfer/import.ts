/**
 * Transfer: taking over whole what another server of the same trade holds, and giving back what we hold.
 *
 * This folder owns what is carried, in our words, the two acts of the store, and what is said about oddities. How another
 * server keeps its data is its adapter's affair.
 */
import type { Cluster } from '../clusters/cluster.ts'
import type { PublicJwk } from '../keys/key-store.ts'
import type { NewRole } from '../roles/role.ts'
import type { Deed } from '../sessions/actor.ts'
import type { TokenRow } from '../tokens/token-store.ts'
import type { Findings } from './findings.ts'

export interface ImportedUser {
  readonly name: string
  /** Undefined where there is none that could be verified: it takes a new password to log in. */
  readonly passwordHash: string | undefined
  readonly roleNames: readonly string[]
}

/** A token that the other server had revoked. */
export interface ImportedRevocation
  extends Pick<
    TokenRow,
    'fingerprint' | 'jti' | 'session' | 'subject' | 'kid' | 'audience' | 'issuedAt' | 'expiresAt'
  > {
  readonly text: string
}

export type ImportedEntry =
  | { readonly kind: 'user'; readonly user: ImportedUser }
  | { readonly kind: 'revocation'; readonly revocation: ImportedRevocation }

export interface Imported {
  readonly roles: readonly NewRole[]
  readonly clusters: readonly Omit<Cluster, 'registeredAt'>[]
  /** Oldest first. */
  readonly keys: readonly PublicJwk[]
  /** There may be very many: read once, to the end, inside the transaction. */
  entries(): Iterable<ImportedEntry>
}

export interface ImportTerms {
  /** Where it comes from, for people. */
  readonly from: string
  /** Why tokens are revoked, for people. */
  readonly reason: string
  /** Who becomes the protected administrator of a store without users; the first who administers where this one doesn't. */
  readonly administratorName: string
  /** The key whose private half lies, or will lie, where the service looks for it. */
  readonly signingKid: string | undefined
  /** Until when the keys may have tokens that we know nothing of. */
  readonly keysTrustedUntil: Date
  /** Kept only in a store without users: those that run already are not changed under their feet. */
  readonly settings: readonly { readonly name: string; readonly value: string; readonly isSecret: boolean }[]
  /** Everything is tried and nothing is kept. */
  readonly isTrial: boolean
  readonly findings: Findings
}

export interface Tally {
  readonly added: number
  /** There already, and equal. */
  readonly unchanged: number
  /** There already, and different: ours stays. */
  readonly kept: number
}

export interface ImportTally {
  /** The store had no users: it is a copy of the other server now. */
  readonly isFirst: boolean
  readonly users: Tally
  readonly roles: Tally
  readonly clusters: Tally
  readonly keys: Tally
  /** `expired`: tokens that matter to nobody any more. */
  readonly revocations: Tally & { readonly expired: number }
}

export interface ImportStore {
  /**
   * Takes all of it over in one transaction. What is there already stays as it is; revoked tokens become changes, so that
   * every cluster hears of them. Users come without a limit on how old their tokens may be.
   * @throws DomainError storage_failed, and whatever reading throws; nothing was changed then
   */
  run(imported: Imported, terms: ImportTerms, deed: Deed): Promise<ImportTally>
}
