import type { SqliteParts } from './parts.ts'

/** A cluster's history is thinned to half of it when it has grown longer: older rows then tell the time less exactly. */
const longestHistory = 1_000

/** When each cluster had acknowledged what; runs inside the caller's transaction. */
export interface Acknowledgements {
  keep(clusterId: string, sequence: number, at: Date): void
  /** Drops up to `limit` rows that no question needs; answers how many. */
  thin(limit: number): number
}

export function prepareAcknowledgements({ client }: Pick<SqliteParts, 'client'>): Acknowledgements {
  const insert = client.prepare<[string, number, number]>(
    'INSERT OR IGNORE INTO cluster_acknowledgements (cluster_id, sequence, at) VALUES (?, ?, ?)',
  )
  const count = client.prepare<[string]>(
    'UPDATE cluster_cursors SET acknowledgement_count = acknowledgement_count + 1 WHERE cluster_id = ?',
  )
  // The newest row stays: it says since when the cluster has everything.
  const dropOld = client.prepare<[number]>(
    `DELETE FROM cluster_acknowledgements WHERE (cluster_id, sequence) IN (
       SELECT a.cluster_id, a.sequence FROM cluster_cursors cc
       CROSS JOIN cluster_acknowledgements a ON a.cluster_id = cc.cluster_id
         AND a.sequence < min(cc.acknowledged, coalesce((SELECT min(sequence) FROM changes), cc.acknowledged))
       LIMIT ?)`,
  )
  const longest = client
    .prepare<[number], string>('SELECT cluster_id FROM cluster_cursors WHERE acknowledgement_count > ? LIMIT 1')
    .pluck()
  const halve = client.prepare<[string]>(
    `DELETE FROM cluster_acknowledgements WHERE (cluster_id, sequence) IN (
       SELECT cluster_id, sequence FROM (
         SELECT cluster_id, sequence, row_number() OVER (ORDER BY sequence DESC) AS age
         FROM cluster_acknowledgements WHERE cluster_id = ?)
       WHERE age > ${longestHistory / 4} AND age % 2 = 0)`,
  )
  const recount = client.prepare<[string, string]>(
    `UPDATE cluster_cursors SET acknowledgement_count = (
       SELECT count(*) FROM cluster_acknowledgements WHERE cluster_id = ?) WHERE cluster_id = ?`,
  )

  return {
    keep(clusterId, sequence, at) {
      if (insert.run(clusterId, sequence, at.getTime()).changes > 0) count.run(clusterId)
    },
    thin(limit) {
      const dropped = dropOld.run(limit).changes
      const clusterId = dropped < limit ? longest.get(longestHistory) : undefined
      if (clusterId === undefined) return dropped
      recount.run(clusterId, clusterId)
      if (longest.get(longestHistory) !== clusterId) return dropped + 1
      const halved = halve.run(clusterId).changes
      recount.run(clusterId, clusterId)
      return dropped + halved
    },
  }
}
