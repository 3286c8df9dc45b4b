/** Hashing of passwords on the thread pool, never more at once than the machine has cores for. */
export interface PasswordHasher {
  /** argon2id at OWASP's cost, PHC string. Any length of password. */
  hash(password: string): Promise<string>
  /**
   * Verifies argon2id and bcrypt (`$2a$`, `$2b$`, `$2y$`: only the first 72 bytes count, as where it was made).
   * `isOutdated` = verified, but to be hashed anew. An undefined hash costs the same work and is never verified, so that
   * unknown users can't be told from known ones by time.
   */
  verify(password: string, hash: string | undefined): Promise<{ readonly isVerified: boolean; readonly isOutdated: boolean }>
}
