/**
 * Tokens made without logging in, since passwords are slow on purpose: signed with the service's own key, unknown to its
 * table. It must take them, as it takes the tokens of a server whose place and key it took.
 */
import { createHmac, createPrivateKey, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { call } from './calls.ts'
import { issuerUrl, type Server } from './server.ts'

export interface Minter {
  mint(subject: string): Promise<string>
  /** As long as a real one and as random, but with a signature of nothing: for tokens that nobody verifies. */
  fake(subject: string): string
}

/** By which a token is known where texts would take too much room: the end of its signature. */
export function tokenMark(token: string): string {
  return token.slice(-24)
}

const lifetimeSeconds = 86_400
const signaturesAtOnce = 16
const signAsync = promisify<string, Buffer, KeyObject, Buffer>(sign)

/** @param clusterIds clusters that the tokens are good for */
export async function createMinter(
  server: Pick<Server, 'port'>,
  folder: string,
  sharedSecret: string | undefined,
): Promise<Minter> {
  const key = sharedSecret === undefined ? createPrivateKey(await readFile(join(folder, 'authn_rsa.key'))) : undefined
  const header = { alg: key ? 'RS256' : 'HS256', ...(key ? { kid: await readKid(server) } : {}), typ: 'JWT' }
  const head = encode(header)

  async function makeSignature(signed: string): Promise<Buffer> {
    if (key !== undefined) return signAsync('sha256', Buffer.from(signed), key)
    return createHmac('sha256', sharedSecret ?? '')
      .update(signed)
      .digest()
  }

  return {
    async mint(subject) {
      const signed = `${head}.${encode(claimsOf(subject))}`
      return `${signed}.${(await makeSignature(signed)).toString('base64url')}`
    },
    fake: (subject) => `${head}.${encode(claimsOf(subject))}.${randomBytes(key ? 256 : 32).toString('base64url')}`,
  }
}

export async function mintMany(minter: Minter, subject: string, count: number): Promise<readonly string[]> {
  const tokens: string[] = []
  async function mintNext(): Promise<void> {
    while (tokens.length < count) {
      const at = tokens.push('') - 1
      tokens[at] = await minter.mint(subject)
    }
  }
  await Promise.all(Array.from({ length: signaturesAtOnce }, mintNext))
  return tokens
}

/** What a user of one cluster gets. */
function claimsOf(subject: string) {
  const iat = Math.floor(Date.now() / 1000)
  const clusters = [{ id: 'bench-cluster-0', perm: '831' }]
  const names = { iss: issuerUrl, sub: subject, aud: ['bench-cluster-0'] }
  return { clusters, admin: false, ...names, exp: iat + lifetimeSeconds, iat, jti: randomUUID() }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

async function readKid({ port }: Pick<Server, 'port'>): Promise<string> {
  const { text } = await call(port, { method: 'GET', path: '/.well-known/jwks.json' })
  const { keys } = JSON.parse(text) as { keys: readonly { kid: string }[] }
  const kid = keys.at(-1)?.kid
  if (kid === undefined) throw new Error('the service shows no key')
  return kid
}
