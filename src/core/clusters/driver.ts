import type { RefusalReason } from '../errors.ts'
import type { Change, ChangeKind } from '../revocation/change.ts'
import type { NewRole } from '../roles/role.ts'
import type { Canary } from './canary.ts'
import type { Cluster, ClusterKind } from './cluster.ts'
import type { ProbeReport } from './probe.ts'

/** What came of telling a cluster something. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly url: string }
  | {
      readonly kind: 'refused'
      readonly reason: RefusalReason
      /** The URL that was asked last. */
      readonly url: string
      /** HTTP status, where there was an answer. */
      readonly status?: number
      /** The cluster's words or the network's, at most 300 characters, free of tokens. */
      readonly said: string
      /** What an operator can do about it, a sentence. */
      readonly advice: string
      /** From a Retry-After header. */
      readonly retryAfterMs?: number
    }

/**
 * How one kind of cluster is told things. Everything is idempotent, ends within `signal` and its own time limit, never
 * throws for what the cluster or the network does (that is an Outcome), and puts no secret into an Outcome.
 */
export interface Driver {
  readonly kind: ClusterKind
  /** Whether this kind of cluster is to be told of this kind of change. */
  takes(kind: ChangeKind): boolean
  /** Asks the cluster whether it trusts our key; the body shows the secret's hash or the public key. */
  handshake(cluster: Cluster, signal: AbortSignal): Promise<Outcome>
  /** Tells the cluster of a batch, in order. An empty batch is a valid call. */
  push(cluster: Cluster, changes: readonly Change[], signal: AbortSignal): Promise<Outcome>
  /** A new token of no rights for this cluster alone; null for a kind that can't show whether it knows a revoked token. */
  mintCanary(cluster: Cluster): Promise<Canary | null>
  /**
   * Looks at the cluster: whether it trusts our key and asks callers for tokens, and whether each of its proxies still
   * refuses the canary; null where there is none to show. What it finds, good or bad, is the report.
   */
  probe(cluster: Cluster, canary: string | null, signal: AbortSignal): Promise<ProbeReport>
  /** Roles that come with a new cluster of this kind. */
  predefinedRoles(cluster: Cluster): readonly NewRole[]
}
