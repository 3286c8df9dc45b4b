/** `gatehouse audit list`, `show`, `tail` and `export`. */
import { open } from 'node:fs/promises'
import type { AuditHeadBody, AuditRowBody } from '../../http/routes/shapes/audit.ts'
import type { Api } from '../api.ts'
import { CredentialsError, UnreachableError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { createProgress } from '../progress.ts'
import { showable } from '../showable.ts'
import { readMoment } from '../times.ts'
import { pause } from '../watch.ts'
import { presentDifference } from './difference.ts'

export interface FilterOptions extends ClientOptions {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  readonly refused?: true
  readonly request?: string
  readonly from?: string
  readonly until?: string
}

interface Page {
  readonly items: readonly AuditRowBody[]
  readonly next: string | null
}

const defaultLimit = 50
const pageSize = 1000

/** The conditions as the API takes them, with a `&` before each. @throws UsageError */
function readFilter({ actor, action, target, refused, request, from, until }: FilterOptions): string {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['actor', actor],
    ['action', action],
    ['target', target],
    ['outcome', refused && 'refused'],
    ['requestId', request],
    ['from', from === undefined ? undefined : readMoment(from, '--from')],
    ['until', until === undefined ? undefined : readMoment(until, '--until')],
  ]
  return pairs.map(([name, value]) => (value === undefined ? '' : `&${name}=${encodeURIComponent(value)}`)).join('')
}

