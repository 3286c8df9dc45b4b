/** Who may do what, and with which token: the store decides (contract 1.2, 2.6, weaknesses W5, W12, W17). */
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../../../service.ts'

type Claims = Readonly<Record<string, unknown>>

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Claims
const headerOf = (token: string) => decode(token.split('.')[0])
const claimsOf = (token: string) => decode(token.split('.')[1])

function signedWithSecret(header: Claims, claims: Claims, secret: string): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

const mutations = [
  ['POST', '/v1/users', { id: 'new', pass: 'p' }],
  ['PUT', '/v1/users/other', { pass: 'p' }],
  ['PUT', '/v1/users/plain', { roles: [{ name: 'Admin' }] }],
  ['PUT', '/v1/users/plain', { pass: 'p', roles: [{ name: '' }] }],
  ['DELETE', '/v1/users/other', undefined],
  ['DELETE', '/v1/users/plain', undefined],
  ['POST', '/v1/roles', { name: 'new' }],
  ['PUT', '/v1/roles/some', { desc: 'x' }],
  ['DELETE', '/v1/roles/some', undefined],
  ['POST', '/v1/clusters', { id: 'new' }],
  ['PUT', '/v1/clusters/one', { id: 'one', alias: 'x' }],
  ['DELETE', '/v1/clusters/one', undefined],
  ['PUT', '/v1/daemon', { log: { level: '5' } }],
  ['POST', '/v1/rotate-key', undefined],
] as const
const reads = ['/v1/users', '/v1/users/other', '/v1/daemon'] as const

