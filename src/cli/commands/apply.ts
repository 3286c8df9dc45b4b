/** `gatehouse apply`: makes true what a file says of clusters, roles and users, all or nothing. */
import type { AppliedAnswer, HashedPasswords, PlanAnswer } from '../../http/routes/shapes/access.ts'
import { type AccessFiles, presentFaults, readAccessFiles } from '../access-files.ts'
import type { Api } from '../api.ts'
import { RefusedError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput } from '../output.ts'
import { createProgress } from '../progress.ts'
import { presentCounts, presentPlan } from './access-plan.ts'

export interface ApplyOptions extends ClientOptions {
  readonly file?: readonly string[]
  readonly dryRun?: true
  readonly prune?: true
  readonly yes?: true
  readonly all?: true
}

/** How much of a plan is shown to people unless they ask for all of it; all that the server gives at once. */
const usualItems = 200
const mostItems = 20_000
/** Passwords that are sent at once: a second's worth of hashing. */
const passwordsAtOnce = 100

export async function applyAccess(options: ApplyOptions, context: CliContext): Promise<number> {
  const files = await readAccessFiles(options.file ?? [], context)
  try {
    return await applyFiles(files, options, context)
  } catch (error) {
    if (!(error instanceof RefusedError) || error.fields.length === 0) throw error
    for (const line of presentFaults(error.fields, files)) context.warn(`gatehouse: ${line}`)
    context.warn('gatehouse: nothing was changed')
    return exitCodes.wrongUse
  }
}

async function applyFiles(files: AccessFiles, options: ApplyOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const output = await createOutput(options, context)
  const asked = { access: files.access, prune: options.prune === true }
  const limit = options.json || options.all ? mostItems : usualItems
  const plan = await api.call<PlanAnswer>('POST', '/access/plan', { ...asked, limit })
  // Also of a dry run: what is missing then would be missing later.
  const passwords = await readPasswords(plan, files)
  const isNothing = plan.created + plan.changed + plan.removed === 0
  if (options.dryRun || isNothing) {
    output.tell({ json: plan, words: () => presentPlan(plan, output), quiet: isNothing ? [] : [presentCounts(plan)] })
    return isNothing ? exitCodes.done : exitCodes.wouldChange
  }
  if (!options.json && !options.quiet) context.print(`${presentPlan(plan, output)}\n`)
  if (!options.yes && !(await confirm(context))) {
    context.warn('gatehouse: nothing was done')
    return exitCodes.unexpected
  }
  const hashed = await hashPasswords(passwords, api, options, context)
  const body = { ...asked, plan: plan.digest, passwords: hashed }
  const applied = await api.call<AppliedAnswer>('POST', '/access/apply', body)
  output.tell({ json: { plan, applied }, words: () => presentApplied(applied) })
  return exitCodes.done
}

async function readPasswords(
  { passwordsNeeded }: PlanAnswer,
  files: AccessFiles,
): Promise<ReadonlyMap<string, string>> {
  const passwords = new Map<string, string>()
  for (const user of passwordsNeeded) passwords.set(user, await files.password(user))
  return passwords
}

async function confirm({ terminal }: CliContext): Promise<boolean> {
  if (!terminal.isInput) throw new UsageError('there is no terminal to ask whether this is to be done: say --yes')
  return /^y(es)?$/i.test((await terminal.ask('Do this? (yes or no) ')).trim())
}

async function hashPasswords(
  passwords: ReadonlyMap<string, string>,
  api: Api,
  options: ApplyOptions,
  context: CliContext,
): Promise<Readonly<Record<string, string>>> {
  const hashed: Record<string, string> = {}
  const left = [...passwords]
  const progress = createProgress('passwords hashed', passwords.size, options, context)
  while (left.length > 0) {
    const body = { passwords: Object.fromEntries(left.splice(0, passwordsAtOnce)) }
    Object.assign(hashed, (await api.call<HashedPasswords>('POST', '/access/passwords', body)).passwords)
    progress.advance(passwords.size - left.length)
  }
  return hashed
}

function presentApplied(applied: AppliedAnswer): string {
  const { revokedTokens } = applied
  const dead = revokedTokens === 1 ? '1 token was revoked' : `${revokedTokens} tokens were revoked`
  return `Done: ${presentCounts(applied)}.${revokedTokens === 0 ? '' : ` ${dead}.`}`
}
