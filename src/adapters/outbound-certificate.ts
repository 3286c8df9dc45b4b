/** The certificate that a server shows, looked at without asking anything of it. */
import { connect, type PeerCertificate } from 'node:tls'
import { type Authorities, loadTrust } from './outbound-trust.ts'

export interface SeenCertificate {
  readonly expiresAt: Date | undefined
  /** Why it would not be trusted; undefined where it is. */
  readonly reason: string | undefined
}

const timeoutMs = 5_000

/** Undefined where nobody answers, or not in TLS. */
export function lookAtCertificate(
  url: string,
  { authorities, signal }: { readonly authorities: Authorities | undefined; readonly signal?: AbortSignal },
): Promise<SeenCertificate | undefined> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const secureContext = authorities && loadTrust(authorities)
  return new Promise((resolve) => {
    // Server names are no addresses (RFC 6066 section 3).
    const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket = connect({
      host,
      port: Number(port || 443),
      ...servername,
      rejectUnauthorized: false,
      ...(secureContext && { secureContext }),
    })
    const end = (seen: SeenCertificate | undefined) => {
      signal?.removeEventListener('abort', give)
      socket.destroy()
      resolve(seen)
    }
    const give = () => end(undefined)
    signal?.addEventListener('abort', give)
    socket.setTimeout(timeoutMs, give)
    socket.once('error', give)
    socket.once('secureConnect', () => {
      const { valid_to: validTo } = socket.getPeerCertificate() as Partial<PeerCertificate>
      const expiresAt = validTo === undefined ? undefined : new Date(validTo)
      const isExpired = expiresAt !== undefined && expiresAt.getTime() <= Date.now()
      // That it has expired shows from the date.
      const reason =
        socket.authorized || isExpired ? undefined : (presentReason(socket.authorizationError) ?? undefined)
      end({ expiresAt, reason })
    })
  })
}

/** Node gives a code here, though it says that it gives an error. */
function presentReason(error: unknown): string {
  const code = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error)
  const words: Readonly<Record<string, string>> = {
    DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by nobody known',
    SELF_SIGNED_CERT_IN_CHAIN: 'it is signed by nobody known',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it is signed by nobody known, or its chain is missing',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it is signed by nobody known',
    ERR_TLS_CERT_ALTNAME_INVALID: 'it is made out to another name',
  }
  return words[code] ?? code
}
