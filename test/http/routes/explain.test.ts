import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketAcls, clusterAcls } from '../../../src/adapters/aistore/acl.ts'
import type { Grant } from '../../../src/core/roles/role.ts'
import { ExplanationBody, TokenExplanationBody } from '../../../src/http/routes/shapes/explain.ts'
import { actions, grants } from '../../adapters/aistore/access-samples.ts'
import { createHandClock } from '../../clock.ts'
import { startService, type TestService } from '../../service.ts'
import type { AistoreCluster } from '../../stand-ins/aistore.ts'
import type { Bit } from '../../stand-ins/aistore-permissions.ts'
import { apiOf, problemIn } from './api.ts'

const password = 'correct horse battery'

async function explain(service: TestService, query: Readonly<Record<string, string>>, token?: string) {
  const path = `/explain?${new URLSearchParams(query)}`
  const answer = await apiOf(service)('GET', path, token === undefined ? {} : { token })
  expect(answer).toMatchObject({ status: 200 })
  return ExplanationBody.parse(answer.body)
}

async function explainToken(service: TestService, body: object) {
  const answer = await apiOf(service)('POST', '/explain', { body })
  expect(answer).toMatchObject({ status: 200 })
  return TokenExplanationBody.parse(answer.body)
}

const bucketEntry = (uuid: string, name: string, perm: string, provider = 'ais') => ({
  bck: { name, provider, namespace: { uuid, name: '' } },
  perm,
})

/** How a client of AIStore asks for each permission, at a bucket that may be there or not. */
const calls: { readonly [bit in Bit]: (bucket: string, query: string) => readonly [string, string, unknown?] } = {
  get: (bucket, query) => ['GET', `/v1/objects/${bucket}/o?${query}`],
  headObject: (bucket, query) => ['HEAD', `/v1/objects/${bucket}/o?${query}`],
  put: (bucket, query) => ['PUT', `/v1/objects/${bucket}/o?${query}`, 'x'],
  append: (bucket, query) => ['PUT', `/v1/objects/${bucket}/o?${query}&append_type=append`, 'x'],
  deleteObject: (bucket, query) => ['DELETE', `/v1/objects/${bucket}/o?${query}`],
  moveObject: (bucket, query) => ['POST', `/v1/objects/${bucket}/o?${query}`, { action: 'rename-obj', name: 'p' }],
  promote: (bucket, query) => ['POST', `/v1/objects/${bucket}/o?${query}`, { action: 'promote', name: 'p', value: {} }],
  updateObject: (bucket, query) => ['PATCH', `/v1/objects/${bucket}/o?${query}`, { value: {} }],
  headBucket: (bucket, query) => ['HEAD', `/v1/buckets/${bucket}?${query}`],
  listObjects: (bucket, query) => ['GET', `/v1/buckets/${bucket}?${query}`, { action: 'list', value: {} }],
  patch: (bucket, query) => ['PATCH', `/v1/buckets/${bucket}?${query}`, { action: 'set-bprops', value: {} }],
  setBucketAcl: (bucket, query) => [
    'PATCH',
    `/v1/buckets/${bucket}?${query}`,
    { action: 'set-bprops', value: { access: '1' } },
  ],
  listBuckets: (_bucket, query) => ['GET', `/v1/buckets?${query}`, { action: 'list' }],
  showCluster: () => ['GET', '/v1/daemon?what=smap'],
  createBucket: (bucket, query) => ['POST', `/v1/buckets/${bucket}?${query}`, { action: 'create-bck' }],
  destroyBucket: (bucket, query) => ['DELETE', `/v1/buckets/${bucket}?${query}`, { action: 'destroy-bck' }],
  moveBucket: (bucket, query) => ['POST', `/v1/buckets/${bucket}?${query}`, { action: 'move-bck' }],
  admin: () => ['DELETE', '/v1/tokens', { tokens: [] }],
}

/** Whether the cluster lets the call through; what it then makes of it doesn't matter. */
async function isLetThrough(cluster: AistoreCluster, token: string, bit: Bit, bucket: string, provider: string) {
  const [method, path, body] = calls[bit](bucket, `provider=${provider}`)
  const { request } = await import('node:http')
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { Authorization: `Bearer ${token}`, 'Content-Length': Buffer.byteLength(text) }
  return new Promise<boolean>((resolve, reject) => {
    const sent = request(`${cluster.url}${path}`, { method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode !== 401 && answer.statusCode !== 403)
    })
    sent.on('error', reject)
    sent.end(text)
  })
}

