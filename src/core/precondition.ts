/**
 * What must be true of a thing, as it is now, for a change of it to go on. It runs inside the transaction of the change, so
 * that nothing comes between: it must be pure. Undefined = there is no such thing.
 * @throws DomainError precondition_failed
 */
export type Precondition<T> = (current: T | undefined) => void

/** A change may be made under a condition. */
export interface Conditional<T> {
  readonly precondition?: Precondition<T>
}
