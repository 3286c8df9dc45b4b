import { createHash, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAistoreDriver } from '../../../src/adapters/aistore/driver.ts'
import { createOutbound, type Outbound } from '../../../src/adapters/outbound.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import type { KeyProof } from '../../../src/core/keys/key-ring.ts'
import { createHandClock } from '../../clock.ts'
import { driverConformance, someChanges } from '../conformance.ts'
import { deadUrl, serve } from '../loopback.ts'

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const publicProof: KeyProof = { kind: 'public_key', pem }
const secretProof: KeyProof = {
  kind: 'shared_secret',
  sha256Hex: createHash('sha256').update(randomBytes(16)).digest('hex'),
}

function aCluster(urls: readonly string[], more: Partial<Cluster> = {}): Cluster {
  return { id: 'c1', kind: 'aistore', alias: null, urls, annotations: {}, registeredAt: new Date(0), ...more }
}

/** A driver whose service tokens say who they are for and count up. */
function build(outbound: Outbound, { proof = publicProof, timeoutMs = 2_000, clock = createHandClock() } = {}) {
  const minted: object[] = []
  const driver = createAistoreDriver({
    outbound,
    clock,
    timeoutMs,
    ring: { proof: () => proof },
    issuer: {
      async mintServiceToken(request) {
        minted.push(request)
        return `eyJzZXJ2aWNl.${request.clusterId}.${minted.length}`
      },
      mintCanary: async ({ clusterId }) => ({ token: `eyJjYW5hcnk.${clusterId}`, expiresAt: clock.now() }),
    },
  })
  return {
    driver,
    minted,
    clock,
    aCluster,
    secrets: ['eyJzZXJ2aWNl', 'sha256Hex' in proof ? proof.sha256Hex : pem],
  }
}

driverConformance('AIStore, public key', ({ outbound, timeoutMs }) => build(outbound, { timeoutMs }))
driverConformance('AIStore, shared secret', ({ outbound, timeoutMs }) =>
  build(outbound, { timeoutMs, proof: secretProof }),
)

async function withDriver<T>(
  options: Parameters<typeof build>[1],
  body: (under: ReturnType<typeof build>) => Promise<T>,
): Promise<T> {
  const outbound = createOutbound({ timeoutMs: 2_000, isTlsVerified: true, clock: systemClock })
  try {
    return await body(build(outbound, options))
  } finally {
    await outbound.close()
  }
}

const signal = new AbortController().signal

test.each([
  [publicProof, { public_key: pem }],
  [secretProof, { secret: 'sha256Hex' in secretProof ? secretProof.sha256Hex : '' }],
])('the handshake shows the proof and a service token of least privilege', async (proof, body) => {
  await withDriver({ proof }, async ({ driver, minted }) => {
    await using server = await serve((_, response) => response.end())
    expect(await driver.handshake(aCluster([server.url]), signal)).toEqual({ kind: 'accepted', url: server.url })
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/tokens',
      headers: { 'content-type': 'application/json', authorization: 'Bearer eyJzZXJ2aWNl.c1.1' },
    })
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual(body)
    const claims = { clusters: [{ id: 'c1', perm: '131072' }], admin: false }
    expect(minted).toEqual([{ clusterId: 'c1', claims, lifetimeMs: 300_000 }])
  })
})

test('a batch goes out in order as tokens with a version of digits; an empty one is a call too', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve((_, response) => response.end())
    const changes = someChanges(3)
    await driver.push(aCluster([server.url]), changes, signal)
    await driver.push(aCluster([server.url]), [], signal)
    expect(server.requests.map(({ method, path, body }) => ({ method, path, body: JSON.parse(body) }))).toEqual([
      { method: 'DELETE', path: '/v1/tokens', body: { tokens: changes.map(({ token }) => token), version: '0' } },
      { method: 'DELETE', path: '/v1/tokens', body: { tokens: [], version: '0' } },
    ])
  })
})

test('URLs are asked in order until one takes it', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve(({ path }, response) => {
      response.writeHead(path.startsWith('/403') ? 403 : 200).end()
    })
    const urls = ['/403', '/200', '/never'].map((path) => `${server.url}${path}`)
    expect(await driver.handshake(aCluster(urls), signal)).toEqual({ kind: 'accepted', url: urls[1] })
    expect(server.requests.map(({ path }) => path)).toEqual(['/403/v1/tokens', '/200/v1/tokens'])
  })
})

test('a token that needs escaping is sent as it is', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve((_, response) => response.end())
    const odd = someChanges(2).map((change, index) => (index === 0 ? change : { ...change, token: 'a"b\\c\u00e9' }))
    await driver.push(aCluster([server.url]), odd, signal)
    expect(JSON.parse(server.requests[0]?.body ?? '').tokens).toEqual(odd.map(({ token }) => token))
  })
})

