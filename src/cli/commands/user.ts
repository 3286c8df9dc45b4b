/** `gatehouse user …`: users, their roles and passwords. */

import { readFile } from 'node:fs/promises'
import { generatePassword } from '../../core/users/generated-password.ts'
import type { Whoami } from '../../http/routes/shapes/sessions.ts'
import type { UserBody } from '../../http/routes/shapes/users.ts'
import { CredentialsError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { readLimit, withQuery } from '../limit.ts'
import { createOutput, type Output } from '../output.ts'
import { type PasswordOptions, readNewPassword } from '../password.ts'
import { formatAgo } from '../times.ts'

interface ListOptions extends ClientOptions {
  readonly role?: string
  readonly disabled?: true
  readonly prefix?: string
  readonly limit?: string
}

const defaultLimit = 1000
const pathOf = (name: string) => `/users/${encodeURIComponent(name)}`

export async function listUsers(options: ListOptions, context: CliContext): Promise<number> {
  const { role, disabled, prefix } = options
  const limit = readLimit(options.limit, defaultLimit)
  const { api } = await connect(options, context)
  const path = withQuery('/users', { role, prefix, ...(disabled && { disabled: 'true' }) })
  const users = await api.list<UserBody>(path, limit)
  const output = await createOutput(options, context)
  output.tell({ json: users, words: () => presentList(users, output), quiet: users.map(({ name }) => name) })
  return exitCodes.done
}

function presentList(users: readonly UserBody[], { table, paint }: Output): string {
  if (users.length === 0) return 'There is no such user.'
  const now = new Date()
  const rows = users.map(({ name, roles, isDisabled, changedAt }) => [
    name,
    isDisabled ? paint.bad('disabled') : 'enabled',
    roles.join(', ') || '-',
    formatAgo(changedAt, now),
  ])
  return table(['USER', 'STATE', 'ROLES', 'CHANGED'], rows)
}

export async function showUser(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const user = await api.call<UserBody>('GET', pathOf(name))
  const output = await createOutput(options, context)
  output.tell({ json: user, words: () => presentUser(user, output), quiet: user.roles })
  return exitCodes.done
}

function presentUser(user: UserBody, { fields, paint }: Output): string {
  const { name, roles, isDisabled, isBuiltIn, createdAt, changedAt } = user
  return fields([
    ['User', `${name}${isBuiltIn ? ' (built in: stays, and keeps its roles)' : ''}`],
    ['State', isDisabled ? paint.bad('disabled: can not log in') : paint.good('enabled')],
    ['Roles', roles.join(', ') || 'none'],
    ['Made', createdAt],
    ['Changed', changedAt],
  ])
}

interface NewPasswordOptions extends ClientOptions, PasswordOptions {
  readonly generate?: true
}

/** Made up, or from wherever it is to come. */
async function chooseNew(name: string, options: NewPasswordOptions, context: CliContext) {
  const generated = options.generate ? generatePassword() : undefined
  return { generated, password: generated ?? (await readNewPassword(name, options, context)) }
}

export async function createUser(
  name: string,
  options: NewPasswordOptions & { readonly role?: readonly string[] },
  context: CliContext,
): Promise<number> {
  const { generated, password } = await chooseNew(name, options, context)
  const { api } = await connect(options, context)
  const user = await api.call<UserBody>('POST', '/users', { name, password, roles: options.role ?? [] })
  const output = await createOutput(options, context)
  const shown = generated === undefined ? '' : `\nThe password is ${generated}\nIt is shown this once.`
  output.tell({
    json: { ...user, ...(generated !== undefined && { password: generated }) },
    words: () => `The user ${name} is made. Roles: ${user.roles.join(', ') || 'none'}.${shown}`,
    quiet: generated === undefined ? [] : [generated],
  })
  return exitCodes.done
}

export interface OwnPasswordOptions extends NewPasswordOptions {
  readonly currentPasswordFile?: string
}

export async function changeOwnPassword(options: OwnPasswordOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const { subject } = await api.call<Whoami>('GET', '/whoami')
  const currentPassword = await readCurrent(subject, options, context)
  const { generated, password: newPassword } = await chooseNew(subject, options, context)
  await api.call('PUT', '/whoami/password', { currentPassword, newPassword })
  const output = await createOutput(options, context)
  output.tell({
    json: { user: subject, ...(generated !== undefined && { password: generated }) },
    words: () =>
      `${subject} has a new password${generated === undefined ? '' : `: ${generated}\nIt is shown this once`}. Other tokens of ${subject} are revoked.`,
    quiet: generated === undefined ? [] : [generated],
  })
  return exitCodes.done
}

async function readCurrent(name: string, { currentPasswordFile: file }: OwnPasswordOptions, { terminal }: CliContext) {
  if (file === undefined) {
    if (terminal.isInput) return terminal.askSecret(`Present password of ${name}: `)
    throw new UsageError('there is no terminal to ask for the present password: use --current-password-file')
  }
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new CredentialsError(`can't read the password from ${file}: check the path, its owner and mode`, { cause })
  }
}

export async function grantRoles(
  name: string,
  roles: readonly string[],
  options: ClientOptions,
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  const user = await changeEach(roles, (role) =>
    api.call<UserBody>('PUT', `${pathOf(name)}/roles/${encodeURIComponent(role)}`),
  )
  const hint = ' Tokens learn of it at the next login.'
  return tellRoles(user, hint, options, context)
}

export async function takeRoles(
  name: string,
  roles: readonly string[],
  options: ClientOptions & { readonly keepTokens?: true },
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  const query = options.keepTokens ? '?tokens=keep' : ''
  const user = await changeEach(roles, (role) =>
    api.call<UserBody>('DELETE', `${pathOf(name)}/roles/${encodeURIComponent(role)}${query}`),
  )
  return tellRoles(user, '', options, context)
}

/** One after the other: the first that is refused ends it, and says so. */
async function changeEach(roles: readonly string[], change: (role: string) => Promise<UserBody>): Promise<UserBody> {
  let user: UserBody | undefined
  for (const role of roles) user = await change(role)
  if (user === undefined) throw new UsageError('name a role')
  return user
}

async function tellRoles(user: UserBody, hint: string, options: ClientOptions, context: CliContext): Promise<number> {
  const output = await createOutput(options, context)
  const { name, roles } = user
  output.tell({ json: user, words: () => `${name} has: ${roles.join(', ') || 'no role'}.${hint}`, quiet: roles })
  return exitCodes.done
}

export async function setDisabled(
  name: string,
  isDisabled: boolean,
  options: ClientOptions,
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  const user = await api.call<UserBody>('PATCH', pathOf(name), { isDisabled })
  const output = await createOutput(options, context)
  const words = isDisabled ? 'is disabled, and every token is revoked' : 'may log in again'
  output.tell({ json: user, words: () => `${name} ${words}.` })
  return exitCodes.done
}

export async function removeUser(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  await api.call('DELETE', pathOf(name))
  const output = await createOutput(options, context)
  output.tell({ json: { name, isRemoved: true }, words: () => `${name} is removed, and every token is revoked.` })
  return exitCodes.done
}
