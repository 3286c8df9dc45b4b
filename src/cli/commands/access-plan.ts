/** A plan in words: what goes, what changes, what is new, and whom it hits. */
import type { PlanAnswer } from '../../http/routes/shapes/access.ts'
import type { Output } from '../output.ts'

type Item = PlanAnswer['items'][number]
type Value = Item['fields'][number]['before']

export function presentPlan(plan: PlanAnswer, output: Output): string {
  const { items, omitted, kept, warnings } = plan
  const reasons = { built_in: 'built in', yourself: 'yourself' } as const
  const parts = [
    items.map((item) => presentItem(item, output)).join('\n'),
    omitted === 0 ? '' : `… and ${omitted} more: --all or --json shows them.`,
    kept.length === 0
      ? ''
      : `Not named, and kept: ${kept.map(({ name, why }) => `${name} (${reasons[why]})`).join(', ')}.`,
    warnings.map((warning) => output.paint.warn(`Warning: ${warning}`)).join('\n'),
    presentSum(plan),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function presentSum(plan: PlanAnswer): string {
  if (plan.created + plan.changed + plan.removed === 0) return `Nothing to do: ${plan.unchanged} are as they should be.`
  const tokens = plan.items.reduce((sum, item) => sum + item.tokens, 0)
  // A token that two of them hit is counted twice; of what is not listed nothing is known here.
  const bound = plan.omitted > 0 ? 'at least' : 'up to'
  const dead = tokens === 0 ? '' : ` Revoked with it: ${bound} ${count(tokens, 'live token')}.`
  return `${presentCounts(plan)}.${dead}`
}

export function presentCounts(counts: Pick<PlanAnswer, 'created' | 'changed' | 'removed' | 'unchanged'>): string {
  const { created, changed, removed, unchanged } = counts
  return `${created} new, ${changed} changed, ${removed} removed, ${unchanged} unchanged`
}

function presentItem({ kind, name, act, fields, holders, tokens }: Item, { paint, fields: align }: Output): string {
  const head = {
    create: paint.good(`+ ${kind} ${name}`),
    change: paint.warn(`~ ${kind} ${name}`),
    remove: paint.bad(`- ${kind} ${name}`),
  }[act]
  const shown = fields
    .filter(({ before, after }) => act !== 'create' || !(isEmpty(before) && isEmpty(after)))
    .map(({ field, before, after }): [string, string] => [
      field,
      act === 'remove' ? presentValue(before) : presentChange(before, after),
    ])
  const lines = shown.length === 0 ? [] : align(shown).split('\n')
  const hit = [
    holders === null ? undefined : `held by ${holders === 0 ? 'nobody' : count(holders, 'user')}`,
    tokens === 0 ? undefined : `${count(tokens, 'live token')} would be revoked`,
  ].filter((part) => part !== undefined)
  return [head, ...lines.map((line) => `    ${line}`), ...(hit.length === 0 ? [] : [`    ! ${hit.join('; ')}`])].join(
    '\n',
  )
}

function isEmpty(value: Value): boolean {
  return value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0)
}

function presentChange(before: Value, after: Value): string {
  if (before === null || (isEmpty(before) && typeof before !== 'boolean')) return presentValue(after)
  return `${presentValue(before)} → ${presentValue(after)}`
}

function presentValue(value: Value): string {
  if (value === null) return 'gone'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text = typeof value === 'string' ? value : value.join(', ')
  return text === '' ? 'nothing' : text
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`
}
