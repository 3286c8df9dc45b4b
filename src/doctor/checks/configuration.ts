import type { Config } from '../../config.ts'
import type { SettingRow } from '../../config-present.ts'
import { type Finding, findingsOf } from '../finding.ts'

const { ok, warning, problem } = findingsOf('configuration')

const longLifetimeMs = 30 * 86_400_000
/** RFC 7518 section 3.2: a key for HS256 is no shorter than the hash. */
const secretBytes = 32

export interface ConfigurationFacts {
  readonly config: Config
  readonly settings: readonly SettingRow[]
  /** The secret that signs, with what was set at run time; empty = RSA. */
  readonly sharedSecret: string
  /** What was set at run time and is beaten by a flag or the environment. */
  readonly shadowed: readonly { readonly name: string; readonly by: string }[]
  readonly hasUsers: boolean
  readonly clusterUrls: readonly string[]
}

/** Values that are allowed and seldom meant. What contradicts itself was refused before this. */
export function checkConfiguration(facts: ConfigurationFacts): readonly Finding[] {
  const { settings } = facts
  const given = settings.filter(({ source }) => source !== 'default')
  const sources = ['flag', 'environment', 'runtime', 'file']
    .map((source) => [source, given.filter((row) => row.source === source).length] as const)
    .filter(([, count]) => count > 0)
    .map(([source, count]) => `${count} by ${source === 'runtime' ? 'a change at run time' : source}`)
  const summary =
    given.length === 0 ? 'every setting has its default' : `${given.length} settings: ${sources.join(', ')}`
  return [
    ok('settings', `${summary} (gatehouse config shows them)`),
    ...checkUrl(facts),
    ...checkExposure(facts),
    ...checkValues(facts),
  ]
}

function checkUrl({ config, clusterUrls, sharedSecret }: ConfigurationFacts): readonly Finding[] {
  const url = new URL(config.net.externalUrl)
  const areClustersElsewhere = clusterUrls.some((cluster) => !isLoopback(new URL(cluster).hostname))
  if (isLoopback(url.hostname)) {
    if (!areClustersElsewhere) return []
    const says = `the external URL is ${url.href}, which clusters on other machines can't reach`
    return [problem('external_url', says, 'Set --external-url to the URL under which clusters reach this machine.')]
  }
  if (url.protocol === 'https:') return []
  const lookUp = sharedSecret === '' ? '; clusters that look keys up (OIDC) want https' : ''
  const says = `the external URL is ${url.href}: passwords and tokens travel in the clear${lookUp}`
  return [warning('external_url', says, 'Serve HTTPS (--https, or a proxy in front), and set --external-url to it.')]
}

function checkExposure({ config, settings }: ConfigurationFacts): readonly Finding[] {
  const findings: Finding[] = []
  if (!config.outbound.isTlsVerified) {
    const says = 'certificates of clusters are not checked (skip_verify_crt)'
    findings.push(
      problem('skip_verify', says, 'Name their authority with --cluster-ca, and unset AIS_AUTHN_SKIP_VERIFY_CRT.'),
    )
  }
  if (!config.isLoginLimited) {
    const says = 'failed logins are not limited (login_limits): anybody may guess passwords'
    findings.push(problem('login_limits', says, 'Unset GATEHOUSE_LOGIN_LIMITS: it is for benchmarks alone.'))
  }
  if (config.hasOpenReads) {
    const says = 'clusters and roles are shown to everybody (open_reads)'
    findings.push(warning('open_reads', says, 'Unset AIS_AUTHN_OPEN_READS unless a client needs it.'))
  }
  const { operations } = config
  if (operations !== undefined && !isLoopback(operations.host)) {
    const says = `metrics are told on ${operations.host}:${operations.port} without a log-in`
    findings.push(warning('operations', says, 'Let nobody reach it but what collects them (network policy, firewall).'))
  }
  const inFile = settings.find(({ name, source, value }) => name === 'auth.secret' && source === 'file' && value !== '')
  if (inFile !== undefined) {
    const says = `the shared secret stands in ${inFile.origin}`
    findings.push(
      warning('secret_in_file', says, 'Prefer AIS_AUTHN_SECRET_KEY, and keep the file readable by its owner alone.'),
    )
  }
  return findings
}

function checkValues({ config, sharedSecret, shadowed, hasUsers }: ConfigurationFacts): readonly Finding[] {
  const findings: Finding[] = []
  if (sharedSecret !== '' && Buffer.byteLength(sharedSecret) < secretBytes) {
    const says = `the shared secret has ${Buffer.byteLength(sharedSecret)} bytes: it can be guessed from a token`
    findings.push(
      warning(
        'secret_short',
        says,
        `Take at least ${secretBytes} random bytes, here and on every cluster: openssl rand -base64 48`,
      ),
    )
  }
  if (config.tokenLifetime.ms > longLifetimeMs) {
    const says = `tokens live ${Math.round(config.tokenLifetime.ms / 86_400_000)} days: a leaked one is good as long unless it is revoked`
    findings.push(warning('lifetime', says, 'Make auth.expiration_time shorter.'))
  }
  if (config.firstAdministrator.password !== undefined && hasUsers) {
    const says = "the first administrator's password is still given (AIS_AUTHN_SU_PASS) and is no longer read"
    findings.push(warning('first_password', says, 'Remove it from the environment.'))
  }
  for (const { name, by } of shadowed) {
    const says = `${name} was changed at run time, and ${by} beats that`
    findings.push(warning('shadowed', says, `Remove ${by}, or change it there.`))
  }
  return findings
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || /^127\./.test(host) || host === '::1' || host === '[::1]'
  )
}