describe('the explanation', () => {
  test('is what a real cluster answers to the token of a login, for random roles, every permission, two buckets', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const lake = service.cluster('lake')
    let count = 0
    const roleLists = fc.array(fc.array(grants([lake.uuid, 'lake']), { maxLength: 3 }), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(roleLists, async (lists) => {
        count += 1
        const names = await Promise.all(
          lists.map(async (list, index) => {
            const name = `r${count}-${index}`
            await makeRole(service, name, list)
            return name
          }),
        )
        await service.makeUser(`u${count}`, password, names)
        const token = await service.login(`u${count}`, password)
        for (const provider of ['ais', 'aws']) {
          for (const { name, bit } of actions) {
            // Two permissions in one call, and a call that only administrators and Gatehouse make.
            if (bit === 'setBucketAcl' || bit === 'admin') continue
            const bucket = `${provider}://photos`
            const found = await explain(service, { user: `u${count}`, permission: name, cluster: 'lake', bucket })
            const isLet = await isLetThrough(lake, token, bit, 'photos', provider)
            expect({ name, bucket, isAllowed: found.isAllowed }).toEqual({ name, bucket, isAllowed: isLet })
          }
        }
      }),
      { numRuns: 6 },
    )
  }, 30_000)

  test('names the entry that decides, the roles that it comes from, and the entries beside which do not count', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeRole({ name: 'writer', clusters: [{ id: 'lake', perm: '831' }] })
    await service.makeRole({ name: 'everywhere', clusters: [{ id: '', perm: '1' }] })
    await service.makeRole({ name: 'viewer', buckets: [bucketEntry(uuid, 'photos', '1')] })
    await service.makeUser('ann', password, ['writer', 'everywhere', 'viewer'])
    const asked = { user: 'ann', permission: 'put', cluster: 'lake', bucket: 'photos' }
    expect(await explain(service, asked)).toMatchObject({
      isAllowed: false,
      code: 'entry_lacks',
      why: 'ann may not PUT in ais://photos on lake: the entry for ais://photos (role viewer) lacks PUT, and decides alone: the entry for the cluster (role writer) does not count beside it.',
      permission: 'PUT',
      bucket: 'ais://photos',
      cluster: { id: uuid, alias: 'lake' },
      entry: {
        scope: 'resource',
        bucket: 'ais://photos',
        permissions: ['GET'],
        permissionBits: '1',
        roles: ['viewer'],
      },
      shadowed: [
        { scope: 'cluster', roles: ['writer'] },
        { scope: 'every_cluster', roles: ['everywhere'] },
      ],
    })
    expect(await explain(service, { ...asked, bucket: 'other' })).toMatchObject({
      isAllowed: true,
      code: 'entry_allows',
      entry: { scope: 'cluster', roles: ['writer'] },
    })
  })

  test('says which roles would give it, the narrowest first, and leaves out those that would not', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeRole({ name: 'cluster-wide', clusters: [{ id: uuid, perm: '831' }] })
    await service.makeRole({ name: 'all-clusters', clusters: [{ id: '', perm: '831' }] })
    await service.makeRole({ name: 'photos-writer', buckets: [bucketEntry('lake', 'photos', '4')] })
    await service.makeRole({ name: 'reader', clusters: [{ id: uuid, perm: '771' }] })
    await service.makeUser('ann', password)
    const asked = { user: 'ann', permission: 'PUT', cluster: 'lake', bucket: 'photos' }
    // They come with the cluster.
    const ofCluster = ['BucketOwner-lake', 'ClusterOwner-lake']
    expect(await explain(service, asked)).toMatchObject({
      isAllowed: false,
      code: 'no_entry',
      entry: null,
      needed: {
        permission: 'PUT',
        roles: ['photos-writer', ...ofCluster, 'cluster-wide', 'all-clusters', 'Admin'],
        count: 6,
      },
    })
    await service.makeRole({ name: 'photos-viewer', buckets: [bucketEntry(uuid, 'photos', '1')] })
    await service.makeUser('bob', password, ['photos-viewer'])
    const found = await explain(service, { ...asked, user: 'bob' })
    expect(found.needed?.roles).toEqual(['photos-writer', 'Admin'])
  })

  test('knows administrators', async () => {
    await using service = await startService({ clusters: ['lake'] })
    expect(await explain(service, { user: 'admin', permission: 'ADMIN', cluster: 'lake' })).toMatchObject({
      isAllowed: true,
      code: 'administrator',
      administratorRoles: ['Admin'],
      entry: null,
      needed: null,
    })
  })

  test('counts what a locked role, a locked user and a disabled user are worth', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const api = apiOf(service)
    await service.makeRole({ name: 'reader', clusters: [{ id: 'lake', perm: '771' }] })
    await service.makeUser('ann', password, ['reader'])
    const asked = { user: 'ann', permission: 'GET', cluster: 'lake' }
    expect(await explain(service, asked)).toMatchObject({ isAllowed: true, isGiven: true })
    const lock = (target: object) =>
      api<{ lock: { id: number } }>('POST', '/locks', { body: { ...target, forSeconds: 60 } })
    const { body } = await lock({ role: 'reader' })
    expect(await explain(service, asked)).toMatchObject({
      isAllowed: false,
      code: 'no_entry',
      lockedRoles: ['reader'],
      remarks: ['Locked, and so without effect: reader.'],
    })
    await api('DELETE', `/locks/${body.lock.id}`)
    await lock({ user: 'ann' })
    expect(await explain(service, asked)).toMatchObject({ isAllowed: false, isGiven: false, code: 'user_locked' })
  })

  test('says so where the cluster asks nobody, or does not trust our key', async () => {
    await using service = await startService({
      clusters: ['lake', { alias: 'open', clientAuth: false }],
      config: { probe: { everyMs: 50, resyncEveryMs: 600_000 } },
    })
    await service.makeRole({ name: 'reader', clusters: [{ id: '', perm: '771' }] })
    await service.makeUser('ann', password, ['reader'])
    const ask = (permission: string, cluster: string) => explain(service, { user: 'ann', permission, cluster })
    await expect
      .poll(async () => ask('ADMIN', 'open'), { timeout: 5000 })
      .toMatchObject({ isAllowed: true, isGiven: false, code: 'authentication_off' })
    service.cluster('lake').trust({ kind: 'shared_secret', secret: 'another' })
    await expect
      .poll(async () => ask('GET', 'lake'), { timeout: 5000 })
      .toMatchObject({ isAllowed: false, isGiven: true, code: 'key_not_trusted' })
  })

  test('is given to everybody about himself, and about others to who holds access:explain', async () => {
    await using service = await startService({ clusters: ['lake'] })
    await service.makeUser('ann', password)
    await service.makeUser('bob', password)
    const token = await service.login('ann', password)
    const asked = { user: 'ann', permission: 'GET', cluster: 'lake' }
    // Roles that exist are not for everybody to see.
    expect(await explain(service, asked, token)).toMatchObject({ isAllowed: false, needed: null })
    const path = `/explain?${new URLSearchParams({ ...asked, user: 'bob' })}`
    const refused = await apiOf(service)('GET', path, { token })
    expect(problemIn(refused)).toMatchObject({ status: 403, detail: expect.stringContaining('access:explain') })
    const others = { token: await service.login('bob', password), permission: 'GET', cluster: 'lake' }
    const byToken = await apiOf(service)('POST', '/explain', { token, body: others })
    expect(problemIn(byToken)).toMatchObject({ status: 403, code: 'permission_denied' })
  })

  test('is given to a cluster administrator for the own clusters alone, and no role elsewhere is shown', async () => {
    await using service = await startService({ clusters: ['lake', 'pond'] })
    const { uuid } = service.cluster('lake')
    await service.makeUser('ann', password)
    await service.makeUser('keeper', password, [`gatehouse:cluster-administrator:${uuid}`])
    const token = await service.login('keeper', password)
    const asked = { user: 'ann', permission: 'GET', cluster: 'lake' }
    expect(await explain(service, asked, token)).toMatchObject({ isAllowed: false, needed: null })
    const path = `/explain?${new URLSearchParams({ ...asked, cluster: 'pond' })}`
    expect(problemIn(await apiOf(service)('GET', path, { token }))).toMatchObject({
      status: 403,
      code: 'beyond_authority',
    })
    await service.makeRole({
      name: 'both',
      clusters: [
        { id: uuid, perm: '1' },
        { id: 'pond', perm: '1' },
      ],
    })
    await service.makeUser('bob', password, ['both'])
    const body = { roles: [{ name: 'both' }] }
    const { groups } = (await apiOf(service)<{ groups: unknown }>('POST', '/roles/diff', { token, body })).body
    expect(groups).toMatchObject([{ users: 1, changes: [{ cluster: 'lake', lost: ['GET'] }] }])
  })

  test.each([
    [{ user: 'anm', permission: 'GET', cluster: 'lake' }, 404, 'There is no user anm. Did you mean ann?'],
    [{ user: 'ann', permission: 'GET', cluster: 'laek' }, 404, 'Did you mean lake?'],
    [{ user: 'ann', permission: 'GETT', cluster: 'lake' }, 422, 'did you mean GET'],
    [{ user: 'ann', permission: 'GET', cluster: 'lake', bucket: 'a b' }, 422, 'bucket'],
    [{ user: 'ann', permission: 'GET' }, 422, 'cluster'],
  ])('what is not there or can not be read is named: %j', async (query, status, detail) => {
    await using service = await startService({ clusters: ['lake'] })
    await service.makeUser('ann', password)
    const answer = await apiOf(service)('GET', `/explain?${new URLSearchParams(query as Record<string, string>)}`)
    expect(problemIn(answer)).toMatchObject({ status, detail: expect.stringContaining(detail) })
  })
})

