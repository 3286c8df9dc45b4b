/** `gatehouse role diff`: who would gain and lose what if roles were edited. */
import type { RoleDiffAnswer } from '../../http/routes/shapes/access.ts'
import { presentFaults, readAccessFiles } from '../access-files.ts'
import { RefusedError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'

export interface RoleDiffOptions extends ClientOptions {
  readonly file?: readonly string[]
  readonly limit?: string
}

export async function diffRoles(options: RoleDiffOptions, context: CliContext): Promise<number> {
  const files = await readAccessFiles(options.file ?? [], context)
  const roles = rolesOf(files.access)
  const { api } = await connect(options, context)
  const body = { roles, ...(options.limit !== undefined && { limit: readLimit(options.limit) }) }
  try {
    const diff = await api.call<RoleDiffAnswer>('POST', '/roles/diff', body)
    const output = await createOutput(options, context)
    output.tell({ json: diff, words: () => presentDiff(diff, output), quiet: [String(diff.holders - diff.unaffected)] })
    return diff.groupCount === 0 ? exitCodes.done : exitCodes.wouldChange
  } catch (error) {
    if (!(error instanceof RefusedError) || error.fields.length === 0) throw error
    for (const line of presentFaults(error.fields, files)) context.warn(`gatehouse: ${line}`)
    return exitCodes.wrongUse
  }
}

/** A document of access, of which its roles count, or a single role. */
function rolesOf(access: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(access.roles)) return access.roles
  if (typeof access.name === 'string') return [access]
  throw new UsageError('there is no role in it: give a role (name, grants), or a document with roles')
}

function readLimit(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError('--limit must be a whole number')
  return Number(text)
}

function presentDiff(diff: RoleDiffAnswer, output: Output): string {
  const { changed, created, holders, unaffected, groups, groupCount } = diff
  if (changed.length + created.length === 0) return 'No role is different from what there is.'
  const parts = [
    changed.length === 0 ? '' : `Different: ${changed.join(', ')}.`,
    created.length === 0 ? '' : `New, and held by nobody: ${created.join(', ')}.`,
    changed.length === 0
      ? ''
      : `${countUsers(holders)} hold${holders === 1 ? 's' : ''} what is different; nothing changes for ${unaffected}.`,
  ]
  const more = groupCount - groups.length
  return [
    parts.filter((part) => part !== '').join('\n'),
    ...groups.map((group) => presentGroup(group, output)),
    ...(more > 0 ? [`… and ${more} more groups: --limit shows more.`] : []),
  ].join('\n\n')
}

function presentGroup(
  { roles, users, sample, changes }: RoleDiffAnswer['groups'][number],
  { table, paint }: Output,
): string {
  const names = users > sample.length ? `${sample.join(', ')}, …` : sample.join(', ')
  const rows = changes.map(({ cluster, bucket, gained, lost }) => [
    `  ${cluster === '*' ? 'every other cluster' : cluster}${bucket === null ? '' : ` ${bucket}`}`,
    gained.length === 0 ? '-' : paint.good(gained.join(', ')),
    lost.length === 0 ? '-' : paint.bad(lost.join(', ')),
  ])
  return `${countUsers(users)} with ${roles.join(', ')} (${names})\n${table(['  WHERE', 'GAINED', 'LOST'], rows)}`
}

function countUsers(count: number): string {
  return count === 1 ? '1 user' : `${count} users`
}
