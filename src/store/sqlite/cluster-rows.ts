import type { Cluster } from '../../core/clusters/cluster.ts'
import { clusters } from './schema.ts'

/** What the other parts see of a cluster's row. */
export const clusterColumns = {
  id: clusters.id,
  kind: clusters.kind,
  alias: clusters.alias,
  urls: clusters.urls,
  annotations: clusters.annotations,
  registeredAt: clusters.registeredAt,
} satisfies { readonly [member in keyof Cluster]: unknown }
