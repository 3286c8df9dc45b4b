/**
 * The native API as the commands call it. Written upon node:http, since loading fetch takes as long as a whole short
 * command.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { ProblemBody } from '../http/routes/shapes/problem.ts'
import {
  CredentialsError,
  InterruptedError,
  NotAuthorizedError,
  RefusedError,
  UnreachableError,
} from './client-errors.ts'

export interface Api {
  /**
   * The answer's body. The path stands below /api/v1.
   * @throws UnreachableError, NotAuthorizedError, RefusedError
   */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** The same with the thing's entity tag, to read; and on condition that it still has one, to change. */
  tagged<T>(
    method: string,
    path: string,
    given?: { readonly body?: unknown; readonly ifMatch?: string },
  ): Promise<{ readonly body: T; readonly etag: string | undefined }>
  /** All pages of a list, at most `limit` items. @throws as `call` */
  list<T>(path: string, limit: number): Promise<T[]>
}

interface ApiDeps {
  readonly url: string
  readonly token: { readonly text: string; readonly origin: string } | undefined
  readonly caFile: string | undefined
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly etag: string | undefined
  readonly text: string
}

const timeoutMs = 60_000
const maximumPage = 1000
const noContent = 204

export async function createApi(deps: ApiDeps): Promise<Api> {
  const ca = deps.caFile === undefined ? undefined : await readCa(deps.caFile)
  const { request } = deps.url.startsWith('https:') ? await import('node:https') : await import('node:http')

  function send(method: string, path: string, body: string | undefined, ifMatch?: string): Promise<Answer> {
    const options: RequestOptions & { ca?: Buffer } = {
      method,
      signal: deps.signal,
      timeout: timeoutMs,
      // One request follows another while something is watched.
      headers: {
        Accept: 'application/json',
        ...(deps.token && { Authorization: `Bearer ${deps.token.text}` }),
        ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
        ...(body !== undefined && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      },
      ...(ca && { ca }),
    }
    return new Promise((resolve, reject) => {
      const sent = request(`${deps.url}/api/v1${path}`, options, (incoming) => {
        const { statusCode: status = 0, headers } = incoming
        readText(incoming).then((text) => resolve({ status, etag: headers.etag, text }), reject)
      })
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
      sent.on('error', reject)
      sent.end(body)
    })
  }

  const tagged: Api['tagged'] = async <T>(
    method: string,
    path: string,
    { body, ifMatch }: NonNullable<Parameters<Api['tagged']>[2]> = {},
  ) => {
    let answer: Answer
    try {
      answer = await send(method, path, body === undefined ? undefined : JSON.stringify(body), ifMatch)
    } catch (error) {
      throw deps.signal.aborted ? explainEnd(method, error) : explainSilence(error, deps.url)
    }
    if (answer.status >= 300) throw explainRefusal(answer, deps)
    return { body: (answer.status === noContent ? undefined : parse(answer, deps.url)) as T, etag: answer.etag }
  }

  const call = async <T>(method: string, path: string, body?: unknown) => (await tagged<T>(method, path, { body })).body

  return {
    call,
    tagged,
    async list<T>(path: string, limit: number) {
      const items: T[] = []
      let cursor = ''
      for (;;) {
        const page = Math.min(limit - items.length, maximumPage)
        const separator = path.includes('?') ? '&' : '?'
        const answer = await call<{ items: T[]; next: string | null }>(
          'GET',
          `${path}${separator}limit=${page}${cursor}`,
        )
        if (!Array.isArray(answer.items)) throw notGatehouse(deps.url, 'a list without items')
        items.push(...answer.items)
        if (answer.next === null || items.length >= limit) return items
        cursor = `&cursor=${answer.next}`
      }
    },
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

async function readCa(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CredentialsError(`can't read the certificates in ${file}: check the path, its owner and mode`, { cause })
  }
}

/** Every answer of the native API that has a body is a JSON object. @throws UnreachableError */
function parse({ status, text }: Answer, url: string): object {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw notGatehouse(url, `HTTP ${status}, no JSON`)
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  if (!isObject || Object.keys(parsed as object).length === 0) throw notGatehouse(url, `HTTP ${status}, other JSON`)
  return parsed as object
}

function notGatehouse(url: string, said: string): UnreachableError {
  return new UnreachableError(`what answers at ${url} is not Gatehouse (${said}): check --url`)
}

const networkReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name can not be looked up now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ECONNRESET: 'the connection was cut',
  EPROTO: 'it does not speak TLS: try http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: try http://',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody known: name the signer with --ca-file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody known: name the signer with --ca-file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody known: name the signer with --ca-file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by nobody known: name the signer with --ca-file',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is made out to another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

function explainEnd(method: string, cause: unknown): InterruptedError {
  const what =
    method === 'GET' ? 'nothing was read' : 'the server may have done it all the same: look before you try again'
  return new InterruptedError(`interrupted: ${what}`, { cause })
}

function explainSilence(error: unknown, url: string): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const reason = networkReasons[code] ?? error.message
  const next = 'Check that the service runs, and the address (--url or GATEHOUSE_URL).'
  return new UnreachableError(`can't reach Gatehouse at ${url}: ${reason}. ${next}`, { cause: error })
}

function explainRefusal(answer: Answer, { url, token }: ApiDeps): Error {
  const problem = readProblem(answer.text)
  if (problem === undefined) {
    return notGatehouse(url, `HTTP ${answer.status}`)
  }
  const { status } = answer
  const { code, detail } = problem
  if (code === 'token_required') {
    return new NotAuthorizedError(status, `you are not logged in at ${url}: gatehouse login --url ${url}`)
  }
  if (status === 401) {
    const origin = token === undefined || !code.startsWith('token_') ? '' : ` (The token is from ${token.origin}.)`
    return new NotAuthorizedError(status, `${detail}${origin}`)
  }
  if (status === 403) return new NotAuthorizedError(status, detail)
  const said = status >= 500 ? `${detail} (request ${problem.requestId})` : detail
  return new RefusedError(status, code, said, problem.fields)
}

function readProblem(text: string): ProblemBody | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const isProblem = typeof parsed === 'object' && parsed !== null && 'code' in parsed && 'detail' in parsed
    return isProblem ? (parsed as ProblemBody) : undefined
  } catch {
    return undefined
  }
}
