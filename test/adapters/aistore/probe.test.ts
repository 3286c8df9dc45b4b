import { afterAll, describe, expect, test } from 'vitest'
import { createAistoreDriver } from '../../../src/adapters/aistore/driver.ts'
import { createOutbound } from '../../../src/adapters/outbound.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { Cluster } from '../../../src/core/clusters/cluster.ts'
import { createTokenIssuer } from '../../../src/core/tokens/token-issuer.ts'
import { createTestRing } from '../../core/keys/ring-parts.ts'
import { type AistoreCluster, type AistoreClusterOptions, startAistoreCluster } from '../../stand-ins/aistore.ts'
import { createRsaPair } from '../../stand-ins/aistore-mint.ts'
import { deadUrl, serve } from '../loopback.ts'

const { ring, store, sealer, clock } = await createTestRing()
const outbound = createOutbound({ timeoutMs: 2_000, isTlsVerified: true, clock: systemClock })
const issuer = createTokenIssuer({ ring, tokens: store.tokens, sealer, issuer: 'http://gatehouse.test', clock })
const driver = createAistoreDriver({ outbound, ring, issuer, clock, timeoutMs: 2_000 })
const signal = new AbortController().signal
const trust = { kind: 'static_key', pem: ring.publicKeyPem() } as const

afterAll(async () => {
  await outbound.close()
  await store.close()
})

function recordOf({ uuid, urls }: Pick<AistoreCluster, 'uuid' | 'urls'>, more: Partial<Cluster> = {}): Cluster {
  return { id: uuid, kind: 'aistore', alias: null, urls, annotations: {}, registeredAt: new Date(0), ...more }
}

async function start(options: Partial<AistoreClusterOptions> = {}) {
  return startAistoreCluster({ version: '5.0', trust, clock, ...options })
}

/** A cluster that holds a canary of ours. */
async function startWithCanary(options: Partial<AistoreClusterOptions> = {}) {
  const cluster = await start(options)
  const record = recordOf(cluster)
  const canary = await driver.mintCanary(record)
  if (canary === null) throw new Error('there is no canary')
  await driver.push(record, [{ sequence: 0, kind: 'token_revoked', recordedAt: null, ...canary }], signal)
  return { cluster, record, canary: canary.token }
}

const verdicts = (report: Awaited<ReturnType<typeof driver.probe>>) => report.proxies.map(({ canary }) => canary)

describe.each(['4.1', '4.3', '5.0'] as const)('a cluster of version %s', (version) => {
  test('that is well shows every proxy, the primary first, and that each knows the canary', async () => {
    const { cluster, record, canary } = await startWithCanary({ version, proxies: 3 })
    await using _ = cluster
    const report = await driver.probe(record, canary, signal)
    expect(report).toMatchObject({
      clusterId: cluster.uuid,
      isEveryProxyAsked: true,
      isKeyTrusted: true,
      isAuthenticationOn: true,
      trouble: null,
    })
    expect(report.proxies.map(({ url, isPrimary, canary, said }) => ({ url, isPrimary, canary, said }))).toEqual(
      cluster.urls.map((url, index) => ({ url, isPrimary: index === 0, canary: 'knows', said: null })),
    )
  })

  test('shows which proxy has forgotten', async () => {
    const { cluster, record, canary } = await startWithCanary({ version, proxies: 3 })
    await using _ = cluster
    cluster.restartProxy(0)
    expect(verdicts(await driver.probe(record, canary, signal))).toEqual(['forgot', 'knows', 'knows'])
  })

  test('that holds another key shows as such, with what to do; its proxies are asked all the same', async () => {
    const { cluster, record, canary } = await startWithCanary({ version })
    await using _ = cluster
    cluster.trust({ kind: 'static_key', pem: createRsaPair().pem })
    const report = await driver.probe(record, canary, signal)
    expect(report).toMatchObject({
      clusterId: null,
      isKeyTrusted: false,
      isAuthenticationOn: true,
      isEveryProxyAsked: false,
      trouble: { reason: 'key_mismatch', advice: expect.stringContaining('public-key') },
    })
    expect(verdicts(report)).toEqual(['knows'])
  })

  test('that has switched authentication off is found out', async () => {
    const { cluster, record, canary } = await startWithCanary({ version, clientAuth: false })
    await using _ = cluster
    expect(await driver.probe(record, canary, signal)).toMatchObject({
      isAuthenticationOn: false,
      isKeyTrusted: true,
      trouble: { reason: 'wrong_mode', advice: expect.stringContaining('client_auth_required') },
      proxies: [{ canary: version === '5.0' ? 'knows' : 'silent' }],
    })
    cluster.trust({ kind: 'static_key', pem: createRsaPair().pem })
    cluster.restartProxy(0)
    expect(await driver.probe(record, canary, signal)).toMatchObject({ isKeyTrusted: false })
  })

  test('in whose place another one answers is found out', async () => {
    const { cluster, canary } = await startWithCanary({ version })
    await using _ = cluster
    const record = recordOf({ uuid: 'another', urls: cluster.urls })
    expect(await driver.probe(record, canary, signal)).toMatchObject({
      isKeyTrusted: true,
      trouble: { reason: 'not_authorized', advice: expect.stringContaining('UUID') },
    })
  })
})

