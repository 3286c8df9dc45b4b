/**
 * Tells whether an answer that was built earlier may still be given.
 *
 * `directory()` is a number that differs as soon as a user, a role, a cluster, a key or a setting has changed, whichever
 * process changed it. Reading it is cheap (about a microsecond).
 */
export interface Revisions {
  directory(): number
}
