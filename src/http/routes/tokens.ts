import type { Clock } from '../../core/clock.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { RevocationActStore, TokenStatus } from '../../core/revocation/revocation-acts.ts'
import type { TokenSearch } from '../../core/tokens/token-search.ts'
import { fingerprintOf, type TokenVerifier } from '../../core/tokens/token-verifier.ts'
import type { Statuses } from './cluster-statuses.ts'
import { presentToken, unknownToken } from './present-token.ts'
import { type Route, route } from './route.ts'
import { IntrospectBody, JtiParams, TokenBody } from './shapes/tokens.ts'
import { tokenListRoute } from './token-list.ts'

export interface TokenRouteDeps {
  readonly acts: Pick<RevocationActStore, 'token'>
  readonly tokenSearch: TokenSearch
  readonly verifier: TokenVerifier
  readonly statuses: Statuses
  readonly clock: Clock
}

const tag = 'Tokens'

/** Whether a token is dead, and where not. */
export function tokenRoutes(deps: TokenRouteDeps): readonly Route[] {
  const { acts, verifier, statuses, clock } = deps

  async function present(token: TokenStatus): Promise<TokenBody> {
    const known = { statusOf: await statuses.all(), progressOf: statuses.progressOf }
    return presentToken(token, known, clock.now())
  }

  /** Of a token that the table doesn't know: one that a replaced server issued, one long gone, or none of ours. */
  async function judge(text: string): Promise<TokenBody> {
    try {
      return await present({ ...(await verifier.verify(text)), origin: 'foreign', revocation: null })
    } catch (error) {
      if (isDomainError(error, 'token_expired')) return unknownToken('expired', 'It has expired.')
      if (isDomainError(error, 'token_invalid')) {
        return unknownToken('invalid', `It is no token of ours: ${error.details.reason}.`)
      }
      throw error
    }
  }

  return [
    tokenListRoute(deps),
    route(
      {
        method: 'get',
        path: '/tokens/{jti}',
        permission: 'tokens:read',
        tag,
        summary: 'Show whether a token is dead everywhere',
        params: JtiParams,
        answer: { status: 200, description: 'The token and which clusters refuse it.', body: TokenBody },
        refusals: [404],
      },
      async ({ params: { jti } }) => {
        const token = await acts.token({ jti })
        if (token === undefined) throw new DomainError('token_not_found', { name: jti })
        return { body: await present(token) }
      },
    ),
    route(
      {
        method: 'post',
        path: '/tokens/introspect',
        permission: 'tokens:read',
        tag,
        summary: 'Show whether a token in hand is dead everywhere',
        description: 'As GET /tokens/{jti}, by the text: also for tokens that a replaced server issued.',
        body: IntrospectBody,
        answer: { status: 200, description: 'The token and which clusters refuse it.', body: TokenBody },
      },
      async ({ body }) => {
        const token = await acts.token({ fingerprint: fingerprintOf(body.token) })
        return { body: await (token === undefined ? judge(body.token) : present(token)) }
      },
    ),
  ]
}
