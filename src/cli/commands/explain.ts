/** `gatehouse explain`: may somebody do something on a cluster, why, and if not, what is missing? */
import type { EntryBody, ExplanationBody, TokenExplanationBody } from '../../http/routes/shapes/explain.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { readTokenFile } from '../credentials.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo, formatUntil } from '../times.ts'

export interface ExplainOptions extends ClientOptions {
  /** A file with a token's text; `-` = standard input. */
  readonly tokenFile?: string
  readonly jti?: string
}

/** `given`: user, permission, cluster and bucket; no user where a token is named. */
export async function explain(given: readonly string[], options: ExplainOptions, context: CliContext): Promise<number> {
  const isToken = options.tokenFile !== undefined || options.jti !== undefined
  const [user, ...rest] = isToken ? [undefined, ...given] : given
  const [permission, cluster, bucket, ...more] = rest
  if (permission === undefined || cluster === undefined || more.length > 0) {
    const named = isToken ? '' : '<user> '
    throw new UsageError(`say what is asked: gatehouse explain ${named}<permission> <cluster> [bucket]`)
  }
  const asked = { permission, cluster, ...(bucket !== undefined && { bucket }) }
  const found = isToken
    ? await ofToken(asked, options, context)
    : await ofUser({ user: user ?? '', ...asked }, options, context)
  const output = await createOutput(options, context)
  output.tell({
    json: found,
    words: () => presentExplanation(found, output),
    quiet: [found.isAllowed ? 'allowed' : 'denied'],
  })
  return found.isAllowed ? exitCodes.done : exitCodes.notAllowed
}

async function ofUser(asked: Readonly<Record<string, string>>, options: ExplainOptions, context: CliContext) {
  const { api } = await connect(options, context)
  return api.call<ExplanationBody>('GET', `/explain?${new URLSearchParams(asked)}`)
}

async function ofToken(asked: object, options: ExplainOptions, context: CliContext) {
  const token = await readToken(options, context)
  const { api } = await connect(options, context)
  return api.call<TokenExplanationBody>('POST', '/explain', { ...token, ...asked })
}

async function readToken({ tokenFile, jti }: ExplainOptions, { terminal }: CliContext) {
  if (tokenFile === undefined) return { jti: jti ?? '' }
  if (jti !== undefined) throw new UsageError('name one token: --token-file or --jti')
  if (tokenFile === '-') return { token: (await terminal.readInput()).trim() }
  const token = await readTokenFile(tokenFile)
  if (token === undefined) throw new UsageError(`there is no token in ${tokenFile}`)
  return { token }
}

function presentExplanation(found: ExplanationBody | TokenExplanationBody, output: Output): string {
  const { isAllowed, why, remarks } = found
  const { paint } = output
  const verdict = isAllowed ? paint.good('Allowed.') : paint.bad('Not allowed.')
  const parts = [
    `${verdict} ${why}`,
    presentEntries(found, output),
    remarks.map((remark) => `Note: ${remark}`).join('\n'),
    'token' in found ? presentToken(found, output) : '',
    presentNeeded(found),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function presentEntries({ entry, shadowed }: Pick<ExplanationBody, 'entry' | 'shadowed'>, { table }: Output): string {
  if (entry === null) return ''
  const row = (each: EntryBody, effect: string) => [
    presentScope(each),
    each.permissions.join(', ') || 'nothing',
    each.roles.join(', ') || '-',
    effect,
  ]
  const rows = [row(entry, 'decides'), ...shadowed.map((each) => row(each, 'does not count'))]
  return table(['ENTRY FOR', 'PERMISSIONS', 'FROM ROLES', 'EFFECT'], rows)
}

function presentScope({ scope, bucket }: EntryBody): string {
  if (scope === 'resource') return bucket ?? ''
  return scope === 'cluster' ? 'the cluster' : 'every cluster'
}

function presentToken({ token, user, now, difference }: TokenExplanationBody, { fields }: Output): string {
  const at = new Date()
  const told = fields([
    ['Token', token.jti ?? 'without an id'],
    ['User', user || 'none named'],
    ['State', token.state],
    ['Issued', token.issuedAt === null ? undefined : formatAgo(token.issuedAt, at)],
    ['Ends', token.expiresAt === null ? undefined : formatUntil(token.expiresAt, at)],
    ['Good for', token.audience.join(', ') || undefined],
    ['Now', now === null ? 'the user is gone' : `${now.isGiven ? 'given' : 'not given'}: ${now.why}`],
  ])
  const older = {
    none: '',
    token_allows_more: '\n\nThe token allows what the roles no longer give: revoke it, or wait until it ends.',
    token_allows_less: '\n\nThe roles give what the token does not say yet: log in again.',
  }[difference]
  return token.state === 'live' ? `${told}${older}` : told
}

function presentNeeded({ needed, user, permission, cluster, bucket, entry }: ExplanationBody): string {
  if (needed === null) return ''
  const edited =
    entry === null || entry.roles.length === 0
      ? ''
      : `\nOr give ${permission} in the entry that decides: ${presentScope(entry)} (${entry.roles.join(', ')}).`
  const where = bucket ?? `the cluster ${cluster.alias ?? cluster.id}`
  if (needed.count === 0)
    return `No role there is would give it: a role with ${permission} for ${where} is needed.${edited}`
  const more = needed.count > needed.roles.length ? ` and ${needed.count - needed.roles.length} more` : ''
  return `To give it, add one of these roles to ${user}, the narrowest first: ${needed.roles.join(', ')}${more}.${edited}`
}