test('a map with another id says that the cluster was replaced', async () => {
  await using cluster = await start({ clientAuth: false })
  const report = await driver.probe(recordOf({ uuid: 'another', urls: cluster.urls }), null, signal)
  expect(report).toMatchObject({
    clusterId: cluster.uuid,
    trouble: { reason: 'not_a_cluster', said: expect.stringContaining(cluster.uuid) },
  })
})

test('the token shown carries that cluster alone and SHOW-CLUSTER alone; proxies are shown the canary alone', async () => {
  const { cluster, record, canary } = await startWithCanary()
  await using server = await serve(async ({ path, headers }, response) => {
    const answer = await fetch(`${cluster.url}${path}`, { headers: { authorization: headers.authorization ?? '' } })
    response.writeHead(answer.status).end(await answer.text())
  })
  await using _ = cluster
  await driver.probe({ ...record, urls: [server.url] }, canary, signal)
  const [bearer = ''] = server.requests.map(({ headers }) => headers.authorization?.slice('Bearer '.length) ?? '')
  const claims = JSON.parse(Buffer.from(bearer.split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ aud: [record.id], admin: false, clusters: [{ id: record.id, perm: '8192' }] })
  expect(claims.exp - claims.iat).toBeLessThanOrEqual(60)
  expect(cluster.tokenCalls().at(-1)).toMatchObject({ method: 'POST', bearer: canary, body: '{}' })
})

test('without a canary nobody is shown one', async () => {
  const { cluster, record } = await startWithCanary({ proxies: 2 })
  await using _ = cluster
  const before = cluster.tokenCalls().length
  const report = await driver.probe(record, null, signal)
  expect(verdicts(report)).toEqual(['silent', 'silent'])
  expect(report.trouble).toBeNull()
  expect(cluster.tokenCalls()).toHaveLength(before)
})

test('without a URL, and with a dead one, it says why', async () => {
  expect(await driver.probe(recordOf({ uuid: 'c', urls: [] }), null, signal)).toMatchObject({
    clusterId: null,
    isKeyTrusted: null,
    isAuthenticationOn: null,
    proxies: [],
    trouble: { reason: 'unreachable', said: 'no URL is registered' },
  })
  const urls = [await deadUrl()]
  expect(await driver.probe(recordOf({ uuid: 'c', urls }), 'a-canary', signal)).toMatchObject({
    isKeyTrusted: null,
    proxies: [{ proxyId: null, url: urls[0], canary: 'silent', said: expect.stringContaining('refused') }],
    trouble: { reason: 'unreachable', said: expect.stringContaining('refused') },
  })
})

test('a URL that swallows calls before a living one costs a look two seconds, not all of it', async () => {
  const { cluster, record, canary } = await startWithCanary()
  await using _ = cluster
  await using hole = await serve(() => undefined)
  const looked = driver.probe({ ...record, urls: [hole.url, ...cluster.urls] }, canary, signal)
  await clock.advance(2_000)
  expect(await looked).toMatchObject({ clusterId: cluster.uuid, trouble: null, proxies: [{ canary: 'knows' }] })
})

