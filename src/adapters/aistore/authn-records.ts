/**
 * All that we hold as the records of AuthN's database (contract section 4.3), in the order in which AuthN writes them when
 * it shrinks its file. What AuthN has no place for is told to `findings`.
 */
import type { Role } from '../../core/roles/role.ts'
import type { Held, HeldUser } from '../../core/transfer/export.ts'
import type { Findings } from '../../core/transfer/findings.ts'
import { unusableHash } from '../../core/users/password-hasher.ts'
import { presentCluster, presentRole } from './dialect/present.ts'
import { isBcrypt } from './import/records.ts'

export interface RecordCounts {
  users: number
  roles: number
  clusters: number
  keys: number
  revokedTokens: number
}

/** BuntDB's commands, one a record. `counts` is right when the last one was taken. */
export function* presentAuthnRecords(held: Held, findings: Findings, counts: RecordCounts): Generator<string> {
  for (const cluster of held.clusters) {
    counts.clusters += 1
    yield setCommand(`cluster##${cluster.id}`, JSON.stringify(presentCluster(cluster, true)))
  }
  if (held.keys.length > 0) {
    counts.keys = held.keys.length
    yield setCommand('key##metadata', JSON.stringify({ meta_version: 1, jwks: { keys: held.keys } }))
  }
  yield setCommand('meta##role_user_index', JSON.stringify({ version: 1 }))
  for (const token of held.revokedTokens()) {
    counts.revokedTokens += 1
    yield setCommand(`revoked##${token}`, '"!"')
  }
  const roles = new Map<number, string>()
  const ownRoles = new Map(held.roles.filter(isOwn).map(({ key, name }) => [key, name]))
  for (const role of held.roles) {
    if (isOwn(role)) continue
    counts.roles += 1
    roles.set(role.key, JSON.stringify(presentRole(role)))
    yield setCommand(`role##${role.name}`, JSON.stringify(presentRole(role)))
    if (held.lockedRoles.has(role.key)) findings.add('role_locked', role.name)
  }
  const holders = new Map<number, string[]>()
  for (const user of held.users()) {
    counts.users += 1
    for (const own of user.roleKeys.flatMap((key) => ownRoles.get(key) ?? [])) {
      findings.add('own_role', `${user.name}: ${own}`)
    }
    const roleKeys = user.roleKeys.filter((key) => roles.has(key) && !held.lockedRoles.has(key))
    for (const key of new Set(roleKeys)) noteHolder(holders, key, user.name)
    const copies = roleKeys.map((key) => roles.get(key) ?? '').join(',')
    const pass = Buffer.from(hashFor(user, findings), 'latin1').toString('hex')
    yield setCommand(`user##${user.name}`, `{"id":${JSON.stringify(user.name)},"pass":"${pass}","roles":[${copies}]}`)
  }
  for (const { key, name } of held.roles) {
    const users = holders.get(key)
    if (users !== undefined) yield setCommand(`role_user##${name}`, JSON.stringify({ users }))
  }
}

/** Says what somebody may do at Gatehouse itself, which AuthN knows of Admin alone. */
function isOwn({ authority, isAdministrator }: Role): boolean {
  return authority !== null && !isAdministrator
}

function noteHolder(holders: Map<Role['key'], string[]>, key: number, name: string): void {
  const known = holders.get(key)
  if (known === undefined) holders.set(key, [name])
  else known.push(name)
}

/** AuthN checks bcrypt and nothing else; a user who may not log in here must not be able to there. */
function hashFor(user: HeldUser, findings: Findings): string {
  if (user.isDisabled) findings.add('user_disabled', user.name)
  else if (user.isLocked) findings.add('user_locked', user.name)
  else {
    const hash = [user.passwordHash, user.formerHash].find((known) => known !== undefined && isBcrypt(known))
    if (hash !== undefined) return hash
    findings.add('password_left_behind', user.name)
  }
  return unusableHash
}

function setCommand(key: string, value: string): string {
  return `*3\r\n$3\r\nset\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n$${Buffer.byteLength(value)}\r\n${value}\r\n`
}
