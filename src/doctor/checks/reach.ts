import type { CertificateFacts, ExternalFacts, ServiceFacts } from '../facts.ts'
import { type Area, type Finding, findingsOf } from '../finding.ts'

const { ok, warning, problem } = findingsOf('service')

const dayMs = 86_400_000
const soonMs = 30 * dayMs
const verySoonMs = 7 * dayMs

export interface ReachFacts {
  readonly service: ServiceFacts
  readonly externalUrl: string
  /** Ids of the keys that the store has as published; undefined under a shared secret, or where they can't be read. */
  readonly publishedKids: readonly string[] | undefined
}

export function checkService({ service, externalUrl, publishedKids }: ReachFacts, now: Date): readonly Finding[] {
  const { isRunning, ready, external, certificate } = service
  const findings: Finding[] = []
  if (isRunning === true) findings.push(ok('running', 'a service runs on this data folder'))
  if (isRunning === false) {
    findings.push(warning('running', 'no service runs on this data folder', 'Start it: gatehouse serve.'))
  }
  if (ready !== undefined && !ready.isReady) {
    findings.push(
      problem(
        'ready',
        `it is not ready: ${ready.said}`,
        'Look into its log. Where it was started with other settings (a port, for instance), give them to this command too.',
      ),
    )
  }
  if (external !== undefined) findings.push(...checkExternal(external, externalUrl, publishedKids))
  if (certificate !== undefined) findings.push(...checkCertificate('service', certificate, now))
  return findings
}

/** OpenID Connect Discovery 1.0 section 4.3: the issuer must be the URL that it was asked for, character for character. */
function checkExternal(
  external: ExternalFacts,
  url: string,
  published: readonly string[] | undefined,
): readonly Finding[] {
  const reach = 'Clusters and clients must reach Gatehouse there: check --external-url, DNS, and what stands in front.'
  if (external.kind === 'silent')
    return [problem('external', `${url} can't be reached from here: ${external.said}`, reach)]
  if (external.kind === 'other')
    return [problem('external', `what answers at ${url} is not Gatehouse: ${external.said}`, reach)]
  const { issuer, kids } = external
  if (issuer !== url) {
    const says = `the service says that it is ${issuer}, not ${url}`
    return [
      problem(
        'external',
        says,
        'Give it the same configuration as this command, or --external-url; tokens carry it as their issuer.',
      ),
    ]
  }
  const missing = kids === undefined ? [] : (published ?? []).filter((kid) => !kids.includes(kid))
  if (missing.length > 0) {
    const says = `${url} does not show the keys ${missing.join(', ')} of this store: another service, or a cache, answers`
    return [problem('external', says, reach)]
  }
  return [ok('external', `${url} is reached, and is this service`)]
}

export function checkCertificate(
  area: Area,
  { where, expiresAt, reason }: CertificateFacts,
  now: Date,
): readonly Finding[] {
  const of = findingsOf(area)
  if (reason !== undefined)
    return [
      of.problem(
        'certificate',
        `the certificate of ${where}: ${reason}`,
        'Put one there that is trusted and made out to this name.',
      ),
    ]
  if (expiresAt === undefined) return []
  const leftMs = expiresAt.getTime() - now.getTime()
  const days = Math.floor(leftMs / dayMs)
  if (leftMs <= 0)
    return [
      of.problem('certificate', `the certificate of ${where} has expired (${expiresAt.toISOString()})`, 'Renew it.'),
    ]
  const says = `the certificate of ${where} ends in ${days} days`
  if (leftMs < verySoonMs) return [of.problem('certificate', says, 'Renew it now.')]
  if (leftMs < soonMs) return [of.warning('certificate', says, 'Renew it.')]
  return [of.ok('certificate', says)]
}
