/**
 * What was odd in data that was taken over or given back, and what was made of it. Nothing odd stops a transfer, and nothing
 * odd goes by without a word.
 */

/** repaired: taken, mended; set_aside: not taken; ours_kept: we hold something else; note: taken as it is. */
export type FindingOutcome = 'repaired' | 'set_aside' | 'ours_kept' | 'note'

const kinds = {
  log_torn: ['set_aside', 'the file ends in the middle of its last record, which was never written whole'],
  log_damaged: ['set_aside', 'the file is damaged there: what those bytes held is not known'],
  record_unreadable: ['set_aside', 'the record is empty or is not what its kind holds'],
  collection_unknown: ['set_aside', 'nothing is known of records of this kind'],
  entry_empty: ['repaired', 'empty entries were left out'],
  entry_unreadable: ['set_aside', 'entries that can not be read were left out: look what the role is to grant'],
  id_differs: ['repaired', 'the record names itself otherwise than its key, which counts'],
  name_unusable: ['set_aside', 'the name is empty, reserved, too long, or holds control characters'],
  name_irregular: ['note', 'the name breaks the rule for new names, and works on'],
  user_password_unusable: [
    'repaired',
    'the password hash is not bcrypt, or too costly to check: the user needs a new password to log in',
  ],
  user_role_unknown: ['repaired', 'the user was left without a role that does not exist'],
  user_roles_by_name: ['repaired', 'roles were listed by their names, as old versions do'],
  user_role_outdated: ['repaired', 'the copy of a role in the user differed from the role, which counts'],
  role_not_administrator: ['repaired', 'marked as administrator, which only the role Admin is; its grants were taken'],
  role_built_in: ['note', 'the role Admin holds grants of its own, which it does not need'],
  cluster_alias_taken: ['repaired', 'the alias is that of another cluster: taken without it'],
  cluster_name_taken: ['set_aside', 'the id is the alias of another cluster here'],
  cluster_url_unusable: ['repaired', 'a URL that can not be used was left out'],
  cluster_without_url: ['note', 'there is no URL, so it is never told of a revocation: set one'],
  token_unreadable: ['set_aside', 'what was revoked is no token, so nobody accepts it'],
  token_without_expiry: ['note', 'the token never ends, and stays revoked for good'],
  key_unreadable: ['set_aside', 'a public key that can not be read: tokens that it signed are refused'],
  key_retired: ['ours_kept', 'the key was retired here, and stays so'],
  signing_key_absent: [
    'note',
    'there is no private key: another one signs new tokens, so clusters with a static key need it',
  ],
  signing_key_differs: ['ours_kept', 'another key signs here: clusters with a static key need that one'],
  secret_differs: ['ours_kept', 'tokens were signed with a shared secret that is not the one here: those are refused'],
  settings_unreadable: ['set_aside', 'the configuration can not be read; set what matters by hand'],
  setting_differs: ['ours_kept', 'set otherwise there; what counts is the setting here'],
  user_differs: ['ours_kept', 'a user of this name is there with another password or other roles'],
  role_differs: ['ours_kept', 'a role of this name is there with another description or other grants'],
  cluster_differs: ['ours_kept', 'a cluster of this id is there with another alias or other URLs'],
  administrator_absent: ['note', 'nobody administers: the next start makes an administrator'],
  password_left_behind: [
    'repaired',
    'the password hash is of a kind that AuthN can not check: a new password is needed there',
  ],
  user_disabled: ['set_aside', 'the user is disabled, which AuthN does not know: no password works there'],
  user_locked: ['set_aside', 'the user is locked, which AuthN does not know: no password works there'],
  own_role: ['set_aside', 'what the role allows at Gatehouse itself, AuthN does not know: it stays here'],
  role_locked: ['set_aside', 'the role is locked, which AuthN does not know: nobody has it there'],
} as const satisfies Readonly<Record<string, readonly [outcome: FindingOutcome, says: string]>>

export type FindingKind = keyof typeof kinds

export interface Finding {
  readonly kind: FindingKind
  readonly outcome: FindingOutcome
  /** For people. */
  readonly says: string
  readonly count: number
  /** What it was found in: names, ids, places. The first thousand of them. */
  readonly where: readonly string[]
}

export interface Findings {
  /** `where` is a name, never a secret or a token. It may come from anywhere: what could harm a screen or a log is taken out. */
  add(kind: FindingKind, where: string): void
  /** In the order in which the kinds came up. */
  list(): readonly Finding[]
}

/** However much is odd, only so much of it is kept. */
const namesKept = 1000

const longestShown = 200

function showable(where: string): string {
  const cut = where.length > longestShown ? `${where.slice(0, longestShown)}…` : where
  return cut.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd')
}

export function createFindings(): Findings {
  const found = new Map<FindingKind, { count: number; readonly where: string[] }>()
  return {
    add(kind, where) {
      const known = found.get(kind) ?? { count: 0, where: [] }
      known.count += 1
      if (known.where.length < namesKept) known.where.push(showable(where))
      found.set(kind, known)
    },
    list: () =>
      [...found].map(([kind, { count, where }]) => {
        const [outcome, says] = kinds[kind]
        return { kind, outcome, says, count, where: [...where] }
      }),
  }
}
