/** Creations that are asked for twice under one Idempotency-Key happen once. */
import { createHash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { DomainError } from '../core/errors.ts'
import { type Once, type OnceStore, onceKeptMs } from '../core/once.ts'
import type { Principal } from '../core/sessions/principal.ts'
import { RequestError } from './validate.ts'

/** What a request says of itself. */
export interface RequestKey {
  readonly key: string
  readonly digest: string
}

interface Answer {
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** Runs `create`, or answers as it was answered under the key before. */
export type RunOnce = <T, A extends Answer>(
  request: { readonly principal: Principal; readonly key: RequestKey | undefined },
  create: (options: { readonly once?: Once<T> }) => Promise<T>,
  answer: (made: T) => A,
) => Promise<A>

/** @throws RequestError where the header is no key */
export function readRequestKey(
  header: string | undefined,
  request: { readonly method: string; readonly path: string; readonly body: string },
): RequestKey | undefined {
  if (header === undefined) return undefined
  if (!/^[\x21-\x7e]{1,255}$/.test(header)) {
    const detail = 'must be 1 to 255 visible ASCII characters'
    throw new RequestError(422, `Idempotency-Key ${detail}.`, [{ in: 'header', field: 'Idempotency-Key', detail }])
  }
  const { method, path, body } = request
  return { key: header, digest: createHash('sha256').update(`${method} ${path}\n${body}`).digest('base64url') }
}

export function createRunOnce({ once: store, clock }: { readonly once: OnceStore; readonly clock: Clock }): RunOnce {
  const underWay = new Set<string>()

  /** @throws DomainError idempotency_key_reused */
  async function findAnswer<A extends Answer>(userKey: number, { key, digest }: RequestKey): Promise<A | undefined> {
    const kept = await store.find({ userKey, key }, new Date(clock.now().getTime() - onceKeptMs))
    if (kept === undefined) return undefined
    if (kept.digest !== digest) throw new DomainError('idempotency_key_reused', { key })
    const first = JSON.parse(kept.answer) as A
    return { ...first, headers: { ...first.headers, 'Idempotency-Replayed': 'true' } }
  }

  return async ({ principal, key: request }, create, answer) => {
    if (request === undefined) return answer(await create({}))
    const { userKey } = principal
    const { key, digest } = request
    const place = `${userKey} ${key}`
    if (underWay.has(place)) throw new DomainError('idempotency_key_busy', { key })
    underWay.add(place)
    try {
      const first = await findAnswer<ReturnType<typeof answer>>(userKey, request)
      if (first !== undefined) return first
      const made = await create({ once: { key, userKey, digest, answer: (thing) => JSON.stringify(answer(thing)) } })
      return answer(made)
    } finally {
      underWay.delete(place)
    }
  }
}
