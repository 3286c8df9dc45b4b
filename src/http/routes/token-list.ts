import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { FoundToken, TokenFilter, TokenPosition, TokenSearch } from '../../core/tokens/token-search.ts'
import { badCursor, pageOf, pageQuery, presentPart, readPage } from './page.ts'
import { presentInstant } from './present-cluster.ts'
import { presentTokenFacts } from './present-token.ts'
import { type Route, route } from './route.ts'
import { TokenSummary } from './shapes/tokens.ts'

const name = z.string().min(1).max(256)
const instant = z.iso.datetime({ offset: true })

const Query = z.strictObject({
  ...pageQuery,
  user: name.optional().meta({ description: 'Of this user, also one who is gone' }),
  role: name.optional().meta({ description: 'That carry this role' }),
  cluster: name.optional().meta({ description: 'That this cluster (id or alias) would take' }),
  key: name.optional().meta({ description: 'Signed by the key with this kid' }),
  state: z.enum(['live', 'revoked', 'expired']).optional(),
  issuedFrom: instant.optional(),
  issuedUntil: instant.optional().meta({ description: 'Without that instant itself' }),
})

export function tokenListRoute(deps: { readonly tokenSearch: TokenSearch; readonly clock: Clock }): Route {
  return route(
    {
      method: 'get',
      path: '/tokens',
      permission: 'tokens:read',
      tag: 'Tokens',
      summary: 'List tokens',
      description:
        'Newest first. Expired ones are there for an hour. A page looks at a bounded number of tokens, so that it may be short, or empty, and yet not be the last: go on while there is `next`.',
      query: Query,
      answer: { status: 200, description: 'Tokens, without their texts.', body: pageOf(TokenSummary) },
    },
    async ({ query }) => {
      const { after: cursor, limit } = readPage(query)
      const after = cursor === undefined ? undefined : parsePosition(cursor)
      const now = deps.clock.now()
      const filter = parseFilter(query)
      const isByIssue = filter.issuedFrom !== undefined || filter.issuedUntil !== undefined
      // A cursor of another list: what it says means nothing here.
      if (after !== undefined && 'issuedAt' in after && !isByIssue) throw badCursor()
      const found = await deps.tokenSearch.find(filter, { ...(after && { after }), limit, now })
      const next = found.next && presentPosition(found.next)
      return { body: presentPart(found.tokens, next, (token) => presentSummary(token, now)) }
    },
  )
}

function parseFilter(query: z.output<typeof Query>): TokenFilter {
  const { user, role, cluster, key, state, issuedFrom, issuedUntil } = query
  return {
    ...(user !== undefined && { subject: user }),
    ...(role !== undefined && { role }),
    ...(cluster !== undefined && { cluster }),
    ...(key !== undefined && { kid: key }),
    ...(state !== undefined && { state }),
    ...(issuedFrom !== undefined && { issuedFrom: new Date(issuedFrom) }),
    ...(issuedUntil !== undefined && { issuedUntil: new Date(issuedUntil) }),
  }
}

function presentPosition(position: TokenPosition): string {
  return 'issuedAt' in position ? `${position.key}.${position.issuedAt}.${position.expiresAt}` : String(position.key)
}

/** @throws RequestError */
function parsePosition(text: string): TokenPosition {
  const found = /^(\d{1,15})(?:\.(\d{1,15})\.(\d{1,15}))?$/.exec(text)
  if (found === null) throw badCursor()
  const [, key, issuedAt, expiresAt] = found
  if (issuedAt === undefined) return { key: Number(key) }
  return { key: Number(key), issuedAt: Number(issuedAt), expiresAt: Number(expiresAt) }
}

function presentSummary(token: FoundToken, now: Date): TokenSummary {
  const { revocation } = token
  return {
    ...presentTokenFacts(token, now),
    revocation: revocation && { id: revocation.id, at: presentInstant(revocation.at) },
  }
}
