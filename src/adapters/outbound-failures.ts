/** What went wrong on the way to another server, in classes that lead to different advice, and in words for people. */
import { errors } from 'undici'

export type FailureClass =
  | 'refused'
  | 'no_route'
  | 'name_unknown'
  | 'tls'
  | 'timed_out'
  | 'reset'
  | 'cut_short'
  | 'too_large'
  | 'not_http'
  | 'aborted'
  | 'broken'

export interface Failure {
  readonly kind: 'failed'
  readonly failure: FailureClass
  /** A phrase without the URL's credentials or any of what was sent. */
  readonly said: string
}

const byCode: Readonly<Record<string, readonly [FailureClass, string]>> = {
  ECONNREFUSED: ['refused', 'the connection was refused: nothing listens there'],
  EHOSTUNREACH: ['no_route', 'there is no route to the host'],
  ENETUNREACH: ['no_route', 'there is no route to the network'],
  EHOSTDOWN: ['no_route', 'the host is down'],
  EADDRNOTAVAIL: ['no_route', 'no local address could be used to reach the host'],
  EACCES: ['no_route', 'this machine does not allow the connection'],
  EPERM: ['no_route', 'this machine does not allow the connection'],
  ENOTFOUND: ['name_unknown', 'the host name is unknown'],
  EAI_AGAIN: ['name_unknown', 'the name server did not answer'],
  EAI_FAIL: ['name_unknown', 'the name server failed'],
  ETIMEDOUT: ['timed_out', 'the connection timed out'],
  UND_ERR_CONNECT_TIMEOUT: ['timed_out', 'no connection within the time limit'],
  UND_ERR_HEADERS_TIMEOUT: ['timed_out', 'no answer within the time limit'],
  UND_ERR_BODY_TIMEOUT: ['timed_out', 'the answer stopped half way'],
  ECONNRESET: ['reset', 'the connection was reset'],
  ECONNABORTED: ['reset', 'the connection was aborted'],
  EPIPE: ['reset', 'the connection was closed while sending'],
  UND_ERR_SOCKET: ['reset', 'the other side closed the connection'],
  UND_ERR_HEADERS_OVERFLOW: ['too_large', 'the headers of the answer are too large'],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: ['too_large', 'the answer is too large'],
  UND_ERR_INFO: ['not_http', 'the answer is not HTTP'],
  EPROTO: ['tls', 'no TLS connection could be made; perhaps the server speaks plain HTTP'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['tls', 'the server does not speak TLS; perhaps its URL begins with http:'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['tls', 'the server does not speak TLS; perhaps its URL begins with http:'],
  CERT_HAS_EXPIRED: ['tls', "the server's certificate has expired"],
  CERT_NOT_YET_VALID: ['tls', "the server's certificate is not valid yet"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls', "the server's certificate is self-signed"],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls', "the server's certificate comes from an authority that is not trusted here"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls', "the server's certificate comes from an authority that is not trusted here"],
  UNABLE_TO_GET_ISSUER_CERT: ['tls', "the server's certificate comes from an authority that is not trusted here"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'tls',
    "the server's certificate comes from an authority that is not trusted here",
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', "the server's certificate is for another host name"],
}

/** Failures on the way are Errors with a code; several addresses of one name give one Error that holds several. */
function findCode(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined
  if ('code' in error && typeof error.code === 'string') {
    if (error.code !== 'UND_ERR_SOCKET' || error.cause === undefined) return error.code
    return findCode(error.cause, depth + 1) ?? error.code
  }
  if (error instanceof AggregateError) return findCode(error.errors[0], depth + 1)
  return findCode(error.cause, depth + 1)
}

export function classifyFailure(error: unknown): Failure {
  const code = findCode(error)
  const known = code === undefined ? undefined : byCode[code]
  if (known !== undefined) return { kind: 'failed', failure: known[0], said: known[1] }
  if (error instanceof errors.HTTPParserError)
    return { kind: 'failed', failure: 'not_http', said: 'the answer is not HTTP' }
  if (code?.startsWith('ERR_SSL_') || code?.startsWith('ERR_TLS_') || code?.includes('CERT')) {
    return { kind: 'failed', failure: 'tls', said: `no TLS connection could be made (${code})` }
  }
  return { kind: 'failed', failure: 'broken', said: `the request failed${code === undefined ? '' : ` (${code})`}` }
}
