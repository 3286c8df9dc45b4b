/** `gatehouse token list`. */
import type { TokenSummary } from '../../http/routes/shapes/tokens.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { readLimit, withQuery } from '../limit.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo, formatUntil, readInstant } from '../times.ts'

export interface TokenListOptions extends ClientOptions {
  readonly user?: string
  readonly role?: string
  readonly cluster?: string
  readonly key?: string
  readonly state?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: string
}

const defaultLimit = 50

export async function listTokens(options: TokenListOptions, context: CliContext): Promise<number> {
  const { user, role, cluster, key, state, since, until } = options
  if (state !== undefined && !['live', 'revoked', 'expired'].includes(state)) {
    throw new UsageError('--state must be live, revoked or expired')
  }
  const query = {
    ...{ user, role, cluster, key, state },
    issuedFrom: since === undefined ? undefined : readInstant(since, '--since'),
    issuedUntil: until === undefined ? undefined : readInstant(until, '--until'),
  }
  const limit = readLimit(options.limit, defaultLimit)
  const { api } = await connect(options, context)
  const tokens = await api.list<TokenSummary>(withQuery('/tokens', query), limit)
  const output = await createOutput(options, context)
  output.tell({ json: tokens, words: () => presentList(tokens, output), quiet: tokens.flatMap(({ jti }) => jti ?? []) })
  return exitCodes.done
}

function presentList(tokens: readonly TokenSummary[], { table, paint }: Output): string {
  if (tokens.length === 0) return 'There is no such token.'
  const now = new Date()
  const paintOf = { live: paint.good, revoked: paint.bad, expired: paint.dim }
  const rows = tokens.map(({ jti, subject, state, issuedAt, expiresAt, revocation }) => [
    jti ?? '-',
    subject,
    paintOf[state](state),
    formatAgo(issuedAt, now),
    formatUntil(expiresAt, now),
    revocation === null ? '-' : `${formatAgo(revocation.at, now)} (revocation ${revocation.id})`,
  ])
  return table(['TOKEN', 'USER', 'STATE', 'ISSUED', 'ENDS', 'REVOKED'], rows)
}
