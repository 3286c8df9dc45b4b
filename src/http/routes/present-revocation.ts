import type { ClusterStatus } from '../../core/clusters/cluster-status.ts'
import type { Holding, RevocationActStore } from '../../core/revocation/revocation-acts.ts'
import type { RevocationAct } from '../../core/revocation/selector.ts'
import type { ProgressOf, Statuses } from './cluster-statuses.ts'
import { presentHolding, presentInstant } from './present-cluster.ts'
import type { HoldingBody, RevocationBody, RevocationProgressBody } from './shapes/revocations.ts'

export function presentRevocation(act: RevocationAct): RevocationBody {
  const { id, actor, reason, tokens } = act
  const chosen = presentSelector(act.selector)
  return { id, ...chosen, actor, reason, at: presentInstant(act.at), tokens, expiresAt: presentInstant(act.expiresAt) }
}

function presentSelector(selector: RevocationAct['selector']): Pick<RevocationBody, 'by' | 'value' | 'cause'> {
  switch (selector.by) {
    case 'text':
      return { by: 'text', value: null, cause: null }
    case 'jti':
      return { by: 'jti', value: selector.jti, cause: null }
    case 'key':
      return { by: 'key', value: selector.kid, cause: null }
    case 'session':
      return { by: 'session', value: selector.session, cause: null }
    case 'issued_before':
      return { by: 'issued_before', value: presentInstant(selector.at), cause: null }
    case 'consequence':
      return { by: 'consequence', value: selector.name, cause: selector.of }
    case 'user':
    case 'role':
    case 'cluster':
      return { by: selector.by, value: selector.name, cause: null }
  }
}

export interface ProgressDeps {
  readonly acts: Pick<RevocationActStore, 'progress'>
  readonly statuses: Statuses
}

/** The act, and which clusters have it. */
export async function presentProgress(
  act: RevocationAct,
  { acts, statuses }: ProgressDeps,
): Promise<RevocationProgressBody> {
  const [holdings = [], statusOf] = await Promise.all([acts.progress(act.id), statuses.all()])
  const clusters = presentHoldings(holdings, { sequence: act.lastSequence, statusOf, progressOf: statuses.progressOf })
  return { ...presentRevocation(act), isEverywhere: clusters.every(({ isHeld }) => isHeld), clusters }
}

/** A cluster that was removed between two look-ups is left out. `sequence` is the last change that is asked about. */
export function presentHoldings(
  holdings: readonly Holding[],
  known: {
    readonly sequence: number
    readonly statusOf: ReadonlyMap<string, ClusterStatus>
    readonly progressOf: ProgressOf
  },
): HoldingBody[] {
  return holdings.flatMap((holding) => {
    const status = known.statusOf.get(holding.clusterId)
    if (status === undefined) return []
    return [presentHolding(withHeard(holding, known.sequence, known.progressOf(holding.clusterId)), status)]
  })
}

function withHeard(holding: Holding, sequence: number, heard: ReturnType<ProgressOf>): Holding {
  if (holding.isHeld || holding.isResyncing || heard === undefined || heard.acknowledged < sequence) return holding
  return { ...holding, isHeld: true, since: heard.at, failure: null }
}
