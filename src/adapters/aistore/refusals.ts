/**
 * Why an AIStore cluster did not take what it was told: its answer, or the network's, as a reason, its own words and
 * what an operator can do. The phrases are those of `ais/prxauth.go` and `cmd/authn/tok` at 4.1 to 5.0 (contract 3.4).
 */
import { z } from 'zod'
import type { Outcome } from '../../core/clusters/driver.ts'
import type { RefusalReason } from '../../core/errors.ts'
import type { KeyProof } from '../../core/keys/key-ring.ts'
import type { Answer } from '../outbound.ts'
import type { Failure, FailureClass } from '../outbound-failures.ts'

export type Refused = Extract<Outcome, { kind: 'refused' }>

export interface Asked {
  readonly url: string
  readonly clusterId: string
  readonly proof: KeyProof['kind']
  readonly act: 'handshake' | 'push' | 'probe'
}

interface Verdict {
  readonly reason: RefusalReason
  readonly advice: string
}

const maximumSaid = 300
const ErrorBody = z.object({ message: z.string() })

const advice = {
  secret:
    'Give Gatehouse and the cluster the same secret: AIS_AUTHN_SECRET_KEY here, and AIS_AUTHN_SECRET_KEY or auth.signature.key (method HS256) on the cluster.',
  publicKey:
    "Give the cluster Gatehouse's present public key (`ais auth show public-key`) as AIS_AUTHN_PUBLIC_KEY or auth.signature.key (method RS256), or list Gatehouse's external URL in its auth.oidc.allowed_iss; after a key rotation a cluster that looks keys up needs up to 30 s.",
  needsSecret:
    'The cluster checks tokens with a shared secret: set AIS_AUTHN_SECRET_KEY to the same secret here, or give the cluster the public key (auth.signature.method RS256).',
  needsPublicKey:
    'The cluster checks tokens with a public key: unset AIS_AUTHN_SECRET_KEY here, or set auth.signature (method HS256) and AIS_AUTHN_SECRET_KEY on the cluster.',
  issuer:
    "The cluster looks keys up by issuer: Gatehouse's external URL must stand in its auth.oidc.allowed_iss letter for letter, be https, and be reachable from the cluster; after a key rotation it needs up to 30 s.",
  bearer:
    'The cluster saw no token: let proxies in front of it pass the Authorization header on, and switch off any login of their own.',
  clocks: 'Set the clocks of both machines: the cluster takes a token that was signed just now for an expired one.',
  permission:
    'Register the cluster under its own UUID (`ais show cluster`): the token that Gatehouse shows grants something there only. Perhaps another cluster has taken its place.',
  url: 'Register the URL of an AIStore proxy: scheme, host and port as in `ais show cluster`, without a path.',
  https: 'The server speaks https: register its URL with https:.',
  tls: "Register the name that stands in the cluster's certificate, or trust its authority (NODE_EXTRA_CA_CERTS); AIS_AUTHN_SKIP_VERIFY_CRT=true switches the check off.",
  reach:
    'Check that the cluster runs, that its URL is right, and that this machine may reach it (firewall, network policy).',
  name: 'Check the host name in the registered URL and the name servers of this machine.',
  slow: 'Check the load of the cluster and what lies between.',
  failing: "Look into the log of the cluster's primary proxy.",
  size: 'Raise the body size limit of the proxy in front of the cluster to 16 MiB.',
  replaced:
    'Another cluster answers at these URLs: remove this one, register the other under its own UUID, and have users log in again.',
  open: 'Switch authentication on (`ais config cluster auth.client_auth_required=true`, auth.enabled before 5.0): until then the cluster takes every call, also with revoked tokens.',
  noUrl: 'Add a URL of the cluster (`ais auth set cluster`): without one it hears of no revocation.',
} as const

const byFailure: Readonly<Record<FailureClass, Verdict>> = {
  refused: { reason: 'unreachable', advice: advice.reach },
  no_route: { reason: 'unreachable', advice: advice.reach },
  name_unknown: { reason: 'unreachable', advice: advice.name },
  tls: { reason: 'unreachable', advice: advice.tls },
  timed_out: { reason: 'timed_out', advice: advice.slow },
  reset: { reason: 'unreachable', advice: advice.reach },
  cut_short: { reason: 'failing', advice: advice.failing },
  too_large: { reason: 'not_a_cluster', advice: advice.url },
  not_http: { reason: 'not_a_cluster', advice: advice.url },
  aborted: { reason: 'timed_out', advice: advice.slow },
  broken: { reason: 'unreachable', advice: advice.reach },
}

export function explainFailure(failure: Failure, asked: Asked): Refused {
  return { kind: 'refused', url: asked.url, said: cutSaid(failure.said), ...byFailure[failure.failure] }
}

export function explainNoUrl(): Refused {
  return { kind: 'refused', url: '', reason: 'unreachable', said: 'no URL is registered', advice: advice.noUrl }
}

export function explainNoMap(asked: Asked): Refused {
  const said = 'it answered, but not with a cluster map'
  return { kind: 'refused', url: asked.url, reason: 'not_a_cluster', said, advice: advice.url }
}

/** @param uuid what the cluster calls itself */
export function explainReplaced(uuid: string, asked: Asked): Refused {
  const said = cutSaid(`the cluster calls itself ${uuid}, not ${asked.clusterId}`)
  return { kind: 'refused', url: asked.url, reason: 'not_a_cluster', said, advice: advice.replaced }
}

export function explainOpen(asked: Asked): Refused {
  const said = 'authentication is switched off: the cluster answers callers without a token'
  return { kind: 'refused', url: asked.url, reason: 'wrong_mode', said, advice: advice.open }
}

