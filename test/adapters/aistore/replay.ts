/**
 * Plays the recorded examples of the real AuthN against the service: each transcript on a fresh server, step by step,
 * and says where the answers differ in meaning. The rules are those of the README that came with the records.
 */
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compare, type Difference, normalize, type Places, parseJson } from './replay-compare.ts'
import type { Stub, StubCall } from './replay-stub.ts'

interface TokenRecord {
  readonly header: Record<string, unknown>
  readonly life: number
  readonly claims: Record<string, unknown>
}

interface CallRecord {
  readonly method: string
  readonly path: string
  readonly content_type: string
  readonly body: string
  readonly bearer: TokenRecord
}

export interface StepRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly raw?: string
  readonly auth?: string | { readonly mint: Record<string, unknown> }
}

export interface Step {
  readonly name: string
  readonly req?: StepRequest
  readonly save?: Record<string, string>
  readonly token?: boolean
  readonly must?: readonly string[]
  readonly must_not?: readonly string[]
  readonly unordered?: boolean
  readonly cluster_calls?: number
  readonly res: {
    readonly status?: number
    readonly headers?: Record<string, string>
    readonly text?: string
    readonly token?: TokenRecord
    readonly calls?: readonly CallRecord[]
  }
}

export interface Target {
  /** Where the service is, which is its external URL too. */
  readonly base: string
  readonly user: string
  readonly password: string
  /** Signs the tokens that a step asks to be minted. */
  readonly secret: string
  readonly stub: Stub
}

export function loadTranscript(name: string): Step[] {
  const text = readFileSync(new URL(`./examples/${name}.jsonl`, import.meta.url), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Step)
}

/** How long a push may take to arrive after the answer. */
const arrivalLimitMs = 2000
const absent = { status: 0, headers: new Headers(), text: '' }

function decode(token: string): TokenRecord {
  const [header, claims] = token.split('.').map((part) => parseJson(Buffer.from(part, 'base64url').toString()))
  const { exp, iat } = claims as { exp: number; iat: number }
  return { header: header as never, life: exp - iat, claims: claims as never }
}

function mintToken(claims: Record<string, unknown>, secret: string): string {
  const now = Math.floor(Date.now() / 1000)
  const absolute = Object.entries(claims).map(([name, value]) => [
    name,
    ['exp', 'iat', 'nbf'].includes(name) ? now + Number(value) : value,
  ])
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(Object.fromEntries(absolute))}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** The members of a handshake that clusters look at; the rest of the section is zero values (contract 3.1). */
function presentCallBody(text: string): unknown {
  const body = parseJson(text)
  if (typeof body !== 'object' || body === null || 'tokens' in body) return body
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => /secret|public_key/.test(name) && value))
}

/** Calls to one cluster come in order, calls to different ones need not. */
function groupCalls<T>(calls: readonly T[], audienceOf: (call: T) => unknown): T[] {
  const key = (call: T) => JSON.stringify(audienceOf(call))
  return [...calls].sort((one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0))
}

export function createReplayer(target: Target) {
  const saved = new Map<string, string>([
    ['USER', target.user],
    ['PASS', target.password],
    ['STUB', target.stub.url],
  ])
  const places: Places = { base: target.base, stub: target.stub.url }

  function fill(text: string): string {
    return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => saved.get(name) ?? `{{${name}}}`)
  }

  function authorize(auth: StepRequest['auth']): Record<string, string> {
    if (auth === undefined) return {}
    const token = typeof auth === 'string' ? fill(`{{${auth}}}`) : mintToken(auth.mint, target.secret)
    return { Authorization: `Bearer ${token}` }
  }

  async function send(request: StepRequest) {
    const given = Object.entries(request.headers ?? {}).map(([name, value]) => [name, fill(value)])
    const body = request.raw ?? (request.body === undefined ? undefined : fill(JSON.stringify(request.body)))
    try {
      const answer = await fetch(`${target.base}${fill(request.path)}`, {
        method: request.method,
        headers: { ...authorize(request.auth), ...Object.fromEntries(given) },
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      })
      return { status: answer.status, headers: answer.headers, text: await answer.text() }
    } catch {
      return absent
    }
  }

  function comparePhrases(step: Step, text: string): Difference[] {
    const lacking = (step.must ?? []).filter((phrase) => !text.includes(phrase))
    const unwanted = (step.must_not ?? []).filter((phrase) => text.includes(phrase))
    return [
      ...lacking.map((phrase) => ({ path: `must ${phrase}`, recorded: phrase, got: text })),
      ...unwanted.map((phrase) => ({ path: `must not ${phrase}`, recorded: phrase, got: text })),
    ]
  }

  async function playRequest(step: Step, request: StepRequest): Promise<Difference[]> {
    const { res } = step
    const answer = await send(request)
    const body = parseJson(answer.text)
    for (const [name, member] of Object.entries(step.save ?? {})) {
      saved.set(name, String((body as Record<string, unknown> | null)?.[member]))
    }
    const headers = Object.fromEntries(Object.keys(res.headers ?? {}).map((name) => [name, answer.headers.get(name)]))
    const recordedBody = normalize(parseJson(res.text ?? ''), places)
    return [
      ...compare('status', res.status, answer.status),
      ...compare('headers', res.headers ?? {}, headers),
      ...compare('body', recordedBody, normalize(body, places), step.unordered),
      ...(step.token === true && answer.status === 200
        ? compare('token', res.token, normalize(decode((body as { token: string }).token), places))
        : []),
      ...comparePhrases(step, answer.text),
    ]
  }

  async function awaitCalls(count: number): Promise<readonly StubCall[]> {
    const startedAt = performance.now()
    while (target.stub.count() < count && performance.now() - startedAt < arrivalLimitMs) {
      await new Promise<void>((resolve) => setTimeout(resolve, 5))
    }
    return target.stub.take()
  }

  async function playCalls(step: Step, count: number): Promise<Difference[]> {
    const taken = (await awaitCalls(count)).map((call) => ({
      method: call.method,
      path: call.path,
      content_type: call.contentType,
      body: presentCallBody(call.body),
      bearer: decode(call.bearer),
    }))
    const recorded = (step.res.calls ?? []).map((call) => ({ ...call, body: presentCallBody(call.body) }))
    const lengths = compare('calls.length', recorded.length, taken.length)
    const got = groupCalls(taken, ({ bearer }) => bearer.claims.aud).slice(0, recorded.length)
    const wanted = groupCalls(recorded, ({ bearer }) => bearer.claims.aud).slice(0, taken.length)
    return [...lengths, ...compare('calls', normalize(wanted, places), normalize(got, places))]
  }

  return {
    /** Plays one step; `request` takes the place of the recorded one. Answers where the outcome differs. */
    async play(step: Step, request: StepRequest | undefined = step.req): Promise<Difference[]> {
      if (step.cluster_calls !== undefined) return playCalls(step, step.cluster_calls)
      if (request === undefined) throw new Error(`${step.name}: neither a request nor cluster calls`)
      return playRequest(step, request)
    },
    /** Sends a request that is not in the record, and forgets what the cluster was told meanwhile. */
    async restore(request: StepRequest): Promise<void> {
      const answer = await send(request)
      if (answer.status !== 200) throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.text}`)
      target.stub.take()
    },
  }
}
