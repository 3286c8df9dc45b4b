/** `gatehouse user reset-password` and `user unlock`: what helps where nobody can log in any more. */
import { generatePassword } from '../../core/users/generated-password.ts'
import type { UnlockedLogin } from '../../http/routes/shapes/login-locks.ts'
import { RefusedError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import type { LocalOptions } from '../local-store.ts'
import { createOutput } from '../output.ts'
import { type PasswordOptions, readNewPassword } from '../password.ts'

export interface FirstAidOptions extends ClientOptions, LocalOptions {
  readonly local?: true
}

export interface ResetPasswordOptions extends FirstAidOptions, PasswordOptions {
  readonly generate?: true
}

/** Gives a user a new password; all the user's tokens are revoked. */
export async function resetPassword(name: string, options: ResetPasswordOptions, context: CliContext): Promise<number> {
  const generated = options.generate ? generatePassword() : undefined
  const password = generated ?? (await readNewPassword(name, options, context))
  const tokens = options.local
    ? await resetLocally(name, password, options)
    : await resetAtServer(name, password, options, context)
  const output = await createOutput(options, context)
  const revoked =
    tokens === undefined ? '' : ` ${tokens === 1 ? 'One token is' : `${tokens} tokens are`} revoked with it.`
  output.tell({
    json: {
      user: name,
      ...(generated !== undefined && { password: generated }),
      ...(tokens !== undefined && { tokens }),
    },
    words: () =>
      `${name} has a new password${generated === undefined ? '' : `: ${generated}\nIt is shown this once`}.${revoked}`,
    ...(generated !== undefined && { quiet: [generated] }),
  })
  return exitCodes.done
}

async function resetAtServer(name: string, password: string, options: ResetPasswordOptions, context: CliContext) {
  const { api } = await connect(options, context)
  await api.call('PATCH', `/users/${encodeURIComponent(name)}`, { password })
  return undefined
}

/** Revoked tokens are told to the clusters by the service, at once where it runs and after its next start otherwise. */
async function resetLocally(name: string, password: string, options: LocalOptions): Promise<number> {
  const { withLocalStore } = await import('../local-store.ts')
  const { createPasswordHasher } = await import('../../core/users/password-hasher.ts')
  const { commandActor: by } = await import('../../core/sessions/actor.ts')
  const passwordHash = await createPasswordHasher({ concurrency: 1 }).hash(password)
  return withLocalStore(options, async ({ users, loginLocks }) => {
    const at = new Date()
    const { tokens } = await inWords(name, () => users.update(name, { passwordHash }, { by, at }))
    await loginLocks.lift({ name }, { by, at })
    return tokens
  })
}

/** Lets a user log in again whom too many failed logins have locked out. */
export async function unlockLogin(name: string, options: FirstAidOptions, context: CliContext): Promise<number> {
  const ended = options.local ? await unlockLocally(name, options) : await unlockAtServer(name, options, context)
  const output = await createOutput(options, context)
  output.tell({
    json: { user: name, ended },
    words: () =>
      ended > 0
        ? `${name} may log in again.`
        : `No failed logins had locked ${name} out. (A lock that an operator has set is ended by: gatehouse unlock ${name})`,
  })
  return exitCodes.done
}

async function unlockAtServer(name: string, options: FirstAidOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  return (await api.call<UnlockedLogin>('POST', '/login-locks/unlock', { user: name })).ended
}

async function unlockLocally(name: string, options: LocalOptions): Promise<number> {
  const { withLocalStore } = await import('../local-store.ts')
  const { commandActor: by } = await import('../../core/sessions/actor.ts')
  return withLocalStore(options, ({ loginLocks }) => loginLocks.lift({ name }, { by, at: new Date() }))
}

/** What a rule refuses, for people: there is no server to say it. */
async function inWords<T>(name: string, act: () => Promise<T>): Promise<T> {
  const { isDomainError } = await import('../../core/errors.ts')
  try {
    return await act()
  } catch (error) {
    if (!isDomainError(error, 'user_not_found')) throw error
    throw new RefusedError(404, 'user_not_found', `there is no user ${name} in this data folder`)
  }
}
