import type { Role } from './role.ts'

export interface RoleSearch {
  /**
   * Up to `limit` roles by name, after the one named `after`; with `clusters` only those that have an entry for one of
   * them, as it was written: id or alias.
   */
  find(
    filter: { readonly prefix?: string; readonly clusters?: readonly string[] },
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly Role[]>
}
