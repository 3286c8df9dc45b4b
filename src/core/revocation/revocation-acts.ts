import type { RefusalReason } from '../errors.ts'
import type { RevocationAct } from './selector.ts'

/** Whether one cluster holds what an act has revoked, and if not, why. */
export interface Holding {
  readonly clusterId: string
  readonly alias: string | null
  /** It has acknowledged all of it, and isn't being told anew what it may have forgotten. */
  readonly isHeld: boolean
  /** When it had acknowledged all of it, at the latest; null where it hasn't, or longer ago than is remembered. */
  readonly since: Date | null
  /** It is being told everything anew. */
  readonly isResyncing: boolean
  /** Why its last attempt failed and what it said, and when it is asked again; null where it did not fail. */
  readonly failure: { readonly reason: RefusalReason; readonly said: string; readonly nextAttemptAt: Date } | null
}

/** What is known of one token. */
export interface TokenStatus {
  readonly jti: string | null
  readonly session: string | null
  readonly subject: string
  readonly kid: string | null
  readonly audience: readonly string[]
  readonly origin: 'issued' | 'foreign'
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** Null where it is not revoked. */
  readonly revocation: {
    readonly act: RevocationAct
    readonly at: Date
    readonly sequence: number
    /** Every registered cluster, sorted by id. */
    readonly holdings: readonly Holding[]
  } | null
}

/** What was revoked, by whom, and how far it has got. */
export interface RevocationActStore {
  /**
   * Up to `limit` acts, newest first, that are older than the one with the id `after` if given. `isByTextLeftOut` leaves
   * out those on a single token in hand (each log-out is one).
   */
  list(page: {
    readonly after?: number
    readonly limit: number
    readonly isByTextLeftOut?: boolean
  }): Promise<readonly RevocationAct[]>
  get(id: number): Promise<RevocationAct | undefined>
  /** Every registered cluster, sorted by id; undefined where there is no such act. */
  progress(id: number): Promise<readonly Holding[] | undefined>
  /** By its `jti`, or by the SHA-256 of its text; undefined where no such token is known. */
  token(which: { readonly jti: string } | { readonly fingerprint: Buffer }): Promise<TokenStatus | undefined>
  /**
   * Clears away up to `limit` acts whose last token ended before `before`, and what is remembered of acknowledgements
   * beyond what can be asked; answers how many rows, 0 = none is left.
   */
  purge(before: Date, limit: number): Promise<number>
}
