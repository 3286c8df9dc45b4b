import { UsageError } from './client-errors.ts'
import type { CliContext } from './context.ts'
import { readTokenFile } from './credentials.ts'

export interface TokenOptions {
  /** A file that holds the token's text. */
  readonly file?: string
}

export type TokenArgument =
  | { readonly kind: 'jti'; readonly jti: string }
  | { readonly kind: 'text'; readonly text: string }

/**
 * A token by its id, or its text from standard input (`-`) or a file; from the command line with a warning, since others
 * can read it there. @throws UsageError, CredentialsError
 */
export async function readTokenArgument(
  given: string | undefined,
  { file }: TokenOptions,
  { terminal, warn }: CliContext,
): Promise<TokenArgument> {
  if ((given === undefined) === (file === undefined)) {
    throw new UsageError('name one token: its id (jti), - for its text on standard input, or --file <path>')
  }
  if (file !== undefined) {
    const text = await readTokenFile(file)
    if (text === undefined) throw new UsageError(`there is no token in ${file}`)
    return { kind: 'text', text }
  }
  if (given === '-') return { kind: 'text', text: (await terminal.readInput()).trim() }
  if (given?.split('.').length !== 3) return { kind: 'jti', jti: given ?? '' }
  warn('gatehouse: a token on the command line can be seen by others: give its id, or its text by - or --file')
  return { kind: 'text', text: given }
}