test('a dead URL before a living one does not matter', async () => {
  const { cluster, record, canary } = await startWithCanary()
  await using _ = cluster
  const urls = [await deadUrl(), ...cluster.urls]
  const report = await driver.probe({ ...record, urls }, canary, signal)
  expect(report).toMatchObject({ clusterId: cluster.uuid, trouble: null, proxies: [{ canary: 'knows' }] })
})

describe('where the map names proxies', () => {
  function aMap(uuid: string, urls: readonly string[]) {
    const nodes = urls.map((direct_url, index) => ({ daemon_id: `p${index}`, public_net: { direct_url } }))
    return { uuid, proxy_si: nodes[0], pmap: Object.fromEntries(nodes.map((node) => [node.daemon_id, node])) }
  }

  /** Something in front of a cluster: shows a map of its own, and hands on everything else. */
  async function serveMap(cluster: AistoreCluster, urls: readonly string[]) {
    return serve(async ({ method, path, headers, body }, response) => {
      const { authorization = '' } = headers
      const init = { method, headers: { authorization, 'content-type': 'application/json' } }
      const answer = await fetch(`${cluster.url}${path}`, method === 'GET' ? init : { ...init, body })
      const text = await answer.text()
      const isMap = method === 'GET' && answer.status === 200
      response.writeHead(answer.status).end(isMap ? JSON.stringify(aMap(cluster.uuid, urls)) : text)
    })
  }

  test('of which none can be reached from here, the registered URLs stand for them, asked over several connections', async () => {
    const { cluster, record, canary } = await startWithCanary()
    await using _ = cluster
    const dead = await Promise.all(Array.from({ length: 3 }, deadUrl))
    await using front = await serveMap(cluster, dead)
    const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
    expect(report.isEveryProxyAsked).toBe(false)
    expect(report.proxies.map(({ proxyId, canary }) => [proxyId, canary])).toEqual([
      ['p0', 'out_of_reach'],
      ['p1', 'out_of_reach'],
      ['p2', 'out_of_reach'],
      [null, 'knows'],
    ])
    const shown = front.requests.filter(({ method }) => method === 'POST')
    expect(shown).toHaveLength(3)
    expect(new Set(shown.map(({ headers }) => headers.connection))).toEqual(new Set(['close']))
  })

  test('and whoever spreads calls among proxies meets one that has forgotten, that is told', async () => {
    const { cluster, record, canary } = await startWithCanary()
    await using _ = cluster
    let turn = 0
    const map = JSON.stringify(aMap(cluster.uuid, [await deadUrl(), await deadUrl()]))
    await using front = await serve(({ method }, response) => {
      if (method === 'GET') return response.writeHead(200).end(map)
      turn += 1
      return turn % 2 === 0 ? response.end() : response.writeHead(401).end('{"message":"token revoked"}')
    })
    const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
    expect(verdicts(report)).toEqual(['out_of_reach', 'out_of_reach', 'forgot'])
  })

  test('of which nobody answers, and who stands for them neither, all are silent', async () => {
    const { cluster, record, canary } = await startWithCanary()
    await using _ = cluster
    const map = JSON.stringify(aMap(cluster.uuid, [await deadUrl()]))
    await using front = await serve(({ method }, response) =>
      method === 'GET' ? response.writeHead(200).end(map) : response.writeHead(503).end(),
    )
    const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
    expect(verdicts(report)).toEqual(['silent', 'silent'])
  })

  test('of which one can not be reached, that one is silent', async () => {
    const { cluster, record, canary } = await startWithCanary()
    await using _ = cluster
    await using front = await serveMap(cluster, [await deadUrl(), cluster.url])
    const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
    expect(report.isEveryProxyAsked).toBe(false)
    expect(report.proxies.map(({ proxyId, canary }) => [proxyId, canary])).toEqual([
      ['p0', 'silent'],
      ['p1', 'knows'],
      [null, 'knows'],
    ])
  })

  test.each(['https://127.0.0.1:1', 'http://user:word@127.0.0.1:1', 'file:///etc', 'nonsense', ''])(
    'the URL %j is not asked',
    async (url) => {
      const { cluster, record, canary } = await startWithCanary()
      await using _ = cluster
      await using front = await serveMap(cluster, [url])
      const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
      expect(report).toMatchObject({ isEveryProxyAsked: false, trouble: null })
      expect(report.proxies).toMatchObject([
        { proxyId: 'p0', url: '', canary: 'out_of_reach', said: expect.stringContaining('no URL') },
        { proxyId: null, url: front.url, canary: 'knows' },
      ])
    },
  )

  test('of which there are many, not all are asked at once, and each is', async () => {
    const { cluster, record, canary } = await startWithCanary()
    await using _ = cluster
    let atOnce = 0
    let peak = 0
    await using proxy = await serve(async (_request, response) => {
      atOnce += 1
      peak = Math.max(peak, atOnce)
      await new Promise<void>((resolve) => setImmediate(resolve))
      atOnce -= 1
      response.writeHead(401).end('{"message":"token revoked"}')
    })
    await using front = await serveMap(
      cluster,
      Array.from({ length: 40 }, () => proxy.url),
    )
    const report = await driver.probe({ ...record, urls: [front.url] }, canary, signal)
    expect(report.proxies).toHaveLength(40)
    expect(new Set(verdicts(report))).toEqual(new Set(['knows']))
    expect(peak).toBeLessThanOrEqual(8)
  })
})

