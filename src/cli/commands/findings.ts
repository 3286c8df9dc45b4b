/** What was odd in data that was taken over or given back, in words. */
import type { Finding } from '../../core/transfer/findings.ts'
import type { Output } from '../output.ts'

const outcomes: Readonly<Record<Finding['outcome'], string>> = {
  repaired: 'mended',
  set_aside: 'left out',
  ours_kept: 'ours kept',
  note: 'note',
}
const namesShown = 10

export function presentFindings(findings: readonly Finding[], { paint }: Output): string {
  const lines = findings.map(({ outcome, says, count, where }) => {
    const shown = where.slice(0, namesShown).join(', ')
    const more = count > namesShown ? ` and ${count - namesShown} more (--json names up to 1000)` : ''
    return `${paint.warn(`${outcomes[outcome]}, ${count}:`)} ${says}\n    ${shown}${more}`
  })
  return lines.join('\n')
}
