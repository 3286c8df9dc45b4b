import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createHandClock } from '../clock.ts'
import { type AistoreCluster, type AistoreVersion, startAistoreCluster, type Trust } from './aistore.ts'
import { createRsaPair, createSecret, type MintKey, mint, type RsaPair, rsaKey, secretKey } from './aistore-mint.ts'
import { type Bit, bits } from './aistore-permissions.ts'
import { hashSecret } from './aistore-tokens.ts'

const secret = createSecret()
const shared: Trust = { kind: 'shared_secret', secret }
const signer = secretKey(secret)
const pair = createRsaPair('one')
const other = createRsaPair('two')

async function call(cluster: AistoreCluster, method: string, path: string, options: CallOptions = {}) {
  const { token, body, proxy = 0 } = options
  const answer = await fetch(`${cluster.urls[proxy]}${path}`, {
    method,
    redirect: 'manual',
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}
interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  readonly proxy?: number
}

async function startIssuer(pairs: RsaPair[]) {
  let fetches = 0
  const server = createServer((request, response) => {
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const isKeys = request.url === '/keys'
    if (isKeys) fetches += 1
    response.end(
      JSON.stringify(isKeys ? { keys: pairs.map(({ jwk }) => jwk) } : { issuer, jwks_uri: `${issuer}/keys` }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fetches: () => fetches,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

/** What each version says to each body, with no bearer at all: contract table 3.4. */
const trusts = { 'a shared secret': shared, 'a static key': { kind: 'static_key', pem: pair.pem } } as const
const handshakes: [AistoreVersion, keyof typeof trusts, string, Record<string, unknown>, number][] = [
  ['4.1', 'a shared secret', 'the right hash', { secret: hashSecret(secret) }, 200],
  ['4.1', 'a shared secret', 'a wrong hash', { secret: hashSecret('x') }, 400],
  ['4.1', 'a shared secret', 'neither', { secret: '' }, 400],
  ['4.1', 'a static key', 'bare DER', { public_key: pair.bareDer }, 200],
  ['4.1', 'a static key', 'PEM', { public_key: pair.pem }, 400],
  ['4.1', 'a static key', 'another key', { public_key: other.bareDer }, 400],
  ['4.3', 'a shared secret', 'the right hash', { secret: hashSecret(secret) }, 200],
  ['4.3', 'a shared secret', 'a wrong hash', { secret: hashSecret('x') }, 403],
  ['4.3', 'a shared secret', 'a public key', { public_key: pair.pem }, 400],
  ['4.3', 'a static key', 'PEM', { secret: '', public_key: pair.pem }, 200],
  ['4.3', 'a static key', 'bare DER', { public_key: pair.bareDer }, 200],
  ['4.3', 'a static key', 'another key', { public_key: other.pem }, 403],
  ['4.3', 'a static key', 'no key', { public_key: 'junk' }, 400],
  ['4.3', 'a static key', 'a secret', { secret: hashSecret(secret) }, 400],
  ['5.0', 'a shared secret', 'the right hash but no bearer', { secret: hashSecret(secret) }, 401],
]

test.each(handshakes)('%s with %s answers a handshake: %s', async (version, trust, _what, body, status) => {
  await using cluster = await startAistoreCluster({ version, trust: trusts[trust] })
  expect((await call(cluster, 'POST', '/v1/tokens', { body })).status).toBe(status)
  expect(cluster.handshakes()).toMatchObject([{ status }])
})

test('5.0 takes any good bearer in a handshake, and ADMIN alone may revoke', async () => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared })
  const plain = mint(signer, {})
  const pusher = mint(signer, { clusters: [{ id: cluster.uuid, perm: '131072' }] })
  expect((await call(cluster, 'POST', '/v1/tokens', { token: plain })).status).toBe(200)
  expect((await call(cluster, 'DELETE', '/v1/tokens', { token: plain, body: { tokens: [] } })).status).toBe(403)
  expect((await call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: [] } })).text).toContain('token required')
  const push = { tokens: [plain], version: '0' }
  expect((await call(cluster, 'DELETE', '/v1/tokens', { token: pusher, body: push })).status).toBe(200)
  expect(cluster.pushes()).toEqual([{ tokens: [plain] }])
  const again = await call(cluster, 'POST', '/v1/tokens', { token: plain })
  expect(again).toMatchObject({ status: 401, text: expect.stringContaining('token revoked') })
})

test('with client authentication off, 5.0 still wants a bearer in a handshake, and anybody may revoke', async () => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared, clientAuth: false })
  expect((await call(cluster, 'POST', '/v1/tokens')).status).toBe(401)
  expect((await call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'] } })).status).toBe(200)
})

