/** `gatehouse revoke token|user|role|cluster|key|session|before`. */
import type { RevocationProgressBody } from '../../http/routes/shapes/revocations.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { readInstant } from '../times.ts'
import { readTokenArgument, type TokenOptions } from '../token-argument.ts'
import { presentHoldings } from './holdings.ts'

export interface RevokeOptions extends ClientOptions {
  readonly reason?: string
}

/** What of the API's body chooses the tokens. */
type Choice = 'user' | 'role' | 'cluster' | 'key' | 'session'

export function revokeBy(choice: Choice, value: string, options: RevokeOptions, context: CliContext): Promise<number> {
  return revoke({ [choice]: value }, options, context)
}

export function revokeBefore(instant: string, options: RevokeOptions, context: CliContext): Promise<number> {
  return revoke({ issuedBefore: readInstant(instant, 'the argument') }, options, context)
}

export async function revokeToken(
  given: string | undefined,
  options: RevokeOptions & TokenOptions,
  context: CliContext,
): Promise<number> {
  const token = await readTokenArgument(given, options, context)
  return revoke(token.kind === 'jti' ? { jti: token.jti } : { token: token.text }, options, context)
}

async function revoke(choice: object, options: RevokeOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const { reason } = options
  const made = await api.call<RevocationProgressBody>('POST', '/revocations', { ...choice, reason })
  const output = await createOutput(options, context)
  output.tell({ json: made, words: () => presentMade(made, output), quiet: [String(made.id)] })
  return made.isEverywhere ? exitCodes.done : exitCodes.notEverywhere
}

function presentMade(made: RevocationProgressBody, output: Output): string {
  const { id, tokens, clusters, isEverywhere } = made
  const what = tokens === 1 ? '1 token is' : `${tokens} tokens are`
  if (tokens === 0) return `Revocation ${id}: no token was alive that is meant; nothing had to be revoked.`
  if (isEverywhere) {
    const where =
      clusters.length === 0 ? 'here; no cluster is registered' : `here and on ${countClusters(clusters.length)}`
    return `Revocation ${id}: ${what} dead ${where}.`
  }
  return [
    `Revocation ${id}: ${what} revoked, and kept so whatever happens. Not every cluster has it yet:`,
    '',
    presentHoldings(clusters, output),
    '',
    `Clusters are told until they have it. Watch it: gatehouse revocation show ${id} --watch`,
  ].join('\n')
}

function countClusters(count: number): string {
  return count === 1 ? 'the one cluster there is' : `all ${count} clusters`
}
