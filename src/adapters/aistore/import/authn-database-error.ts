/** The database can't be read at all. The message is one line for the operator. */
export class AuthnDatabaseError extends Error {
  override readonly name = 'AuthnDatabaseError'
}
