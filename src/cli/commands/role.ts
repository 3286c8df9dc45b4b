/** `gatehouse role …`: what users may do on clusters. */
import type { EntryBody, PermissionsBody, RoleBody } from '../../http/routes/shapes/roles.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { readLimit, withQuery } from '../limit.ts'
import { createOutput, type Output } from '../output.ts'

const defaultLimit = 1000
const pathOf = (name: string) => `/roles/${encodeURIComponent(name)}`

export async function listRoles(
  options: ClientOptions & { readonly cluster?: string; readonly limit?: string },
  context: CliContext,
): Promise<number> {
  const limit = readLimit(options.limit, defaultLimit)
  const { api } = await connect(options, context)
  const roles = await api.list<RoleBody>(withQuery('/roles', { cluster: options.cluster }), limit)
  const output = await createOutput(options, context)
  output.tell({ json: roles, words: () => presentList(roles, output), quiet: roles.map(({ name }) => name) })
  return exitCodes.done
}

function presentList(roles: readonly RoleBody[], { table }: Output): string {
  if (roles.length === 0) return 'There is no such role.'
  const rows = roles.map((role) => [role.name, presentSummary(role), role.description || '-'])
  return table(['ROLE', 'ALLOWS', 'DESCRIPTION'], rows)
}

function presentSummary({ isAdministrator, authority, entries }: RoleBody): string {
  if (isAdministrator) return 'everything'
  if (authority !== null) return `${authority.role.replaceAll('_', ' ')} of Gatehouse`
  const [first] = entries
  if (first === undefined) return 'nothing'
  const rest = entries.length - 1
  return `${presentPlace(first)}: ${presentPermissions(first)}${rest === 0 ? '' : ` and ${rest} more`}`
}

export async function showRole(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  return tellRole(await api.call<RoleBody>('GET', pathOf(name)), options, context)
}

async function tellRole(role: RoleBody, options: ClientOptions, context: CliContext): Promise<number> {
  const output = await createOutput(options, context)
  output.tell({ json: role, words: () => presentRole(role, output), quiet: [role.name] })
  return exitCodes.done
}

function presentRole(role: RoleBody, { fields, table }: Output): string {
  const { name, description, isBuiltIn, entries } = role
  const head = fields([
    ['Role', `${name}${isBuiltIn ? ' (built in: can not be changed)' : ''}`],
    ['Description', description || undefined],
    ['Allows', entries.length === 0 ? presentSummary(role) : undefined],
  ])
  if (entries.length === 0) return head
  const rows = entries.map((entry) => [presentPlace(entry), presentPermissions(entry), entry.number])
  return `${head}\n\n${table(['WHERE', 'PERMISSIONS', 'NUMBER'], rows)}`
}

/** In the form that --on takes. */
function presentPlace({ cluster, bucket }: EntryBody): string {
  if (bucket === null) return cluster ?? '*'
  const { provider, namespace, name } = bucket
  return `${cluster ?? '*'}/${provider}://${namespace === '' ? '' : `#${namespace}/`}${name}`
}

function presentPermissions({ permissions }: EntryBody): string {
  return permissions.join(',') || 'nothing'
}

export interface ContentOptions extends ClientOptions {
  readonly description?: string
  readonly on?: readonly string[]
}

export async function createRole(name: string, options: ContentOptions, context: CliContext): Promise<number> {
  const entries = (options.on ?? []).map(parseEntry)
  const { api } = await connect(options, context)
  const body = { name, description: options.description ?? '', entries }
  return tellRole(await api.call<RoleBody>('POST', '/roles', body), options, context)
}

/** `lake/ais://photos=GET,PUT`: where it counts, and what is allowed there. @throws UsageError */
function parseEntry(text: string) {
  const [, place = '', words] = /^(.*?)=([^=]*)$/s.exec(text) ?? []
  const [, cluster = '', bucket] = /^([^/]+)(?:\/(.+))?$/s.exec(place) ?? []
  if (words === undefined || cluster === '') {
    throw new UsageError(`--on must be like lake=LIST-BUCKETS or lake/ais://photos=ro, not ${JSON.stringify(text)}`)
  }
  const where = { cluster: cluster === '*' ? null : cluster, ...(bucket !== undefined && { bucket }) }
  if (/^\d+$/.test(words)) return { ...where, number: words }
  return { ...where, permissions: words.split(',').filter((word) => word !== '') }
}

export interface SetOptions extends ContentOptions {
  readonly nothing?: true
  readonly keepTokens?: true
}

/** What is not said stays as it is; where somebody else changes the role meanwhile, nothing is changed. */
export async function setRole(name: string, options: SetOptions, context: CliContext): Promise<number> {
  const { description, on, nothing } = options
  if (on !== undefined && nothing) throw new UsageError('say either --on or --nothing')
  if (on === undefined && !nothing && description === undefined) {
    throw new UsageError('say what the role is to be: --on, --nothing or --description')
  }
  const entries = nothing ? [] : on?.map(parseEntry)
  const { api } = await connect(options, context)
  const { body: known, etag } = await api.tagged<RoleBody>('GET', pathOf(name))
  const body = { description: description ?? known.description, entries: entries ?? known.entries }
  const path = `${pathOf(name)}${options.keepTokens ? '?tokens=keep' : ''}`
  const given = { body, ...(etag !== undefined && { ifMatch: etag }) }
  return tellRole((await api.tagged<RoleBody>('PUT', path, given)).body, options, context)
}

export async function removeRole(
  name: string,
  options: ClientOptions & { readonly keepTokens?: true },
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  await api.call('DELETE', `${pathOf(name)}${options.keepTokens ? '?tokens=keep' : ''}`)
  const output = await createOutput(options, context)
  const tokens = options.keepTokens
    ? 'Tokens that carry it live on until they end.'
    : 'Tokens that carry it are revoked.'
  output.tell({ json: { name, isRemoved: true }, words: () => `The role ${name} is removed. ${tokens}` })
  return exitCodes.done
}

export async function listPermissions(options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const found = await api.call<PermissionsBody>('GET', '/permissions')
  const output = await createOutput(options, context)
  const names = found.clusters.flatMap(({ permissions }) => permissions.map(({ name }) => name))
  output.tell({ json: found, words: () => presentWords(found, output), quiet: names })
  return exitCodes.done
}

function presentWords({ clusters }: PermissionsBody, { table }: Output): string {
  const tables = clusters.map(({ kind, permissions, sets }) => {
    const rows = [
      ...permissions.map(({ name, number, meaning, isClusterWide }) => [
        name,
        number,
        isClusterWide ? 'clusters' : 'clusters, buckets',
        meaning,
      ]),
      ...sets.map(({ name, number, meaning }) => [name, number, 'clusters, buckets', meaning]),
    ]
    return `On clusters of the kind ${kind}:\n\n${table(['PERMISSION', 'NUMBER', 'COUNTS ON', 'MEANING'], rows)}`
  })
  return tables.join('\n\n')
}
