/** The settings of how clusters are told and looked at: part of the table in config-settings.ts. */
import { duration, durations, integer } from './config-kinds.ts'
import { row } from './config-setting.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

export const clusterSettings = {
  deliveryBudget: row({
    name: 'delivery.budget',
    env: 'GATEHOUSE_REVOCATION_BUDGET',
    flag: 'revocation-budget',
    kind: duration,
    initial: 250,
    check: { rule: '0s to 1m', holds: (ms) => ms >= 0 && ms <= minuteMs },
    description: 'how long the answer to a revocation waits for the clusters that are up',
  }),
  deliveryTimeout: row({
    name: 'delivery.timeout',
    env: 'GATEHOUSE_DELIVERY_TIMEOUT',
    flag: 'delivery-timeout',
    kind: duration,
    initial: 10 * secondMs,
    check: { rule: '100ms to 5m', holds: (ms) => ms >= 100 && ms <= 5 * minuteMs },
    description: 'time limit of one push of revocations to a cluster',
  }),
  deliveryRetry: row({
    name: 'delivery.retry',
    env: 'GATEHOUSE_DELIVERY_RETRY',
    flag: 'delivery-retry',
    kind: durations,
    initial: [500, 1000, 2000, 5000, 10_000, 15_000, 30_000],
    check: { rule: 'pauses of 10ms to 1h', holds: (list) => list.every((ms) => ms >= 10 && ms <= hourMs) },
    description: 'pauses after the first, second, … failed push; the last one repeats for ever',
  }),
  deliveryParallel: row({
    name: 'delivery.parallel',
    env: 'GATEHOUSE_DELIVERY_PARALLEL',
    flag: 'delivery-parallel',
    kind: integer,
    initial: 256,
    check: { rule: '1 to 10000', holds: (count) => count >= 1 && count <= 10_000 },
    description: 'how many clusters are pushed to at once',
  }),
  probeEvery: row({
    name: 'probe.every',
    env: 'GATEHOUSE_PROBE_EVERY',
    flag: 'probe-every',
    kind: duration,
    initial: 10 * secondMs,
    check: { rule: '1s to 1h', holds: (ms) => ms >= secondMs && ms <= hourMs },
    description: 'how often each cluster is asked whether it still holds the list of revoked tokens',
  }),
  resyncEvery: row({
    name: 'probe.resync_every',
    env: 'GATEHOUSE_RESYNC_EVERY',
    flag: 'resync-every',
    kind: duration,
    initial: 10 * minuteMs,
    check: { rule: '1m to 7d', holds: (ms) => ms >= minuteMs && ms <= 7 * 24 * hourMs },
    description: 'how often each cluster is sent every live revocation again, whatever it holds',
  }),
}
