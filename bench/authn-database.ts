/** A database as a large AuthN leaves it: BuntDB's log, users with whole copies of their roles (contract section 4.3). */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'

export interface AuthnDatabaseSize {
  readonly users: number
  readonly roles: number
  readonly revokedTokens: number
}

const bufferedCharacters = 1 << 22
const dayMs = 86_400_000

/** Writes it to a new file. Every user has two roles; hashes and signatures have the right form and fit nothing. */
export function writeAuthnDatabase(file: string, size: AuthnDatabaseSize, now = new Date()): void {
  const descriptor = openSync(file, 'wx', 0o600)
  let buffered = ''
  const set = (key: string, value: string) => {
    buffered += command('set', key, value)
    if (buffered.length < bufferedCharacters) return
    writeSync(descriptor, buffered)
    buffered = ''
  }
  set('role##Admin', administratorRole)
  set('user##admin', userRecord('admin', [administratorRole]))
  set('cluster##bench-cluster', '{"id":"bench-cluster","alias":"bench","urls":["http://127.0.0.1:1"]}')
  const roles = Array.from({ length: size.roles }, (_, number) => roleRecord(`role-${number}`))
  for (const [number, role] of roles.entries()) set(`role##role-${number}`, role)
  for (let number = 0; number < size.users; number += 1) {
    const held = [roles[number % size.roles], roles[(number * 7 + 1) % size.roles]].filter((role) => role !== undefined)
    set(`user##user-${number}`, userRecord(`user-${number}`, held))
  }
  for (let number = 0; number < size.revokedTokens; number += 1) set(`revoked##${token(number, now)}`, '"!"')
  writeSync(descriptor, buffered)
  closeSync(descriptor)
}

/** One of BuntDB's commands, in Redis' protocol. */
export function command(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`
}

const administratorRole = '{"name":"Admin","desc":"AuthN administrator","clusters":null,"buckets":null,"admin":true}'

function roleRecord(name: string): string {
  const bucket = { name: `bucket-of-${name}`, provider: 'ais', namespace: { uuid: 'bench-cluster', name: '' } }
  const clusters = [{ id: 'bench-cluster', perm: '771' }]
  return JSON.stringify({
    name,
    desc: `made by the bench: ${name}`,
    clusters,
    buckets: [{ bck: bucket, perm: '831' }],
    admin: false,
  })
}

function userRecord(id: string, roles: readonly string[]): string {
  const salted = randomBytes(40).toString('base64').replace(/[+=]/g, '.').slice(0, 53)
  const pass = Buffer.from(`$2a$10$${salted}`).toString('hex')
  return `{"id":"${id}","pass":"${pass}","roles":[${roles.join(',')}]}`
}

function token(number: number, now: Date): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(now.getTime() / 1000)
  const clusters = [{ id: 'bench-cluster', perm: '771' }]
  const claims = { clusters, admin: false, iss: 'https://authn.example', sub: `user-${number}`, aud: ['bench-cluster'] }
  const times = { exp: iat + (30 * dayMs) / 1000 + number, iat }
  const signature = randomBytes(256).toString('base64url')
  return `${encode({ alg: 'RS256', kid: 'bench-key', typ: 'JWT' })}.${encode({ ...claims, ...times })}.${signature}`
}