describe('a token in hand', () => {
  test('says what it says, also where the roles say something else by now', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeRole({ name: 'reader', clusters: [{ id: uuid, perm: '771' }] })
    await service.makeUser('ann', password, ['reader'])
    const token = await service.login('ann', password)
    const asked = { token, cluster: 'lake' }
    expect(await explainToken(service, { ...asked, permission: 'GET' })).toMatchObject({
      isAllowed: true,
      user: 'ann',
      token: { state: 'live', audience: [uuid] },
      now: { isAllowed: true },
      difference: 'none',
    })
    const body = { clusters: [{ id: uuid, perm: '4' }] }
    await service.request('PUT', '/v1/roles/reader', { token: await service.adminToken(), body })
    expect(await explainToken(service, { ...asked, permission: 'GET' })).toMatchObject({
      isAllowed: true,
      now: { isAllowed: false, code: 'entry_lacks' },
      difference: 'token_allows_more',
    })
    expect(await explainToken(service, { ...asked, permission: 'PUT' })).toMatchObject({
      isAllowed: false,
      now: { isAllowed: true },
      difference: 'token_allows_less',
    })
  })

  test('is found by its id, and dead when it is revoked; a cluster that was not told yet goes on to take it', async () => {
    await using service = await startService({ clusters: ['lake', 'pond'] })
    await service.makeRole({ name: 'reader', clusters: [{ id: '', perm: '771' }] })
    await service.makeUser('ann', password, ['reader'])
    const token = await service.login('ann', password)
    await service.cluster('pond').stop()
    const {
      token: { jti },
    } = await explainToken(service, { token, permission: 'GET', cluster: 'lake' })
    await service.revoke(token)
    const asked = { jti, permission: 'GET' }
    expect(await explainToken(service, { ...asked, cluster: 'lake' })).toMatchObject({
      isAllowed: false,
      code: 'token_revoked',
      token: { state: 'revoked', jti },
      now: { isAllowed: true },
    })
    expect(await explainToken(service, { ...asked, cluster: 'pond' })).toMatchObject({
      isAllowed: true,
      token: { state: 'revoked' },
      remarks: [expect.stringContaining('has not been told yet')],
    })
    const answer = await apiOf(service)('POST', '/explain', {
      body: { jti: 'none', permission: 'GET', cluster: 'lake' },
    })
    expect(problemIn(answer)).toMatchObject({ status: 404, code: 'token_not_found' })
  })

  test('that has expired, or that we did not sign, is worth nothing, and its claims are told all the same', async () => {
    const clock = createHandClock(new Date())
    await using service = await startService({ clock })
    await using other = await startService({ algorithm: 'HS256' })
    const uuid = 'SnoUrls'
    const admin = await service.adminToken()
    await service.request('POST', '/v1/clusters', { token: admin, body: { id: uuid } })
    await service.makeRole({ name: 'reader', clusters: [{ id: uuid, perm: '771' }] })
    await service.makeUser('ann', password, ['reader'])
    const token = await service.login('ann', password, 60e9)
    clock.step(61_000)
    const asked = { permission: 'GET', cluster: uuid }
    expect(await explainToken(service, { ...asked, token })).toMatchObject({
      isAllowed: false,
      code: 'token_expired',
      entry: { scope: 'cluster' },
    })
    const foreign = await explainToken(service, { ...asked, token: await other.adminToken() })
    expect(foreign).toMatchObject({ isAllowed: false, code: 'token_invalid', token: { state: 'invalid' } })
    const answer = await apiOf(service)('POST', '/explain', { body: { ...asked, token: 'no token' } })
    expect(problemIn(answer)).toMatchObject({ status: 422, fields: [{ field: 'token' }] })
    expect(JSON.stringify(answer.body)).not.toContain('no token')
  })
})

async function makeRole(service: TestService, name: string, list: readonly Grant[]): Promise<void> {
  await service.makeRole({
    name,
    clusters: clusterAcls({ grants: list }) as never,
    buckets: bucketAcls({ grants: list }),
  })
}
