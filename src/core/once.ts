/**
 * A creation that is asked for again under the same key happens once: the key is kept in the transaction of the creation,
 * with the answer, so that there are both or neither.
 */

export interface Once<T> {
  /** Chosen by the caller. */
  readonly key: string
  /** Whose key it is: those of different callers never meet. */
  readonly userKey: number
  /** Tells one request from another. Sealed at rest, since a password may have gone into it. */
  readonly digest: string
  /** What is answered now and again, from what was made. Runs inside the transaction: must be pure. No secret in it. */
  readonly answer: (made: T) => string
}

/** A creation may be asked for under a key. */
export interface Repeatable<T> {
  readonly once?: Once<T>
}

export interface KeptAnswer {
  readonly digest: string
  readonly answer: string
}

/** For so long a key is remembered. */
export const onceKeptMs = 24 * 3_600_000

export interface OnceStore {
  /** What was answered under the key at or after `since`. */
  find(which: Pick<Once<unknown>, 'userKey' | 'key'>, since: Date): Promise<KeptAnswer | undefined>
  /** Forgets up to `limit` keys from before `before`; answers how many, 0 = none is left. */
  purge(before: Date, limit: number): Promise<number>
}
