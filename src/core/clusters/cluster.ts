/**
 * Clusters: the outside systems that accept our tokens and must hear what is revoked.
 *
 * This folder owns their type, registration and its rules, and the interface of a driver (how a kind of cluster is told
 * things). It knows no kind's protocol: that is in adapters/.
 */
import type { JsonObject } from '../json.ts'

/** Every kind has a driver in adapters/index.ts, or the program doesn't compile. */
export type ClusterKind = (typeof clusterKinds)[number]
export const clusterKinds = ['aistore'] as const

export interface Cluster {
  /** The cluster's own id. */
  readonly id: string
  readonly kind: ClusterKind
  /** A short name for people; unique among aliases and ids. */
  readonly alias: string | null
  /** Where it can be reached, tried in this order; without a trailing slash. */
  readonly urls: readonly string[]
  /** What a dialect must give back as it was sent. */
  readonly annotations: JsonObject
  readonly registeredAt: Date
}

/** How people know it: `id` or `id[alias]`. */
export function presentClusterName(cluster: Pick<Cluster, 'id' | 'alias'>): string {
  return cluster.alias === null ? cluster.id : `${cluster.id}[${cluster.alias}]`
}