/**
 * Undefined = the cluster did what it was asked. AIStore says so by 200 with nothing in it; whatever says more, or says
 * that it will see to it (202), is somebody else who answers in its place.
 */
export function explainAnswer(answer: Answer, asked: Asked): Refused | undefined {
  if ((answer.status === 200 || answer.status === 204) && isEmptyAnswer(answer.text)) return undefined
  const message = readMessage(answer.text)
  return {
    kind: 'refused',
    url: asked.url,
    status: answer.status,
    said: cutSaid(message ?? presentUnreadable(answer)),
    ...judge(answer.status, message ?? answer.text, asked),
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
  }
}

function judge(status: number, message: string, asked: Asked): Verdict {
  const text = message.slice(0, 4096).toLowerCase()
  if (status < 400) return { reason: 'not_a_cluster', advice: advice.url }
  if (status === 400) return judgeBadRequest(text, asked)
  if (status === 401) return judgeUnauthorized(text, asked)
  if (status === 403) return judgeForbidden(text, asked)
  if (status === 404 || status === 405 || status === 501) return { reason: 'not_a_cluster', advice: advice.url }
  if (status === 413) return { reason: 'failing', advice: advice.size }
  if (status === 408 || status === 504) return { reason: 'timed_out', advice: advice.slow }
  return { reason: 'failing', advice: advice.failing }
}

function mismatch({ proof }: Asked): Verdict {
  return { reason: 'key_mismatch', advice: proof === 'shared_secret' ? advice.secret : advice.publicKey }
}

/** Clusters up to 4.2 answer 400 to a wrong key, later ones to the wrong kind of proof. */
function judgeBadRequest(text: string, asked: Asked): Verdict {
  if (text.includes('http request to an https server')) return { reason: 'not_a_cluster', advice: advice.https }
  if (asked.act !== 'handshake') return { reason: 'failing', advice: advice.failing }
  if (/not match|invalid secret/.test(text)) return mismatch(asked)
  if (/secret|public key|hmac|rsa/.test(text)) {
    const needed = asked.proof === 'shared_secret' ? advice.needsPublicKey : advice.needsSecret
    return { reason: 'wrong_mode', advice: needed }
  }
  return { reason: 'not_a_cluster', advice: advice.url }
}

/** Only 5.0 checks the bearer, and says what of it is wrong. */
function judgeUnauthorized(text: string, asked: Asked): Verdict {
  if (text.includes('token required')) return { reason: 'not_authorized', advice: advice.bearer }
  if (/token expired|is expired/.test(text)) return { reason: 'not_authorized', advice: advice.clocks }
  if (/audience|\baud\b/.test(text)) {
    const own = `The cluster requires its own UUID in a token's audience: register it under that UUID instead of ${JSON.stringify(asked.clusterId)}.`
    return { reason: 'key_mismatch', advice: own }
  }
  if (/issuer|allowed_iss|keyset|key id|\bkid\b|jwks/.test(text))
    return { reason: 'key_mismatch', advice: advice.issuer }
  // It verifies with the other kind of key: a secret where we show a public key, or the reverse.
  if (/signing method|unexpected.*(method|alg)/.test(text)) {
    return {
      reason: 'wrong_mode',
      advice: asked.proof === 'shared_secret' ? advice.needsPublicKey : advice.needsSecret,
    }
  }
  if (/signature|invalid token|signing|verif/.test(text)) return mismatch(asked)
  return { reason: 'not_authorized', advice: advice.bearer }
}

function judgeForbidden(text: string, asked: Asked): Verdict {
  if (asked.act !== 'handshake') return { reason: 'not_authorized', advice: advice.permission }
  if (/issuer|jwks/.test(text)) return { reason: 'key_mismatch', advice: advice.issuer }
  if (/secret|public key|match/.test(text)) return mismatch(asked)
  return { reason: 'not_authorized', advice: advice.bearer }
}

/** Spellings of nothing that a proxy in between may make of an empty body. */
const emptyAnswers: ReadonlySet<string> = new Set(['', '{}', '[]', 'null', '""', 'ok'])

function isEmptyAnswer(text: string): boolean {
  return emptyAnswers.has(text.trim().toLowerCase())
}

function readMessage(text: string): string | undefined {
  try {
    return ErrorBody.safeParse(JSON.parse(text)).data?.message
  } catch {
    return undefined
  }
}

function presentUnreadable(answer: Answer): string {
  const { location } = answer.headers
  if (answer.status >= 300 && answer.status < 400) {
    return `HTTP ${answer.status}, a redirect${typeof location === 'string' ? ` to ${presentOrigin(location)}` : ''}`
  }
  const text = answer.text.trim()
  if (text === '') return `HTTP ${answer.status}`
  return text.startsWith('<') ? `HTTP ${answer.status}, a web page` : `HTTP ${answer.status}: ${text}`
}

function presentOrigin(location: string): string {
  return URL.canParse(location) ? new URL(location).origin : 'another path'
}

/** One line, at most 300 characters, without what looks like a token or a hash. */
function cutSaid(text: string): string {
  const clean = text
    .slice(0, 8192)
    .replaceAll(/eyJ[\w-]{4,}(\.[\w-]*)*/g, '<token>')
    .replaceAll(/\b[0-9a-fA-F]{32,}\b/g, '<hash>')
    // Pieces of a token that somebody wrapped, spaced or encoded once more.
    .replaceAll(/[\w+=-]{40,}/g, '<token>')
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
  return clean.length > maximumSaid ? `${clean.slice(0, maximumSaid - 1)}…` : clean
}
