import type { Outbound } from '../../adapters/outbound.ts'
import type { Config } from '../../config.ts'
import { CertificateError, readCertificate } from '../../http/certificate.ts'
import { isFolderHeld } from '../../store/folder-lock.ts'
import type { CertificateFacts, ExternalFacts, ServiceFacts } from '../facts.ts'

export interface ReachDeps {
  readonly outbound: Outbound
  /** Takes any certificate: for the port itself, whose certificate is made out to the external name. */
  readonly local: Outbound
  readonly signal: AbortSignal
}

const timeoutMs = 5_000

/** @param deps undefined = nothing is asked over the network */
export async function gatherService(config: Config, deps: ReachDeps | undefined): Promise<ServiceFacts> {
  const isRunning = isHeld(config.dataDir)
  const isAsked = deps !== undefined && isRunning !== false
  const [ready, external] = isAsked
    ? await Promise.all([askReady(config, deps), askExternal(config.net.externalUrl, deps)])
    : [undefined, undefined]
  return { isRunning, ready, external, certificate: await gatherCertificate(config) }
}

function isHeld(folder: string): boolean | undefined {
  try {
    return isFolderHeld(folder)
  } catch {
    return undefined
  }
}

async function askReady({ net }: Config, { local, signal }: ReachDeps): Promise<ServiceFacts['ready']> {
  if (net.port === 0) return undefined
  const isAny = net.host === undefined || net.host === '0.0.0.0' || net.host === '::'
  const host = isAny ? '127.0.0.1' : (net.host ?? '')
  const url = `${net.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${net.port}/readyz`
  const result = await local.request({ method: 'GET', url, timeoutMs, signal })
  if (result.kind === 'failed') return { isReady: false, said: `${url}: ${result.said}` }
  return { isReady: result.status === 200, said: result.text.trim().slice(0, 200) }
}

/** OpenID Connect Discovery 1.0 section 4; the paths are appended to the URL's own. */
async function askExternal(externalUrl: string, { outbound, signal }: ReachDeps): Promise<ExternalFacts> {
  const base = externalUrl.replace(/\/+$/, '')
  const ask = (url: string) => outbound.request({ method: 'GET', url, timeoutMs, signal })
  const result = await ask(`${base}/.well-known/openid-configuration`)
  if (result.kind === 'failed') return { kind: 'silent', said: result.said }
  const document = parseObject(result.text)
  if (result.status !== 200 || typeof document?.issuer !== 'string') {
    return { kind: 'other', said: `HTTP ${result.status} where the discovery document should be` }
  }
  const keys = await ask(`${base}/.well-known/jwks.json`)
  const listed = keys.kind === 'answered' && keys.status === 200 ? parseObject(keys.text)?.keys : undefined
  const kids = Array.isArray(listed) ? listed.map((key: { readonly kid?: unknown }) => String(key.kid)) : undefined
  return { kind: 'discovery', issuer: document.issuer, kids }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

async function gatherCertificate({ net: { tls } }: Config): Promise<CertificateFacts | undefined> {
  if (tls === undefined) return undefined
  const where = tls.certificateFile
  try {
    return { where, expiresAt: (await readCertificate(tls)).expiresAt, reason: undefined }
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error
    return { where, expiresAt: undefined, reason: error.message }
  }
}