test('a first URL that swallows calls costs a push two seconds once, not the attempt; then the one that worked is asked first', async () => {
  await withDriver({ timeoutMs: 30_000 }, async ({ driver, clock }) => {
    await using hole = await serve(() => undefined)
    await using good = await serve((_, response) => response.end())
    const cluster = aCluster([hole.url, good.url])
    let outcome: unknown
    const pushed = driver.push(cluster, [], signal).then((value) => {
      outcome = value
    })
    await clock.advance(1_999)
    expect(good.requests).toHaveLength(0)
    await clock.advance(1)
    await pushed
    expect(outcome).toEqual({ kind: 'accepted', url: good.url })
    expect(hole.requests).toHaveLength(1)
    await driver.push(cluster, [], signal)
    expect([hole.requests.length, good.requests.length]).toEqual([1, 2])
  })
})

test('a URL that answers late is not given up when the next one is asked beside it', async () => {
  await withDriver({ timeoutMs: 30_000 }, async ({ driver, clock }) => {
    let answer = () => {}
    await using slow = await serve((_, response) => {
      answer = () => response.end()
    })
    await using busy = await serve((_, response) => response.writeHead(503).end())
    const pushed = driver.push(aCluster([slow.url, busy.url]), [], signal)
    await clock.advance(2_000)
    await expect.poll(() => busy.requests.length).toBe(1)
    answer()
    expect(await pushed).toEqual({ kind: 'accepted', url: slow.url })
  })
})

test('where no URL takes it, what a cluster said counts for more than that another URL is dead', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve((_, response) => response.writeHead(401).end('{"message":"token required"}'))
    const outcome = await driver.push(aCluster([server.url, await deadUrl()]), [], signal)
    expect(outcome).toMatchObject({ reason: 'not_authorized', url: server.url })
  })
})

test('the URL that worked last is asked first', async () => {
  await withDriver({}, async ({ driver }) => {
    await using good = await serve((_, response) => response.end())
    await using second = await serve((_, response) => response.end())
    const dead = await deadUrl()
    const cluster = aCluster([dead, good.url, second.url])
    expect(await driver.push(cluster, [], signal)).toMatchObject({ url: good.url })
    await good[Symbol.asyncDispose]()
    expect(await driver.push(cluster, [], signal)).toMatchObject({ url: second.url })
    expect(await driver.push(aCluster([good.url, dead]), [], signal)).toMatchObject({ kind: 'refused', url: dead })
  })
})

test('a cluster without URLs is refused in words', async () => {
  await withDriver({}, async ({ driver }) => {
    expect(await driver.push(aCluster([]), [], signal)).toMatchObject({
      reason: 'unreachable',
      said: 'no URL is registered',
    })
  })
})

test('a service token is minted for each call, whatever came of the one before', async () => {
  await withDriver({}, async ({ driver, minted }) => {
    let status = 200
    await using server = await serve((_, response) => response.writeHead(status).end())
    const push = (urls = [server.url], id = 'c1') => driver.push(aCluster(urls, { id }), [], signal)
    await push()
    await push()
    expect(minted).toHaveLength(2)
    status = 503
    await push([server.url, `${server.url}/other`])
    expect(minted).toHaveLength(4)
    await push([server.url], 'c2')
    expect(minted.at(-1)).toMatchObject({ clusterId: 'c2' })
    expect(new Set(server.requests.map(({ headers }) => headers.authorization)).size).toBe(5)
  })
})

test('a cluster that reads keys as bare DER only, as 4.1 does, gets the key in that form', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve(({ body }, response) => {
      const key: string = JSON.parse(body).public_key
      if (key.includes('BEGIN')) response.writeHead(400).end('{"message":"invalid public key (\\"-----BEGIN\\")"}')
      else response.end()
    })
    expect(await driver.handshake(aCluster([server.url]), signal)).toMatchObject({ kind: 'accepted' })
    const der = Buffer.from(JSON.parse(server.requests[1]?.body ?? '').public_key, 'base64')
    expect(createPublicKey({ key: der, type: 'spki', format: 'der' }).equals(publicKey)).toBe(true)
  })
})

test('a batch that a proxy in front finds too large goes in halves, in order', async () => {
  await withDriver({}, async ({ driver }) => {
    const taken: string[] = []
    await using server = await serve(({ body }, response) => {
      const { tokens } = JSON.parse(body)
      if (tokens.length > 2) return response.writeHead(413).end()
      taken.push(...tokens)
      return response.end()
    })
    const changes = someChanges(7)
    expect(await driver.push(aCluster([server.url]), changes, signal)).toMatchObject({ kind: 'accepted' })
    expect(taken).toEqual(changes.map(({ token }) => token))
  })
})

