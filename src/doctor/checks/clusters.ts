import type { ClusterStatus } from '../../core/clusters/cluster-status.ts'
import type { ClusterFacts } from '../facts.ts'
import { type Finding, findingsOf } from '../finding.ts'
import { checkCertificate } from './reach.ts'

const { ok, warning, problem } = findingsOf('clusters')

/** Clusters allow no leeway: a token is good from its second on and ends with it. */
const suspectClockMs = 5_000
const wrongClockMs = 60_000
const longLagMs = 60_000

/** Undefined = they could not be looked at. */
export function checkClusters(clusters: readonly ClusterFacts[] | undefined, now: Date): readonly Finding[] {
  if (clusters === undefined) return []
  if (clusters.length === 0) return [ok('registered', 'no cluster is registered')]
  return clusters.flatMap((facts) => {
    const findings = [
      ...checkReport(facts),
      ...checkStatus(facts),
      ...checkClock(facts),
      ...facts.certificates.flatMap((certificate) => checkCertificate('clusters', certificate, now)),
    ]
    if (findings.some(({ level }) => level !== 'ok')) return findings
    return [ok('cluster', presentGood(facts)), ...findings]
  })
}

function nameOf({ cluster: { id, alias } }: ClusterFacts): string {
  return alias ?? id
}

function presentGood(facts: ClusterFacts): string {
  const name = nameOf(facts)
  if (facts.report === undefined) return `${name}: ${presentState(facts.status)}, as the service last found it`
  return `${name}: reached, trusts our key, asks for tokens; ${presentState(facts.status)}`
}

function presentState({ state, proxies }: ClusterStatus): string {
  return `${state.replace('_', ' ')}${proxies.length > 0 ? `, ${proxies.length} proxies` : ''}`
}

/** What was found just now. */
function checkReport(facts: ClusterFacts): readonly Finding[] {
  const { report, cluster } = facts
  if (report === undefined) return []
  const name = nameOf(facts)
  const advice = report.trouble?.advice ?? 'Look into the log of its primary proxy.'
  const findings: Finding[] = []
  if (report.clusterId !== null && report.clusterId !== cluster.id) {
    findings.push(
      problem(
        'cluster_id',
        `${name}: it says that it is ${report.clusterId}, it is registered as ${cluster.id}`,
        advice,
      ),
    )
  }
  if (report.isKeyTrusted === false) {
    findings.push(problem('key_trust', `${name}: it does not trust our key: ${report.trouble?.said ?? ''}`, advice))
  }
  if (report.isAuthenticationOn === false) {
    findings.push(
      problem(
        'authentication',
        `${name}: it asks callers for no token: authentication is switched off`,
        'Set auth.client_auth_required (AIStore 5.0) or auth.enabled to true in the cluster.',
      ),
    )
  }
  if (findings.length === 0 && report.trouble !== null) {
    findings.push(problem('reach', `${name}: ${report.trouble.said} (${report.trouble.reason})`, advice))
  }
  return findings
}

/** What delivery and probes of the service have written down. */
function checkStatus(facts: ClusterFacts): readonly Finding[] {
  const { status, report } = facts
  const name = nameOf(facts)
  const findings: Finding[] = []
  const forgetful = status.proxies.filter(({ canary }) => canary === 'forgot' || canary === 'distrusts')
  if (forgetful.length > 0) {
    const says = `${name}: ${forgetful.length} of ${status.proxies.length} proxies would take revoked tokens: ${forgetful.map(({ proxyId, url }) => proxyId ?? url).join(', ')}`
    findings.push(
      problem(
        'forgotten',
        says,
        `The service tells them again by itself; where it lasts: gatehouse cluster show ${name}`,
      ),
    )
  }
  if (status.behind > 0 && status.behindMs > longLagMs) {
    const says = `${name}: ${status.behind} revocations wait, the oldest for ${Math.round(status.behindMs / 1000)} s${status.lastSaid === null ? '' : `: ${status.lastSaid}`}`
    findings.push(problem('lag', says, status.advice ?? 'Is the service running?'))
  }
  const isExplained = findings.length > 0 || checkReport(facts).length > 0
  if (!isExplained && (status.state === 'refused' || status.state === 'retrying')) {
    const says = `${name}: the service could not tell it something: ${status.lastSaid ?? status.state}`
    const isMended = report !== undefined && report.trouble === null
    const level = isMended ? warning : problem
    findings.push(
      level(
        'delivery',
        says,
        isMended ? 'It is tried again by itself.' : (status.advice ?? `gatehouse cluster show ${name}`),
      ),
    )
  }
  return findings
}

function checkClock(facts: ClusterFacts): readonly Finding[] {
  const { clockAheadMs } = facts
  if (clockAheadMs === undefined || Math.abs(clockAheadMs) < suspectClockMs) return []
  const seconds = Math.round(Math.abs(clockAheadMs) / 1000)
  const says = `${nameOf(facts)}: its clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} ours`
  const mend = 'Set both by NTP: tokens begin and end by the clock of the cluster, without leeway.'
  return [Math.abs(clockAheadMs) < wrongClockMs ? warning('clock', says, mend) : problem('clock', says, mend)]
}