test('the version of a pushed list must be a string', async () => {
  await using cluster = await startAistoreCluster({ version: '4.3', trust: shared })
  expect((await call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'], version: 0 } })).status).toBe(400)
  expect((await call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'] } })).status).toBe(200)
})

test('after its primary restarted, another proxy takes no list until the version passes its own', async () => {
  await using cluster = await startAistoreCluster({ version: '4.3', trust: shared, proxies: 2 })
  const push = (...tokens: string[]) => call(cluster, 'DELETE', '/v1/tokens', { body: { tokens }, proxy: 1 })
  for (const token of ['a', 'b', 'c', 'd']) await push(token)
  expect(cluster.knows('a')).toBe(true)
  cluster.restartProxy(0)
  expect([cluster.knows('a', 0), cluster.knows('a', 1)]).toEqual([false, true])
  await push('a', 'b', 'c', 'd', 'e')
  for (let times = 2; times <= 4; times += 1) await push()
  expect([cluster.knows('e', 0), cluster.knows('e', 1)]).toEqual([true, false])
  await push()
  expect(cluster.knows('e')).toBe(true)
  cluster.restartProxy(1)
  expect(cluster.knows('e')).toBe(true)
})

test('a restarted cluster is back at its port and has forgotten what was revoked', async () => {
  await using cluster = await startAistoreCluster({ version: '4.3', trust: shared })
  await call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'] } })
  const { url } = cluster
  await cluster.stop()
  await expect(call(cluster, 'GET', '/v1/health')).rejects.toThrow()
  await cluster.start({ keepsList: true })
  expect([cluster.url, cluster.knows('x')]).toEqual([url, true])
  await cluster.stop()
  await cluster.start()
  expect(cluster.knows('x')).toBe(false)
})

test.each<[string, (key: MintKey, uuid: string) => string, string]>([
  ['expired', (key) => mint(key, { exp: 1 }), 'token expired'],
  ['without exp', (key) => mint(key, { exp: undefined }), 'exp claim is required'],
  ['without sub', (key) => mint(key, { sub: undefined }), 'sub claim is required'],
  ['not valid yet', (key) => mint(key, { nbf: 9e9 }), 'not valid yet'],
  ['of a foreign key', () => mint(secretKey(createSecret()), {}), 'signature is invalid'],
  ['of another method', () => mint(rsaKey(pair), {}), 'not HS256'],
  ['with a perm that is a number', (key, uuid) => mint(key, { aud: [uuid], clusters: [{ id: 'c', perm: 1 }] }), 'perm'],
  ['for other clusters', (key) => mint(key, { aud: ['elsewhere'] }), 'invalid audience'],
  ['without an audience', (key) => mint(key, {}), 'aud claim is required'],
  ['that is none', () => 'junk', 'segments'],
])('a token %s is refused', async (_name, make, reason) => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared, requiredAudience: true })
  const answer = await call(cluster, 'POST', '/v1/tokens', { token: make(signer, cluster.uuid) })
  expect(answer).toMatchObject({ status: 401, text: expect.stringContaining(reason) })
})

test('a respelled signature is refused by 5.0', async () => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared })
  const token = mint(signer, {})
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const respelled = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1]
  expect((await call(cluster, 'POST', '/v1/tokens', { token: respelled })).status).toBe(401)
})

test('keys are looked up by discovery, and again for an unknown kid at most every 30 s', async () => {
  const pairs = [pair]
  await using issuer = await startIssuer(pairs)
  const clock = createHandClock(new Date())
  await using cluster = await startAistoreCluster({
    version: '5.0',
    trust: { kind: 'discovery', issuer: issuer.url },
    clock,
  })
  const show = async (from: RsaPair, iss = issuer.url) =>
    (await call(cluster, 'POST', '/v1/tokens', { token: mint(rsaKey(from), { iss, jti: Math.random() }) })).status
  expect(await show(pair)).toBe(200)
  expect(await show(pair, 'http://elsewhere')).toBe(401)
  pairs.push(other)
  expect(await show(other)).toBe(401)
  expect(issuer.fetches()).toBe(1)
  await clock.advance(30_000)
  expect(await show(other)).toBe(200)
  expect(issuer.fetches()).toBe(2)
})