test.each([
  ['an answer that is not JSON', { kind: 'answer', status: 200, body: '<html>' }, 'silent'],
  ['500', { kind: 'answer', status: 500 }, 'silent'],
  ['a redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/' }, 'silent'],
  ['a reset', { kind: 'reset' }, 'silent'],
  ['half an answer', { kind: 'half_answer' }, 'silent'],
  ['no HTTP', { kind: 'not_http' }, 'silent'],
  ['a token found expired', { kind: 'answer', status: 401, body: '{"message":"token expired"}' }, 'distrusts'],
] as const)('%s to the canary says nothing good: %s', async (_, fault, verdict) => {
  const { cluster, record, canary } = await startWithCanary()
  await using _cluster = cluster
  cluster.fault(fault, { path: '/v1/tokens' })
  const { proxies } = await driver.probe(record, canary, signal)
  expect(proxies).toMatchObject([{ canary: verdict, said: expect.any(String) }])
  expect(JSON.stringify(proxies)).not.toContain(canary)
})

test.each([
  ['rubbish', { kind: 'answer', status: 200, body: '{"not":"a map"}' }, 'not_a_cluster'],
  ['503', { kind: 'answer', status: 503 }, 'failing'],
  ['a redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/' }, 'not_a_cluster'],
] as const)('%s instead of the map is told as trouble', async (_, fault, reason) => {
  const { cluster, record, canary } = await startWithCanary()
  await using _cluster = cluster
  cluster.fault(fault, { path: '/v1/daemon' })
  const report = await driver.probe(record, canary, signal)
  expect(report).toMatchObject({ clusterId: null, isKeyTrusted: null, trouble: { reason } })
  expect(verdicts(report)).toEqual(['knows'])
})

test('whether strangers are let in is asked once a minute, not with every look', async () => {
  const { cluster, record, canary } = await startWithCanary()
  await using _ = cluster
  let strangers = 0
  await using front = await serve(async ({ path, headers }, response) => {
    if (headers.authorization === undefined) strangers += 1
    const answer = await fetch(`${cluster.url}${path}`, { headers: { authorization: headers.authorization ?? '' } })
    response.writeHead(answer.status).end(await answer.text())
  })
  const look = () => driver.probe({ ...record, urls: [front.url] }, canary, signal)
  await look()
  await look()
  expect(strangers).toBe(1)
  clock.step(60_000)
  await look()
  expect(strangers).toBe(2)
})
