/** Which clusters have a revocation, in words: shared by the commands that show one. */
import type { HoldingBody, RevocationBody } from '../../http/routes/shapes/revocations.ts'
import type { Output } from '../output.ts'
import { formatAgo, formatUntil } from '../times.ts'

const notOneByOne =
  'single proxies can not be asked from here; who answers at its registered URLs refuses what is revoked.'

export function presentHoldings(clusters: readonly HoldingBody[], { table, paint }: Output): string {
  if (clusters.length === 0) return 'No cluster is registered.'
  const now = new Date()
  const isAllHeld = clusters.every(({ isHeld }) => isHeld)
  const rows = clusters.map(({ cluster, alias, isHeld, since, why, nextAttemptAt }) => [
    alias ?? cluster,
    isHeld ? paint.good('yes') : paint.bad('no'),
    isHeld ? formatAgo(since, now) : '-',
    ...(isAllHeld ? [] : [isHeld ? '-' : formatUntil(nextAttemptAt, now), why ?? '-']),
  ])
  const head = ['CLUSTER', 'DEAD', 'SINCE', ...(isAllHeld ? [] : ['NEXT TRY', 'WHY NOT'])]
  const advice = clusters.flatMap(({ cluster, alias, isHeld, trouble }) =>
    isHeld || !trouble?.advice ? [] : [`${alias ?? cluster}: ${trouble.advice}`],
  )
  const notes = clusters.flatMap(({ cluster, alias, isHeld, isEveryProxyAsked, state }) =>
    isHeld && !isEveryProxyAsked && state === 'in_step' ? [`${alias ?? cluster}: ${notOneByOne}`] : [],
  )
  return [table(head, rows), ...advice, ...notes].join('\n\n')
}

/** For instance `user ann`, `a token in hand`, `user.deleted: ann`. */
export function presentChoice({ by, value, cause }: Pick<RevocationBody, 'by' | 'value' | 'cause'>): string {
  if (by === 'text') return 'a token in hand'
  if (by === 'consequence') return `${cause}: ${value}`
  return by === 'issued_before' ? `issued before ${value}` : `${by} ${value}`
}
