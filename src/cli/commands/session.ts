/** `gatehouse login`, `logout` and `whoami`. */
import type { NewSession, Whoami } from '../../http/routes/shapes/sessions.ts'
import { NotAuthorizedError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { forgetToken, keepToken } from '../credentials.ts'
import { exitCodes } from '../failures.ts'
import { createOutput } from '../output.ts'
import { type PasswordOptions, readPassword } from '../password.ts'
import { formatUntil, readDuration } from '../times.ts'

export interface LoginOptions extends ClientOptions, PasswordOptions {
  readonly lifetime?: string
  readonly printToken?: true
}

/** Trades a name and a password for a token, and keeps it in the file of credentials, or prints it where that is asked for. */
export async function login(name: string | undefined, options: LoginOptions, context: CliContext): Promise<number> {
  const { api, url, settings } = await connect(options, context)
  const user = name ?? (await askName(context))
  const lifetimeSeconds = options.lifetime === undefined ? undefined : readDuration(options.lifetime, '--lifetime')
  const password = await readPassword(`Password of ${user} at ${url}: `, options, context)
  const session = await api.call<NewSession>('POST', '/sessions', { name: user, password, lifetimeSeconds })
  if (options.printToken) {
    context.print(options.json ? JSON.stringify(session, null, 2) : session.token)
    return exitCodes.done
  }
  await keepToken(settings.credentialsFile, url, session.token)
  if (settings.token !== undefined) {
    context.warn('gatehouse: AIS_AUTHN_TOKEN is set and goes on to beat the token of this login: unset it')
  }
  const { subject, expiresAt } = session
  const output = await createOutput(options, context)
  output.tell({
    json: { url, subject, expiresAt },
    words: () => `Logged in at ${url} as ${subject}; the token ends ${formatUntil(expiresAt, new Date())}.`,
  })
  return exitCodes.done
}

async function askName({ terminal }: CliContext): Promise<string> {
  if (!terminal.isInput) throw new UsageError('say who logs in: gatehouse login <name>')
  return terminal.ask('Name: ')
}

/** Revokes the token that would be used and forgets it. One that is worthless already is only forgotten. */
export async function logout(options: ClientOptions, context: CliContext): Promise<number> {
  const { api, url, settings, token } = await connect(options, context)
  if (token === undefined) throw new NotAuthorizedError(401, `you are not logged in at ${url}: nothing to log out of`)
  const isRevoked = await revokeOwn(() => api.call('DELETE', '/sessions/current'))
  if (token.isFromLogin) await forgetToken(settings.credentialsFile, url)
  const output = await createOutput(options, context)
  const said = isRevoked ? 'the token is revoked' : 'the token was worthless already'
  output.tell({
    json: { url, isRevoked },
    words: () => `Logged out at ${url}: ${said}${token.isFromLogin ? '' : ` (it is from ${token.origin})`}.`,
  })
  return exitCodes.done
}

async function revokeOwn(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof NotAuthorizedError && error.status === 401) return false
    throw error
  }
}

/** Shows who one is, as the server sees it. */
export async function whoami(options: ClientOptions, context: CliContext): Promise<number> {
  const { api, url, token } = await connect(options, context)
  const found = await api.call<Whoami>('GET', '/whoami')
  const output = await createOutput(options, context)
  output.tell({
    json: { url, ...found },
    words: () =>
      output.fields([
        ['Name', found.subject],
        ['Server', url],
        ['Roles', found.roles.join(', ') || 'none'],
        ['Acts as', presentAuthorities(found)],
        ['May', presentPermissions(found)],
        ['Token', `${found.token.jti ?? 'without an id'}, from ${token?.origin}`],
        ['Ends', `${formatUntil(found.token.expiresAt, new Date())} (${found.token.expiresAt})`],
      ]),
    quiet: [found.subject],
  })
  return exitCodes.done
}

/** For instance `operator, cluster administrator of c1`. */
function presentAuthorities({ authorities }: Whoami): string {
  const shown = authorities.map(
    ({ role, cluster }) => role.replace('_', ' ') + (cluster === null ? '' : ` of ${cluster}`),
  )
  return [...new Set(shown)].join(', ') || 'no built-in role'
}

function presentPermissions({ isAdministrator, permissions }: Whoami): string {
  if (isAdministrator) return 'everything (administrator)'
  return permissions.join(', ') || 'nothing at Gatehouse itself'
}
