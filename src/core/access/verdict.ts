import type { ProbeReport } from '../clusters/probe.ts'
import type { AccessEntry, Decision } from './authorizer.ts'

/** What stands above all entries, the first that holds. */
export type Circumstance =
  | { readonly code: 'authentication_off' }
  | { readonly code: 'key_not_trusted' }
  | { readonly code: 'user_disabled' }
  | { readonly code: 'user_locked'; readonly until: Date }
  | { readonly code: 'token_invalid'; readonly reason: string }
  | { readonly code: 'token_expired'; readonly at: Date }
  | { readonly code: 'token_revoked' }

export type ReasonCode = Circumstance['code'] | 'administrator' | 'entry_allows' | 'entry_lacks' | 'no_entry'

export interface Verdict {
  /** What the cluster answers, as far as Gatehouse knows. */
  readonly isAllowed: boolean
  readonly code: ReasonCode
  /** A sentence. */
  readonly why: string
}

/** What the cluster itself adds: null where it has not been seen, or could not be told. */
export type Enforcement = Pick<ProbeReport, 'isAuthenticationOn' | 'isKeyTrusted'> | undefined

export interface Names {
  /** Who asks: a user's name, or `The token`. */
  readonly who: string
  readonly action: string
  readonly cluster: string
  readonly resource: string | null
}

/**
 * A cluster that asks nobody allows everything; then counts what makes every token of this user worthless; then whether
 * the cluster trusts our key; and only then the entries.
 */
export function judge(
  decision: Decision,
  own: readonly Circumstance[],
  enforcement: Enforcement,
  names: Names,
): Verdict {
  const circumstances: readonly Circumstance[] = [
    ...(enforcement?.isAuthenticationOn === false ? [{ code: 'authentication_off' } as const] : []),
    ...own,
    ...(enforcement?.isKeyTrusted === false ? [{ code: 'key_not_trusted' } as const] : []),
  ]
  const [first] = circumstances
  const isAllowed = first === undefined ? decision.isAllowed : first.code === 'authentication_off'
  const reason = first === undefined ? presentDecision(decision, names) : presentCircumstance(first, names)
  const claim = presentClaim(isAllowed, names)
  return { isAllowed, code: first?.code ?? codeOf(decision), why: `${claim}: ${reason}.` }
}

function codeOf({ by, isAllowed }: Decision): ReasonCode {
  if (by !== 'entry') return by
  return isAllowed ? 'entry_allows' : 'entry_lacks'
}

function presentClaim(isAllowed: boolean, { who, action, cluster, resource }: Names): string {
  return `${who} may ${isAllowed ? '' : 'not '}${action} ${resource === null ? '' : `in ${resource} `}on ${cluster}`
}

function presentCircumstance(circumstance: Circumstance, { who, cluster }: Names): string {
  switch (circumstance.code) {
    case 'authentication_off':
      return `authentication is switched off at ${cluster}, which allows everything to everybody`
    case 'key_not_trusted':
      return `${cluster} does not trust the key that tokens are signed with, and refuses them all`
    case 'user_disabled':
      return `${who} is disabled and gets no token`
    case 'user_locked':
      return `${who} is locked until ${circumstance.until.toISOString()} and gets no token`
    case 'token_invalid':
      return `it is no token of ours: ${circumstance.reason}`
    case 'token_expired':
      return `it has expired at ${circumstance.at.toISOString()}`
    case 'token_revoked':
      return `it is revoked, and ${cluster} knows`
  }
}

function presentDecision({ by, isAllowed, entry, shadowed }: Decision, { who, action, cluster, resource }: Names) {
  if (by === 'administrator') return `an administrator may do everything${presentRoles(entry)}`
  if (entry === null)
    return `nothing that ${who.replace(/^The /, 'the ')} holds speaks of ${resource === null ? '' : `${resource} or of `}${cluster}`
  const said = `${presentScope(entry)}${presentRoles(entry)} ${isAllowed ? 'has' : 'lacks'} ${action}`
  const [next] = shadowed
  // Worth a word only where it would have been another answer.
  if (next === undefined || next.isGiving === isAllowed) return said
  return `${said}, and decides alone: ${presentScope(next)}${presentRoles(next)} does not count beside it`
}

/** For instance `the entry for ais://photos`. */
function presentScope({ scope, resource }: AccessEntry): string {
  if (scope === 'resource') return `the entry for ${resource}`
  return scope === 'cluster' ? 'the entry for the cluster' : 'the entry for every cluster'
}

function presentRoles(entry: AccessEntry | null): string {
  const names = [...new Set(entry?.sources.map(({ role }) => role.name))]
  if (names.length === 0) return ''
  const shown = names.slice(0, 3).join(', ')
  return ` (${names.length === 1 ? 'role' : 'roles'} ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ''})`
}
