/** `gatehouse revocation list` and `show`. */
import type { RevocationBody, RevocationProgressBody } from '../../http/routes/shapes/revocations.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { readLimit } from '../limit.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo } from '../times.ts'
import { watch } from '../watch.ts'
import type { WatchOptions } from './cluster.ts'
import { presentChoice, presentHoldings } from './holdings.ts'

export interface ListOptions extends ClientOptions {
  readonly all?: true
  readonly limit?: string
}

const defaultLimit = 50

export async function listRevocations(options: ListOptions, context: CliContext): Promise<number> {
  const limit = readLimit(options.limit, defaultLimit)
  const { api } = await connect(options, context)
  const singles = options.all ? 'include' : 'leave_out'
  const found = await api.list<RevocationBody>(`/revocations?singles=${singles}`, limit)
  const output = await createOutput(options, context)
  output.tell({ json: found, words: () => presentList(found, output), quiet: found.map(({ id }) => String(id)) })
  return exitCodes.done
}

function presentList(revocations: readonly RevocationBody[], { table }: Output): string {
  if (revocations.length === 0) return 'Nothing was revoked. (Single tokens, such as log-outs, are listed with --all.)'
  const now = new Date()
  const rows = revocations.map((each) => [
    String(each.id),
    formatAgo(each.at, now),
    presentChoice(each),
    String(each.tokens),
    each.actor,
    each.reason || '-',
  ])
  return table(['ID', 'WHEN', 'WHAT', 'TOKENS', 'BY', 'REASON'], rows)
}

/** With --watch it ends when every cluster has it. */
export async function showRevocation(id: string, options: WatchOptions, context: CliContext): Promise<number> {
  if (!/^\d{1,15}$/.test(id)) throw new UsageError('a revocation is named by its number: gatehouse revocation list')
  const { api } = await connect(options, context)
  const output = await createOutput(options, context)
  const read = () => api.call<RevocationProgressBody>('GET', `/revocations/${id}`)
  const words = (found: RevocationProgressBody) => presentOne(found, output)
  if (options.watch) {
    const essence = ({ clusters }: RevocationProgressBody) => clusters.map(({ cluster, why }) => [cluster, why])
    const isOver = ({ isEverywhere }: RevocationProgressBody) => isEverywhere
    const last = await watch({ read, words, essence, isOver }, output, context)
    return last?.isEverywhere ? exitCodes.done : exitCodes.notEverywhere
  }
  const found = await read()
  const quiet = found.clusters.filter(({ isHeld }) => !isHeld).map(({ cluster }) => cluster)
  output.tell({ json: found, words: () => words(found), quiet })
  return found.isEverywhere ? exitCodes.done : exitCodes.notEverywhere
}

function presentOne(found: RevocationProgressBody, output: Output): string {
  const held = found.clusters.filter(({ isHeld }) => isHeld).length
  const fields = output.fields([
    ['Revocation', String(found.id)],
    ['What', `${presentChoice(found)}, ${found.tokens === 1 ? '1 token' : `${found.tokens} tokens`}`],
    ['When', `${formatAgo(found.at, new Date())} (${found.at})`],
    ['By', found.actor],
    ['Reason', found.reason || undefined],
    ['Matters until', found.expiresAt],
    ['Held by', `${held} of ${found.clusters.length} clusters`],
  ])
  return `${fields}\n\n${presentHoldings(found.clusters, output)}`
}
