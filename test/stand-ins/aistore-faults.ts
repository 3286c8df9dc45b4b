/** Ways in which a cluster, or the network before it, goes wrong. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ReadRequest } from './aistore-answers.ts'

export type Fault =
  /** An answer of its own, before anything else is looked at. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Takes the request and never answers. */
  | { readonly kind: 'black_hole' }
  /** Answers rightly, after so many milliseconds of real time. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Is looked at and answered rightly, but only when released; see `release`. */
  | { readonly kind: 'held' }
  /** Closes the connection with RST before an answer. */
  | { readonly kind: 'reset' }
  /** Promises 1000 bytes, sends a few and closes; the request itself was not looked at. */
  | { readonly kind: 'half_answer' }
  /** Bytes that are not HTTP. */
  | { readonly kind: 'not_http' }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }

export interface FaultScope {
  /** Requests of that path only, for instance `/v1/tokens`; default all. */
  readonly path?: string
  readonly method?: string
  /** One proxy only. */
  readonly proxy?: number
  /** Ends by itself after so many requests. */
  readonly times?: number
}

export interface Faults {
  set(fault: Fault | undefined, scope?: FaultScope): void
  /** Lets go of the requests that a `held` fault keeps. */
  release(): void
  /** How many requests a `held` fault keeps. */
  held(): number
  /** The status with which the request was dealt with here (0: no HTTP answer); undefined = go on. May wait first. */
  apply(request: ReadRequest, message: IncomingMessage, response: ServerResponse): Promise<number | undefined>
}

export function createFaults(): Faults {
  let current: { fault: Fault; scope: FaultScope; left: number } | undefined
  let waiting: (() => void)[] = []

  function take({ path, method, proxy }: ReadRequest): Fault | undefined {
    if (current === undefined) return undefined
    const { scope } = current
    if (scope.path !== undefined && scope.path !== path) return undefined
    if (scope.method !== undefined && scope.method !== method) return undefined
    if (scope.proxy !== undefined && scope.proxy !== proxy) return undefined
    const { fault } = current
    current.left -= 1
    if (current.left <= 0) current = undefined
    return fault
  }

  function release() {
    const freed = waiting
    waiting = []
    for (const go of freed) go()
  }

  return {
    set(fault, scope = {}) {
      current = fault === undefined ? undefined : { fault, scope, left: scope.times ?? Number.POSITIVE_INFINITY }
      if (fault?.kind !== 'held') release()
    },
    release,
    held: () => waiting.length,
    async apply(request, message, response) {
      const fault = take(request)
      if (fault === undefined) return undefined
      if (fault.kind === 'slow') await new Promise<void>((go) => setTimeout(go, fault.ms))
      else if (fault.kind === 'held') await new Promise<void>((go) => waiting.push(go))
      else return misbehave(fault, message, response)
      return undefined
    },
  }
}

function misbehave(fault: Fault, message: IncomingMessage, response: ServerResponse): number {
  switch (fault.kind) {
    case 'answer':
      response.writeHead(fault.status, fault.headers ?? {}).end(fault.body ?? '')
      return fault.status
    case 'redirect':
      response.writeHead(fault.status ?? 307, { Location: fault.location }).end()
      return fault.status ?? 307
    case 'reset':
      message.socket.resetAndDestroy()
      return 0
    case 'half_answer':
      response.writeHead(200, { 'Content-Length': '1000' })
      response.write('{"half":', () => message.socket.destroy())
      return 0
    case 'not_http':
      message.socket.end('no such protocol here\r\n\r\n')
      return 0
    default:
      return 0
  }
}
