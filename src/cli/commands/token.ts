/** `gatehouse token show`: is it dead everywhere? If not, where not, and why? */
import type { TokenBody } from '../../http/routes/shapes/tokens.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo, formatUntil } from '../times.ts'
import { readTokenArgument, type TokenOptions } from '../token-argument.ts'
import { presentHoldings } from './holdings.ts'

export async function showToken(
  given: string | undefined,
  options: ClientOptions & TokenOptions,
  context: CliContext,
): Promise<number> {
  const token = await readTokenArgument(given, options, context)
  const { api } = await connect(options, context)
  const found =
    token.kind === 'jti'
      ? await api.call<TokenBody>('GET', `/tokens/${encodeURIComponent(token.jti)}`)
      : await api.call<TokenBody>('POST', '/tokens/introspect', { token: token.text })
  const output = await createOutput(options, context)
  output.tell({ json: found, words: () => presentToken(found, output), quiet: [found.state] })
  return found.isDeadEverywhere ? exitCodes.done : exitCodes.notEverywhere
}

function presentToken(found: TokenBody, output: Output): string {
  const { revocation, clusters, isDeadEverywhere } = found
  const now = new Date()
  const verdict = isDeadEverywhere ? output.paint.good('Dead everywhere.') : output.paint.bad('Not dead everywhere.')
  const fields = output.fields([
    ['Token', found.jti ?? undefined],
    ['User', found.subject ?? undefined],
    ['Issued', found.issuedAt === null ? undefined : formatAgo(found.issuedAt, now)],
    ['Ends', found.expiresAt === null ? undefined : `${formatUntil(found.expiresAt, now)} (${found.expiresAt})`],
    ['Signed by', found.kid ?? undefined],
    ['Good for', found.audience.join(', ') || undefined],
    ['Revoked', revocation === null ? undefined : `${formatAgo(revocation.at, now)} by ${revocation.actor}`],
    ['Revocation', revocation === null ? undefined : String(revocation.id)],
    ['Reason', revocation?.reason || undefined],
  ])
  const parts = [`${verdict} ${found.why}`, fields, clusters.length === 0 ? '' : presentHoldings(clusters, output)]
  return parts.filter((part) => part !== '').join('\n\n')
}