describe('with RSA', () => {
  let service: TestService
  let admin: string

  const as = (token: string | undefined, method: string, path: string, body?: unknown) =>
    service.request(method, path, { token, ...(body === undefined ? {} : { body }) })
  const statusOf = async (token: string | undefined, path = '/v1/users') => (await as(token, 'GET', path)).status

  async function expectNothingOpens(token: string | undefined, message: RegExp) {
    for (const [method, path, body] of mutations) {
      const answer = await as(token, method, path, body)
      expect([method, path, answer.status, answer.text]).toEqual([method, path, 401, expect.stringMatching(message)])
    }
    for (const path of reads) expect([path, await statusOf(token, path)]).toEqual([path, 401])
  }

  beforeAll(async () => {
    service = await startService({ clusters: ['one'] })
    admin = await service.adminToken()
    await service.makeRole({ name: 'some' })
    await service.makeUser('plain', 'pw', ['some'])
    await service.makeUser('other', 'pw')
  })
  afterAll(() => service[Symbol.asyncDispose]())

  test('nobody may do nothing without a token', () => expectNothingOpens(undefined, /"token required"/))

  test('a plain user changes nothing but the own password', async () => {
    const token = await service.login('plain', 'pw')
    await expectNothingOpens(token, /not authorized: (requires admin )?\(user plain, token expires in /)
    expect(await statusOf(token, '/v1/users/plain')).toBe(200)
    expect((await as(token, 'PUT', '/v1/users/plain', { pass: 'pw2', roles: [] })).status).toBe(200)
    expect(await service.login('plain', 'pw2')).toBeTypeOf('string')
    await as(admin, 'PUT', '/v1/users/plain', { pass: 'pw' })
  })

  test("a former administrator's token says admin, and opens nothing", async () => {
    await service.makeUser('former', 'pw', ['Admin'])
    const token = await service.login('former', 'pw')
    expect(claimsOf(token)).toMatchObject({ admin: true })
    expect(await statusOf(token)).toBe(200)
    expect((await as(admin, 'PUT', '/v1/users/former', { roles: [{ name: 'some' }] })).status).toBe(200)
    await expectNothingOpens(token, /not authorized: (requires admin )?\(user former, /)
  })

  test("a removed user's token opens nothing, and goes on doing so when the name is given anew", async () => {
    await service.makeUser('gone', 'pw', ['Admin'])
    const token = await service.login('gone', 'pw')
    await as(admin, 'DELETE', '/v1/users/gone')
    await expectNothingOpens(token, /invalid token/)
    await service.makeUser('gone', 'other', ['Admin'])
    await expectNothingOpens(token, /invalid token/)
    expect((await as(token, 'PUT', '/v1/users/gone', { pass: 'mine' })).status).toBe(401)
    expect(await service.login('gone', 'other')).toBeTypeOf('string')
  })

  test('the token that clusters are shown opens nothing here', async () => {
    const [shown] = service.cluster('one').handshakes()
    const token = shown?.bearer ?? ''
    expect(claimsOf(token)).toMatchObject({ admin: false, aud: [service.cluster('one').uuid] })
    await expectNothingOpens(token, /invalid token/)
    const seen = (await as(token, 'GET', '/v1/clusters')).text
    expect(seen).toBe((await as(undefined, 'GET', '/v1/clusters')).text)
    expect(await statusOf(token, '/v1/roles')).toBe(401)
  })

  test('a token in another spelling is not that token', async () => {
    const [head, body, signature = ''] = admin.split('.')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const padBit = alphabet.charAt(alphabet.indexOf(signature.slice(-1)) ^ 1)
    const spellings = [
      `${admin}=`,
      `${admin}==`,
      ` ${admin}`,
      `${admin}.`,
      `${head}.${body}`,
      `${head}.${body}.`,
      `${head}.${body}=.${signature}`,
      `${head}.${body}.${signature.slice(0, -1)}${padBit}`,
      admin.replaceAll('-', '+').replaceAll('_', '/'),
    ].filter((spelling) => spelling !== admin)
    for (const spelling of spellings)
      expect([spelling.slice(-9), await statusOf(spelling)]).toEqual([expect.anything(), 401])
  })

  test.each(['none', 'None', 'NONE', ''])('a token of algorithm %j is refused', async (alg) => {
    const [, body, signature] = admin.split('.')
    expect(await statusOf(`${encode({ ...headerOf(admin), alg })}.${body}.`)).toBe(401)
    expect(await statusOf(`${encode({ ...headerOf(admin), alg })}.${body}.${signature}`)).toBe(401)
  })

  test('a token that was signed with our public key as a secret is refused', async () => {
    for (const secret of [service.publicKeyPem, service.publicKeyPem.trim(), '']) {
      for (const header of [
        { ...headerOf(admin), alg: 'HS256' },
        { alg: 'HS256', typ: 'JWT' },
      ]) {
        expect(await statusOf(signedWithSecret(header, claimsOf(admin), secret))).toBe(401)
      }
    }
  })

  test('a token of a foreign key is refused, also where it brings that key along', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = publicKey.export({ format: 'jwk' })
    for (const header of [
      headerOf(admin),
      { ...headerOf(admin), jwk },
      { ...headerOf(admin), kid: 'x' },
      { alg: 'RS256' },
    ]) {
      const signed = `${encode(header)}.${encode(claimsOf(admin))}`
      const signature = createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')
      expect(await statusOf(`${signed}.${signature}`)).toBe(401)
    }
  })

  test('no answer to a bad token shows it', async () => {
    for (const token of [`${admin}x`, 'junk-token-text']) {
      expect((await as(token, 'GET', '/v1/users')).text).not.toContain(token)
      expect((await service.request('DELETE', '/v1/tokens', { body: { token } })).text).not.toContain(token)
    }
  })
})

describe('with a shared secret', () => {
  test('a token needs an end in the future, a subject who exists, and the very secret', async () => {
    await using service = await startService({ algorithm: 'HS256' })
    const token = await service.adminToken()
    const now = Math.floor(Date.now() / 1000)
    // As a server that was replaced issued it, which gives no ids.
    const { jti, ...claimed } = claimsOf(token)
    const good = { ...claimed, exp: now + 60, iat: now }
    const mint = (claims: Claims, secret = service.sharedSecret) => signedWithSecret(headerOf(token), claims, secret)
    const statusOf = async (text: string) => (await service.request('GET', '/v1/users', { token: text })).status

    for (const claims of [good, { ...good, iat: now + 3600 }])
      expect([claims, await statusOf(mint(claims))]).toEqual([claims, 200])
    const bad: Claims[] = [
      { ...good, exp: undefined },
      { ...good, exp: null },
      { ...good, exp: String(now + 60) },
      { ...good, exp: now - 1 },
      { ...good, nbf: now + 60 },
      { ...good, sub: undefined },
      { ...good, sub: '' },
      { ...good, sub: ['admin'] },
      { ...good, sub: 'nobody' },
      { ...good, sub: 'AuthN' },
      // One of ours, of which there is no record.
      { ...good, jti },
    ]
    for (const claims of bad) expect([claims, await statusOf(mint(claims))]).toEqual([claims, 401])
    const foreign = await statusOf(mint(good, `${service.sharedSecret}x`))
    expect(foreign).toBe(401)
  })
})
