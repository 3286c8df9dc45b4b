/** The store can't be opened. The message is one sentence for the person who started the program; it holds no secret. */
export class StoreOpenError extends Error {
  override readonly name: string = 'StoreOpenError'
}

/** A program of a later version has changed the database's shape; this one must not write to it. */
export class DatabaseTooNewError extends StoreOpenError {
  override readonly name: string = 'DatabaseTooNewError'
}
