/** `gatehouse lock user|role|list` and `unlock`. */
import type { LockShape, NewLock } from '../../http/routes/shapes/locks.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo, formatUntil, readDuration, readInstant } from '../times.ts'
import { presentHoldings } from './holdings.ts'

export interface LockOptions extends ClientOptions {
  readonly until?: string
  readonly for?: string
  readonly reason?: string
}

export async function lockTarget(
  kind: 'user' | 'role',
  name: string,
  options: LockOptions,
  context: CliContext,
): Promise<number> {
  const end = readEnd(options)
  const { api } = await connect(options, context)
  const made = await api.call<NewLock>('POST', '/locks', { [kind]: name, ...end, reason: options.reason })
  const output = await createOutput(options, context)
  output.tell({ json: made, words: () => presentMade(made, output), quiet: [String(made.lock.id)] })
  return made.revocation.isEverywhere ? exitCodes.done : exitCodes.notEverywhere
}

function readEnd({ until, for: duration }: LockOptions) {
  if ((until === undefined) === (duration === undefined)) {
    throw new UsageError('say when the lock ends: --for 2h, or --until 2026-05-01T12:00:00Z')
  }
  return until === undefined
    ? { forSeconds: readDuration(duration ?? '', '--for') }
    : { until: readInstant(until, '--until') }
}

function presentMade({ lock, revocation }: NewLock, output: Output): string {
  const { tokens, clusters, isEverywhere, id } = revocation
  const how = lock.target.kind === 'user' ? 'as' : 'through the role'
  const end = `${formatUntil(lock.until, new Date(lock.createdAt)).replace(/^in /, '')} (until ${lock.until})`
  const said = `Lock ${lock.id}: nobody gets a token ${how} ${lock.target.name} for ${end}.`
  const dead = `${tokens === 1 ? '1 token was' : `${tokens} tokens were`} revoked (revocation ${id})`
  if (isEverywhere) return `${said}\n${dead}.`
  return `${said}\n${dead}. Not every cluster has it yet:\n\n${presentHoldings(clusters, output)}`
}

export async function listLocks(
  options: ClientOptions & { readonly all?: true },
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  const { items } = await api.call<{ items: LockShape[] }>('GET', `/locks${options.all ? '?ended=include' : ''}`)
  const output = await createOutput(options, context)
  output.tell({ json: items, words: () => presentList(items, output), quiet: items.map(({ id }) => String(id)) })
  return exitCodes.done
}

function presentList(locks: readonly LockShape[], { table }: Output): string {
  if (locks.length === 0) return 'Nothing is locked.'
  const now = new Date()
  const rows = locks.map((lock) => [
    String(lock.id),
    `${lock.target.kind} ${lock.target.name}`,
    presentEnd(lock, now),
    lock.actor,
    formatAgo(lock.createdAt, now),
    lock.reason || '-',
  ])
  return table(['ID', 'LOCKED', 'ENDS', 'BY', 'SINCE', 'REASON'], rows)
}

function presentEnd({ isActive, until, liftedAt, liftedBy }: LockShape, now: Date): string {
  if (isActive) return formatUntil(until, now)
  return liftedAt === null ? `ended ${formatAgo(until, now)}` : `lifted ${formatAgo(liftedAt, now)} by ${liftedBy}`
}

/** By the lock's number, or all that hold on a user or role of this name. */
export async function unlock(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const ids = /^\d{1,15}$/.test(name)
    ? [name]
    : await findLocks(name, async () => (await api.call<{ items: LockShape[] }>('GET', '/locks')).items)
  const lifted: LockShape[] = []
  for (const id of ids) lifted.push(await api.call<LockShape>('DELETE', `/locks/${id}`))
  const output = await createOutput(options, context)
  output.tell({
    json: lifted,
    words: () => lifted.map(({ id, target }) => `Lock ${id} of ${target.kind} ${target.name} has ended.`).join('\n'),
  })
  return exitCodes.done
}

async function findLocks(name: string, list: () => Promise<readonly LockShape[]>): Promise<string[]> {
  const found = (await list()).filter(({ target }) => target.name === name)
  const kinds = new Set(found.map(({ target }) => target.kind))
  if (found.length === 0) throw new UsageError(`nothing by the name ${name} is locked: gatehouse lock list`)
  if (kinds.size > 1) throw new UsageError(`a user and a role ${name} are locked: name the lock by its number`)
  return found.map(({ id }) => String(id))
}
