import { readFile } from 'node:fs/promises'
import { CredentialsError, UsageError } from './client-errors.ts'
import type { CliContext } from './context.ts'

export interface PasswordOptions {
  readonly password?: string
  readonly passwordStdin?: true
  readonly passwordFile?: string
}

/**
 * A password from a prompt, standard input or a file; from the command line with a warning, since others can read it there.
 * One line end is cut off. @throws UsageError, CredentialsError
 */
export async function readPassword(question: string, options: PasswordOptions, context: CliContext): Promise<string> {
  const given = [options.password, options.passwordStdin, options.passwordFile].filter((way) => way !== undefined)
  if (given.length > 1) throw new UsageError('give the password one way: --password-stdin or --password-file')
  const password = await read(question, options, context)
  if (password === '') throw new UsageError('the password is empty')
  return password
}

/** As `readPassword`, for a password that is to be: typed, it is asked for twice. @throws as `readPassword` */
export async function readNewPassword(name: string, options: PasswordOptions, context: CliContext): Promise<string> {
  const password = await readPassword(`New password of ${name}: `, options, context)
  const isTyped = options.password === undefined && !options.passwordStdin && options.passwordFile === undefined
  if (isTyped && (await context.terminal.askSecret('The same again: ')) !== password) {
    throw new UsageError('the two passwords differ: nothing was changed')
  }
  return password
}

async function read(question: string, options: PasswordOptions, { terminal, warn }: CliContext): Promise<string> {
  const { password, passwordStdin, passwordFile } = options
  if (password !== undefined) {
    warn('gatehouse: a password on the command line can be seen by others: use --password-stdin or --password-file')
    return password
  }
  if (passwordStdin) return withoutLineEnd(await terminal.readInput())
  if (passwordFile !== undefined) return withoutLineEnd(await readFileOf(passwordFile))
  if (!terminal.isInput) throw new UsageError('there is no terminal to ask for the password: use --password-stdin')
  return terminal.askSecret(question)
}

async function readFileOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new CredentialsError(`can't read the password from ${path}: check the path, its owner and mode`, { cause })
  }
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}
