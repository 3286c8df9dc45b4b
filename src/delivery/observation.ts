import type { RefusalReason } from '../core/errors.ts'

/** What is told of each attempt to tell a cluster something, for counting. */
export interface DeliveryObservation {
  readonly clusterId: string
  readonly outcome: 'accepted' | RefusalReason
  /** How long ago the oldest revocation that was new to the cluster was recorded; null where none was new. */
  readonly oldestMs: number | null
}

export type Observe = (observation: DeliveryObservation) => void