const calls: [Bit, string, string, unknown?][] = [
  ['get', 'GET', '/v1/objects/b/o'],
  ['headObject', 'HEAD', '/v1/objects/b/o'],
  ['put', 'PUT', '/v1/objects/b/o', 'x'],
  ['append', 'PUT', '/v1/objects/b/o?append_type=append&append_handle=', 'x'],
  ['deleteObject', 'DELETE', '/v1/objects/b/o'],
  ['moveObject', 'POST', '/v1/objects/b/o', { action: 'rename-obj', name: 'p' }],
  ['promote', 'POST', '/v1/objects/b', { action: 'promote', name: '/tmp/x', value: {} }],
  ['updateObject', 'PATCH', '/v1/objects/b/o', { action: '', value: { a: 'b' } }],
  ['headBucket', 'HEAD', '/v1/buckets/b'],
  ['patch', 'PATCH', '/v1/buckets/b', { action: 'set-bprops', value: {} }],
  ['createBucket', 'POST', '/v1/buckets/c', { action: 'create-bck' }],
  ['destroyBucket', 'DELETE', '/v1/buckets/b', { action: 'destroy-bck' }],
  ['moveBucket', 'POST', '/v1/buckets/b?bck_to=ais/@%23/d/', { action: 'move-bck' }],
  ['showCluster', 'GET', '/v1/daemon?what=smap'],
]

test.each(calls)('%s is what %s %s needs', async (bit, method, path, body) => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared })
  const admin = mint(signer, { admin: true })
  await call(cluster, 'POST', '/v1/buckets/b', { token: admin, body: { action: 'create-bck' } })
  await call(cluster, 'PUT', '/v1/objects/b/o', { token: admin, body: 'content' })
  const only = 1n << bits[bit]
  const holding = (perm: bigint) => mint(signer, { clusters: [{ id: cluster.uuid, perm: String(perm) }] })
  const all = (1n << 18n) - 1n
  expect((await call(cluster, method, path, { body })).status).toBe(401)
  expect((await call(cluster, method, path, { body, token: holding(all ^ only) })).status).toBe(403)
  expect((await call(cluster, method, path, { body, token: holding(only) })).status).toBe(200)
})

test("a bucket's entry alone decides; the entry with an empty id serves clusters without their own", async () => {
  await using cluster = await startAistoreCluster({ version: '5.0', trust: shared })
  await call(cluster, 'POST', '/v1/buckets/b', { token: mint(signer, { admin: true }), body: { action: 'create-bck' } })
  const bucket = (perm: string) => ({
    bck: { name: 'b', provider: 'ais', namespace: { uuid: cluster.uuid, name: '' } },
    perm,
  })
  const head = async (claims: Record<string, unknown>) =>
    (await call(cluster, 'HEAD', '/v1/buckets/b', { token: mint(signer, claims) })).status
  expect(await head({ clusters: [{ id: cluster.uuid, perm: '256' }], buckets: [bucket('1')] })).toBe(403)
  expect(await head({ clusters: null, buckets: [bucket('256')] })).toBe(200)
  expect(await head({ clusters: [{ id: '', perm: '256' }] })).toBe(200)
  expect(
    await head({
      clusters: [
        { id: '', perm: '256' },
        { id: cluster.uuid, perm: '1' },
      ],
    }),
  ).toBe(403)
})

test('faults hit what they are aimed at, as often as was said', async () => {
  await using cluster = await startAistoreCluster({ version: '4.3', trust: shared })
  const push = () => call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'] } })
  const at = { path: '/v1/tokens', times: 1 }
  cluster.fault({ kind: 'answer', status: 503, headers: { 'Retry-After': '7' } }, at)
  expect((await call(cluster, 'GET', '/v1/health')).status).toBe(200)
  expect((await push()).status).toBe(503)
  for (const kind of ['reset', 'half_answer', 'not_http'] as const) {
    cluster.fault({ kind }, at)
    await expect(push()).rejects.toThrow()
  }
  cluster.fault({ kind: 'redirect', location: 'http://127.0.0.1:1/' }, at)
  expect((await push()).status).toBe(307)
  expect(cluster.pushes()).toEqual([])
  expect((await push()).status).toBe(200)
  expect(cluster.tokenCalls().map(({ status }) => status)).toEqual([503, 0, 0, 0, 307, 200])
})

test('a held request is answered when it is let go', async () => {
  await using cluster = await startAistoreCluster({ version: '4.3', trust: shared })
  cluster.fault({ kind: 'held' })
  const push = call(cluster, 'DELETE', '/v1/tokens', { body: { tokens: ['x'] } })
  await expect.poll(() => cluster.held()).toBe(1)
  expect(cluster.pushes()).toEqual([])
  cluster.release()
  expect((await push).status).toBe(200)
  expect(cluster.pushes()).toHaveLength(1)
})