export async function listAudit(options: FilterOptions & { readonly limit?: string }, context: CliContext) {
  const limit = options.limit === undefined ? defaultLimit : Number(options.limit)
  if (!Number.isSafeInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number from 1 on')
  const filter = readFilter(options)
  const { api } = await connect(options, context)
  const rows = await api.list<AuditRowBody>(`/audit?order=newest${filter}`, limit)
  const output = await createOutput(options, context)
  output.tell({ json: rows, words: () => presentList(rows, output), quiet: rows.map(({ id }) => String(id)) })
  return exitCodes.done
}

function presentList(rows: readonly AuditRowBody[], { table }: Output): string {
  if (rows.length === 0) return 'Nothing of that kind is in the audit trail.'
  return table(
    ['ID', 'WHEN', 'WHO', 'DID', 'TO', 'FROM', 'NOTE'],
    rows.map((row) => [
      String(row.id),
      row.at,
      row.actor,
      row.action,
      presentTarget(row),
      row.address ?? row.via,
      presentNote(row),
    ]),
  )
}

function presentTarget({ target }: AuditRowBody): string {
  return target === null ? '-' : `${target.kind} ${target.name}`
}

/** The little that fits into a line. */
function presentNote({ outcome, details, reason, repeats }: AuditRowBody): string {
  const why = outcome === 'refused' ? `refused: ${String(details?.why ?? '')}` : ''
  const parts = [why, repeats > 1 ? `${repeats} times` : '', reason ?? '']
  return parts.filter((part) => part !== '').join(', ') || '-'
}

export async function showAudit(id: string, options: ClientOptions, context: CliContext): Promise<number> {
  if (!/^\d{1,15}$/.test(id)) throw new UsageError('a row is named by its number: gatehouse audit list')
  const { api } = await connect(options, context)
  const row = await api.call<AuditRowBody>('GET', `/audit/${id}`)
  const output = await createOutput(options, context)
  output.tell({ json: row, words: () => presentOne(row, output) })
  return exitCodes.done
}

function presentOne(row: AuditRowBody, output: Output): string {
  const fields = output.fields([
    ['Row', String(row.id)],
    ['When', row.since === null ? row.at : `${row.since} to ${row.at}, ${row.repeats} times`],
    ['Who', row.actor],
    ['Did', `${row.action}${row.outcome === 'refused' ? ' (refused)' : ''}`],
    ['To', presentTarget(row)],
    ['From', `${row.address ?? '-'} (${row.via})`],
    ['Request', row.requestId ?? undefined],
    ['Reason', row.reason ?? undefined],
    ...Object.entries(row.details ?? {}).map(([name, value]) => [name, presentValue(value)] as const),
    ['Hash', row.hash],
  ])
  const difference = presentDifference(row.before, row.after, output.paint)
  return difference === '' ? fields : `${fields}\n\n${difference}`
}

function presentValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const shownBefore = 10

/** Shows the newest rows, then each as it is written, until the process is asked to end. */
export async function tailAudit(options: FilterOptions, context: CliContext): Promise<number> {
  const filter = readFilter(options)
  const { api } = await connect(options, context)
  const show = (rows: readonly AuditRowBody[]) => {
    for (const row of rows) context.print(options.json ? JSON.stringify(row) : showable(presentLine(row)))
  }
  let { id: seen } = await api.call<AuditHeadBody>('GET', '/audit/head')
  const newest = await api.list<AuditRowBody>(`/audit?order=newest${filter}`, shownBefore)
  // What was written between the two look-ups comes with what follows.
  show(newest.filter(({ id }) => id <= seen).reverse())
  let isAway = false
  while (!context.stop.aborted) {
    try {
      seen = await showNew(api, filter, seen, show)
      isAway = false
    } catch (error) {
      if (context.stop.aborted) break
      if (!(error instanceof UnreachableError)) throw error
      if (!isAway) context.warn(`gatehouse: ${error.message} It is tried again every second.`)
      isAway = true
    }
    await pause(context.stop)
  }
  return exitCodes.done
}

/** Answers the last row that was looked at. */
async function showNew(api: Api, filter: string, seen: number, show: (rows: readonly AuditRowBody[]) => void) {
  const head = await api.call<AuditHeadBody>('GET', '/audit/head')
  let last = seen
  for await (const { items } of pagesAfter(api, filter, seen)) {
    show(items)
    last = items.at(-1)?.id ?? last
  }
  return Math.max(head.id, last)
}

async function* pagesAfter(api: Api, filter: string, after: number): AsyncGenerator<Page> {
  let position = `after=${after}`
  for (;;) {
    const page = await api.call<Page>('GET', `/audit?order=written&limit=${pageSize}&${position}${filter}`)
    yield page
    if (page.next === null) return
    position = `cursor=${page.next}`
  }
}

function presentLine(row: AuditRowBody): string {
  const note = presentNote(row)
  const from = row.address ?? row.via
  return `${row.at}  ${row.id}  ${row.actor}  ${row.action}  ${presentTarget(row)}  ${from}${note === '-' ? '' : `  ${note}`}`
}

/** All rows, in the order in which they were written, each as a line of JSON. */
export async function exportAudit(options: FilterOptions & { readonly output?: string }, context: CliContext) {
  const filter = readFilter(options)
  const { api } = await connect(options, context)
  const { id: total } = await api.call<AuditHeadBody>('GET', '/audit/head')
  const file = options.output === undefined ? undefined : await openPrivate(options.output)
  const progress = createProgress(
    'rows read',
    total,
    file === undefined ? { ...options, quiet: true } : options,
    context,
  )
  let count = 0
  try {
    for await (const { items } of pagesAfter(api, filter, 0)) {
      const lines = items.map((row) => JSON.stringify(row))
      count += lines.length
      progress.advance(items.at(-1)?.id ?? 0)
      if (lines.length === 0) continue
      if (file === undefined) context.print(lines.join('\n'))
      else await file.write(`${lines.join('\n')}\n`)
    }
    await file?.sync()
  } finally {
    await file?.close()
  }
  if (file === undefined) return exitCodes.done
  const output = await createOutput(options, context)
  const words = () => `${count} rows are in ${options.output}.`
  output.tell({ json: { file: options.output, rows: count }, words })
  return exitCodes.done
}

/** Mode 0600 from the start; a file that is there already is not overwritten. */
async function openPrivate(path: string) {
  try {
    return await open(path, 'wx', 0o600)
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const why = isThere ? 'it exists already: name another, or remove it' : 'check its folder, owner and mode'
    throw new CredentialsError(`can't write to ${path}: ${why}`, { cause })
  }
}
