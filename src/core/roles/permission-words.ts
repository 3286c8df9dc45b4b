/** Permissions of a grant as lists of names: what people read and write in place of a kind's own encoding. */
export interface PermissionWords {
  /** Every name, in the order in which lists of them are shown. */
  readonly names: readonly string[]
  /**
   * The grant's permissions for these names, in any case and order. Shorthands for several are taken, too.
   * @throws DomainError field_invalid (permissions) that says which name is unknown, and which may be meant
   */
  parse(names: readonly string[]): string
  /** Nothing is lost: what is parsed from it is the same. */
  present(permissions: string): readonly string[]
}