test('one change that is too large by itself is refused with what to do', async () => {
  await withDriver({}, async ({ driver }) => {
    await using server = await serve((_, response) => response.writeHead(413).end())
    const outcome = await driver.push(aCluster([server.url]), someChanges(2), signal)
    expect(outcome).toMatchObject({ reason: 'failing', status: 413, advice: expect.stringContaining('size limit') })
  })
})

describe('what clusters of each version say becomes a reason and advice', () => {
  const secret = ['shared_secret', secretProof] as const
  const key = ['public_key', publicProof] as const
  test.each([
    ['4.0', secret, 400, 'p[x]: invalid secret sha256("abcd...")', 'key_mismatch', 'AIS_AUTHN_SECRET_KEY'],
    ['4.1', key, 400, `p[x]: provided public key ("x") does not match cluster's public key`, 'key_mismatch', 'RS256'],
    ['4.1', secret, 400, 'no secret or public key provided to validate', 'wrong_mode', 'AIS_AUTHN_SECRET_KEY'],
    ['4.3', secret, 403, 'invalid secret sha256("abcd...")', 'key_mismatch', 'HS256'],
    [
      '4.3',
      key,
      403,
      `provided public key ("x") does not match cluster's public key`,
      'key_mismatch',
      'show public-key',
    ],
    ['4.3', key, 400, 'cannot validate public key: AIS not configured with RSA', 'wrong_mode', 'AIS_AUTHN_SECRET_KEY'],
    ['4.3', secret, 400, 'cannot validate secret checksum: AIS not configured with HMAC secret', 'wrong_mode', 'HS256'],
    ['4.3', key, 403, `provided public key not found in any allowed issuer's JWKS`, 'key_mismatch', 'allowed_iss'],
    ['5.0', secret, 401, 'invalid token [err: token signature is invalid]', 'key_mismatch', 'AIS_AUTHN_SECRET_KEY'],
    ['5.0', key, 401, 'invalid token [err: crypto/rsa: verification error]', 'key_mismatch', 'RS256'],
    ['5.0', key, 401, 'invalid token: unrecognized key id k for issuer i', 'key_mismatch', '30 s'],
    ['5.0', key, 401, 'invalid token: token issuer not allowed', 'key_mismatch', 'allowed_iss'],
    ['5.0', key, 401, 'invalid token: invalid audience', 'key_mismatch', '"c1"'],
    ['5.0', key, 401, 'aud claim is required', 'key_mismatch', 'UUID'],
    ['5.0', key, 401, 'token required', 'not_authorized', 'Authorization header'],
    ['5.0', key, 401, 'invalid token [err: token expired]', 'not_authorized', 'clocks'],
    ['a proxy', key, 403, 'blocked by policy', 'not_authorized', 'in front'],
    ['a proxy', key, 400, 'Client sent an HTTP request to an HTTPS server.', 'not_a_cluster', 'https:'],
    ['a proxy', key, 404, 'nothing here', 'not_a_cluster', 'URL'],
    ['a proxy', key, 504, 'gateway timeout', 'timed_out', 'load'],
  ] as const)('%s, %s, %s %s: %s', async (_, [, proof], status, message, reason, advised) => {
    await withDriver({ proof }, async ({ driver }) => {
      const body = JSON.stringify({ message, status })
      await using server = await serve((_request, response) => response.writeHead(status).end(body))
      const outcome = await driver.handshake(aCluster([server.url]), signal)
      expect(outcome).toMatchObject({ reason, said: message, advice: expect.stringContaining(advised) })
    })
  })

  test('a push that lacks ADMIN says under which id the cluster is to be registered', async () => {
    await withDriver({}, async ({ driver }) => {
      await using server = await serve((_, response) => response.writeHead(403).end('{"message":"requires ADMIN"}'))
      const outcome = await driver.push(aCluster([server.url]), someChanges(1), signal)
      expect(outcome).toMatchObject({ reason: 'not_authorized', advice: expect.stringContaining('UUID') })
    })
  })
})

describe('roles that come with a cluster', () => {
  const { driver } = build(createOutbound({ timeoutMs: 1, isTlsVerified: true, clock: systemClock }))
  const rolesOf = (cluster: Cluster) =>
    driver.predefinedRoles(cluster).map(({ name, description, grants }) => [name, description, ...grants])

  test('bear its alias and name it in full', () => {
    const grant = (permissions: string) => ({ clusterId: 'c1', resource: null, permissions, annotations: {} })
    expect(rolesOf(aCluster([], { alias: 'lake' }))).toEqual([
      ['ClusterOwner-lake', 'Admin access to c1[lake]', grant('18446744073709551615')],
      ['BucketOwner-lake', 'Full access to buckets in c1[lake]', grant('831')],
      ['Guest-lake', 'Read-only access to buckets in c1[lake]', grant('771')],
    ])
  })

  test('bear its id where it has no alias', () => {
    expect(rolesOf(aCluster([]))[0]?.slice(0, 2)).toEqual(['ClusterOwner-c1', 'Admin access to c1'])
  })
})
