import type { Revocations } from '../../../core/revocation/revocations.ts'
import { originOf } from '../../../http/env.ts'
import { TokenBody } from '../wire.ts'
import { acting, type Call, CallError, done, readBody } from './call.ts'
import type { Route } from './routing.ts'

export interface TokenRouteDeps {
  readonly revocations: Revocations
}

/** Longer than any token that a header can carry. Anybody may send one, and reading a large body takes a while. */
const maximumTokenBytes = 1024 * 1024

/** `/v1/tokens`: whoever holds a token may revoke it, so there is no bearer to ask for. */
export function tokenRoute({ revocations }: TokenRouteDeps): Route {
  async function remove(call: Call): Promise<Response> {
    const { token } = await readBody(call, TokenBody, 'TokenMsg', { maximumBytes: maximumTokenBytes })
    if (token === '') throw new CallError(400, 'empty token')
    await acting('revoke token', () => revocations.revokeByText(token, { by: originOf(call.context, 'aistore') }))
    return done(call)
  }
  const access = [{ path: '/v1/tokens', need: 'none', what: 'Revoke a token that one holds' }] as const
  return { allow: 'DELETE', handlers: { DELETE: { access, handle: remove } } }
}
