import type { Cluster } from '../clusters/cluster.ts'
import type { JsonObject } from '../json.ts'
import type { User } from '../users/user.ts'
import type { Reach } from './token-store.ts'

/** How the tokens of one kind of cluster are filled: claims and audience from a user's roles. */
export interface TokenProfile {
  readonly name: string
  present(
    user: User,
    clusters: readonly Cluster[],
  ): {
    readonly claims: JsonObject
    readonly audience: readonly string[]
    /** Which clusters would take a token with these claims. */
    readonly reach: Reach
  }
}
