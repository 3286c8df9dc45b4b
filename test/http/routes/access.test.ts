import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketAcls, clusterAcls } from '../../../src/adapters/aistore/acl.ts'
import {
  type AccessDocument,
  AppliedAnswer,
  ExportAnswer,
  HashedPasswords,
  PlanAnswer,
  RoleDiffAnswer,
} from '../../../src/http/routes/shapes/access.ts'
import { grants } from '../../adapters/aistore/access-samples.ts'
import { startService, type TestService } from '../../service.ts'
import { type ApiAnswer, apiOf, problemIn } from './api.ts'

type Document = Parameters<typeof AccessDocument.parse>[0]

const password = 'correct horse battery'
const byReference = { env: 'PASSWORD' }

function doc(more: object): Document {
  return { apiVersion: 'gatehouse/v1', ...more }
}

async function plan(service: TestService, access: Document, more: object = {}) {
  const answer = await apiOf(service)('POST', '/access/plan', { body: { access, ...more } })
  expect(answer).toMatchObject({ status: 200 })
  return PlanAnswer.parse(answer.body)
}

async function send(service: TestService, access: Document, more: object = {}): Promise<ApiAnswer<unknown>> {
  const api = apiOf(service)
  const users = (access as { users?: { name: string; password?: unknown }[] }).users ?? []
  const wanted = users.filter((user) => user.password !== undefined).map(({ name }) => [name, password])
  const hashed = await api('POST', '/access/passwords', { body: { passwords: Object.fromEntries(wanted) } })
  const { passwords } = HashedPasswords.parse(hashed.body)
  return api('POST', '/access/apply', { body: { access, passwords, ...more } })
}

async function apply(service: TestService, access: Document, more: object = {}) {
  const answer = await send(service, access, more)
  expect(answer).toMatchObject({ status: 200 })
  return AppliedAnswer.parse(answer.body)
}

async function exported(service: TestService) {
  const answer = await apiOf(service)('GET', '/access')
  return ExportAnswer.parse(answer.body).access
}

const stores = ['memory', 'file'] as const

describe.each(stores)('applying a document, with the store in %s', (store) => {
  test('makes clusters, roles and users in one act, and a second time nothing', async () => {
    await using service = await startService({ store })
    const lake = await service.startCluster({ alias: 'lake' })
    const access = doc({
      clusters: [{ id: lake.uuid, alias: 'lake', urls: [lake.url] }],
      roles: [
        {
          name: 'viewer',
          description: 'reads photos',
          grants: [{ cluster: 'lake', bucket: 'photos', permissions: ['ro'] }],
        },
      ],
      users: [
        { name: 'ann', roles: ['viewer', 'BucketOwner-lake'], password: byReference },
        { name: 'bob', isDisabled: true, password: byReference },
      ],
    })
    const planned = await plan(service, access)
    expect(planned).toMatchObject({ removed: 0, changed: 0, unchanged: 0, passwordsNeeded: ['ann', 'bob'] })
    expect(planned.items.map(({ kind, name, act }) => `${act} ${kind} ${name}`)).toEqual([
      `create cluster ${lake.uuid}`,
      'create role viewer',
      'create role ClusterOwner-lake',
      'create role BucketOwner-lake',
      'create role Guest-lake',
      'create user ann',
      'create user bob',
    ])
    expect(planned.items[1]?.fields).toContainEqual({
      field: 'grant lake ais://photos',
      before: null,
      after: ['GET', 'HEAD-OBJECT', 'HEAD-BUCKET', 'LIST-OBJECTS'],
    })
    expect(await apply(service, access, { plan: planned.digest })).toMatchObject({ created: 7, revokedTokens: 0 })
    expect(lake.handshakes().at(-1)?.status).toBe(200)
    const token = await service.login('ann', password)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims.buckets).toMatchObject([{ bck: { name: 'photos', namespace: { uuid: lake.uuid } }, perm: '771' }])
    await expect(service.login('bob', password)).rejects.toThrow('401')
    const again = await plan(service, access)
    expect(again).toMatchObject({ created: 0, changed: 0, removed: 0, unchanged: 4, items: [], passwordsNeeded: [] })
    expect(await apply(service, access)).toMatchObject({ created: 0, changed: 0, unchanged: 4 })
  })

  test('changes what is different, and revokes the tokens that then say too much', async () => {
    await using service = await startService({ store, clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeRole({ name: 'wide', clusters: [{ id: uuid, perm: '831' }] })
    await service.makeRole({ name: 'other', clusters: [{ id: uuid, perm: '4096' }] })
    for (const name of ['ann', 'bob', 'cat', 'dan']) await service.makeUser(name, password, ['wide', 'other'])
    const [ann, bob, cat, dan] = await Promise.all(
      ['ann', 'bob', 'cat', 'dan'].map((name) => service.login(name, password)),
    )
    const access = doc({
      roles: [
        { name: 'other', description: '', grants: [{ cluster: uuid, permissions: ['LIST-BUCKETS', 'SHOW-CLUSTER'] }] },
      ],
      users: [
        { name: 'ann', roles: ['other', 'wide'] },
        { name: 'bob', roles: ['other'] },
        { name: 'cat', roles: ['wide', 'other'], isDisabled: true },
        { name: 'dan', roles: ['wide', 'other'], password: byReference, updatePassword: true },
      ],
    })
    const planned = await plan(service, access)
    expect(planned).toMatchObject({ changed: 4, unchanged: 1, passwordsNeeded: ['dan'] })
    const of = (name: string) => planned.items.find((item) => item.name === name)
    expect(of('bob')).toMatchObject({
      fields: [{ field: 'roles', before: ['wide', 'other'], after: ['other'] }],
      tokens: 1,
    })
    expect(of('cat')).toMatchObject({ fields: [{ field: 'isDisabled', before: false, after: true }], tokens: 1 })
    expect(of('dan')).toMatchObject({ fields: [{ field: 'password' }], tokens: 1 })
    // A role that is wider costs nobody a token.
    expect(of('other')).toMatchObject({ act: 'change', holders: null, tokens: 0 })
    expect(await apply(service, access)).toMatchObject({ changed: 4, revokedTokens: 3 })
    const lake = service.cluster('lake')
    const known = [ann, bob, cat, dan].map((token) => lake.knows(token ?? ''))
    expect(known).toEqual([false, true, true, true])

    const narrow = doc({ roles: [{ name: 'wide', grants: [{ cluster: 'lake', permissions: ['GET'] }] }] })
    expect((await plan(service, narrow)).items).toMatchObject([{ name: 'wide', holders: 3, tokens: 1 }])
    expect(await apply(service, narrow)).toMatchObject({ changed: 1, revokedTokens: 1 })
    expect(lake.knows(ann ?? '')).toBe(true)
  })

  test('with prune removes what its lists do not name, but not built-in things, nor whoever asks', async () => {
    await using service = await startService({ store, clusters: ['lake', 'pond'] })
    const api = apiOf(service)
    await service.makeRole({ name: 'gone' })
    await service.makeRole({ name: 'kept' })
    await service.makeUser('ann', password, ['gone', 'kept'])
    await service.makeUser('bob', password, ['kept'])
    await service.makeUser('root', password, ['Admin'])
    const token = await service.login('root', password)
    const { uuid, url } = service.cluster('lake')
    const access = doc({
      clusters: [{ id: uuid, alias: 'lake', urls: [url] }],
      roles: [{ name: 'kept' }],
      users: [{ name: 'ann', roles: ['kept'] }],
    })
    const answer = await api('POST', '/access/plan', { token, body: { access, prune: true } })
    const planned = PlanAnswer.parse(answer.body)
    expect(planned.kept).toEqual([
      { kind: 'user', name: 'admin', why: 'built_in' },
      { kind: 'user', name: 'root', why: 'yourself' },
    ])
    const removed = planned.items.filter(({ act }) => act === 'remove').map(({ name }) => name)
    expect(removed).toEqual([
      service.cluster('pond').uuid,
      ...['BucketOwner-lake', 'BucketOwner-pond', 'ClusterOwner-lake', 'ClusterOwner-pond', 'Guest-lake', 'Guest-pond'],
      'gone',
      'bob',
    ])
    const done = await api('POST', '/access/apply', { token, body: { access, prune: true } })
    expect(AppliedAnswer.parse(done.body)).toMatchObject({ removed: removed.length })
    const left = await exported(service)
    expect(left.clusters?.map(({ alias }) => alias)).toEqual(['lake'])
    expect(left.roles).toEqual([{ name: 'kept' }])
    expect(left.users?.map(({ name }) => name)).toEqual(['admin', 'ann', 'root'])
    const again = await api('POST', '/access/plan', { token, body: { access, prune: true } })
    expect(PlanAnswer.parse(again.body)).toMatchObject({ items: [] })
    // What has no list is not spoken of.
    expect(await plan(service, doc({ users: left.users }), { prune: true })).toMatchObject({ items: [] })
  })

  test('changes nothing where anything is refused: a cluster that does not trust us, a list with an error', async () => {
    await using service = await startService({ store })
    const [lake, pond] = [await service.startCluster({ alias: 'lake' }), await service.startCluster({ alias: 'pond' })]
    lake.trust({ kind: 'shared_secret', secret: 'another' })
    pond.trust({ kind: 'shared_secret', secret: 'another' })
    const before = await exported(service)
    const clusters = [lake, pond].map(({ uuid, url }, index) => ({
      id: uuid,
      alias: ['lake', 'pond'][index],
      urls: [url],
    }))
    const access = doc({
      clusters,
      roles: [{ name: 'r' }],
      users: [{ name: 'ann', roles: ['r'], password: byReference }],
    })
    const refused = await send(service, access)
    expect(problemIn(refused)).toMatchObject({ status: 502, code: 'cluster_refused' })
    expect(problemIn(refused).detail).toContain('lake, pond said:')
    expect(await exported(service)).toEqual(before)

    const wrong = doc({
      clusters: [
        { id: 'c1', alias: 'a' },
        { id: 'c1', alias: 'c2' },
        { id: 'c2', urls: ['ftp://x'] },
      ],
      roles: [
        { name: 'Admin' },
        { name: '-x-' },
        {
          name: 'r',
          grants: [
            { cluster: 'c1', permissions: ['GTE'] },
            { cluster: '*', permissions: [] },
            { cluster: '*', permissions: ['GET'] },
          ],
        },
      ],
      users: [
        { name: 'ann', roles: ['r', 'rr'] },
        { name: 'admin', isDisabled: true, roles: ['Admin'] },
      ],
    })
    const { status, fields } = problemIn(await send(service, wrong))
    expect(status).toBe(422)
    const told = new Map(fields?.map(({ field, detail }) => [field, detail]))
    expect(told.get('access.clusters.1.id')).toContain('twice')
    expect(told.get('access.clusters.2.urls')).toContain('http')
    expect(told.get('access.roles.0.name')).toContain('built in')
    expect(told.get('access.roles.1.name')).toContain('may only contain')
    expect(told.get('access.roles.2.grants.0.permissions.0')).toContain('did you mean GET')
    expect(told.get('access.roles.2.grants.2')).toContain('another grant')
    expect(told.get('access.users.0.roles.1')).toContain('there is no role rr; did you mean r?')
    expect(told.get('access.users.0.password')).toContain('is needed')
    expect(told.get('access.users.1.isDisabled')).toContain('built-in administrator')
    expect(await exported(service)).toEqual(before)
  })

  test('is refused where something else would be done by now than in the plan that was looked at', async () => {
    await using service = await startService({ store })
    await service.makeRole({ name: 'r' })
    const access = doc({ roles: [{ name: 'r', description: 'new' }] })
    const { digest } = await plan(service, access)
    await service.makeRole({ name: 'unconcerned' })
    expect((await plan(service, access)).digest).toBe(digest)
    await service.request('PUT', '/v1/roles/r', { token: await service.adminToken(), body: { desc: 'other' } })
    const refused = await send(service, access, { plan: digest })
    expect(problemIn(refused)).toMatchObject({ status: 409, code: 'plan_outdated' })
    expect((await exported(service)).roles).toContainEqual({ name: 'r', description: 'other' })
  })

  test('makes one an administrator in the place of another', async () => {
    await using service = await startService({ store })
    await service.makeUser('root', password, ['Admin'])
    const swap = doc({
      users: [
        { name: 'root', roles: [] },
        { name: 'heir', roles: ['Admin'], password: byReference },
      ],
    })
    expect(await apply(service, swap)).toMatchObject({ changed: 1, created: 1 })
    const left = await exported(service)
    expect(left.users?.find(({ name }) => name === 'heir')?.roles).toEqual(['Admin'])
  })

  test('aliases can be swapped, taken away and freed for another in the same act', async () => {
    await using service = await startService({ store })
    const admin = await service.adminToken()
    for (const [id, alias] of [
      ['c1', 'one'],
      ['c2', 'two'],
      ['c3', 'three'],
    ]) {
      await service.request('POST', '/v1/clusters', { token: admin, body: { id, alias } })
    }
    await service.makeRole({ name: 'r', clusters: [{ id: 'one', perm: '1' }] })
    const access = doc({
      clusters: [{ id: 'c1', alias: 'two' }, { id: 'c2', alias: 'one' }, { id: 'c3' }, { id: 'c4', alias: 'three' }],
    })
    expect(await apply(service, access)).toMatchObject({ changed: 3 })
    const { clusters } = await exported(service)
    expect(clusters?.map(({ id, alias }) => [id, alias])).toEqual([
      ['c1', 'two'],
      ['c2', 'one'],
      ['c3', undefined],
      ['c4', 'three'],
    ])
  })
})

describe('a document', () => {
  test('with a literal password is refused, and the password is in no answer', async () => {
    await using service = await startService()
    const access = doc({ users: [{ name: 'ann', password: 'hunter2 in the clear' }] })
    const refused = await apiOf(service)('POST', '/access/plan', { body: { access } })
    expect(problemIn(refused)).toMatchObject({ status: 422, fields: [{ field: 'access.users.0.password' }] })
    expect(problemIn(refused).detail).toContain('must be a reference, { env: NAME } or { file: path }')
    expect(JSON.stringify([refused.body, service.log()])).not.toContain('hunter2')
  })

  test('needs passwords that were hashed for these users, here', async () => {
    await using service = await startService()
    await using other = await startService()
    const access = doc({ users: [{ name: 'ann', password: byReference }] })
    const hash = async (at: TestService, name: string) => {
      const answer = await apiOf(at)('POST', '/access/passwords', { body: { passwords: { [name]: password } } })
      return HashedPasswords.parse(answer.body).passwords[name]
    }
    for (const sealed of [undefined, 'x', await hash(service, 'bob'), await hash(other, 'ann')]) {
      const passwords = sealed === undefined ? {} : { ann: sealed }
      const refused = await apiOf(service)('POST', '/access/apply', { body: { access, passwords } })
      expect(problemIn(refused)).toMatchObject({ status: 422, fields: [{ field: 'access.users.0.password' }] })
    }
    const answer = await apiOf(service)('POST', '/access/apply', {
      body: { access, passwords: { ann: await hash(service, 'ann') } },
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(service.log())).not.toContain(password)
  })

  test('warns of what is allowed and may not be meant', async () => {
    await using service = await startService()
    const admin = await service.adminToken()
    await service.request('POST', '/v1/clusters', { token: admin, body: { id: 'c1', alias: 'lake' } })
    await service.makeRole({ name: 'old', clusters: [{ id: 'lake', perm: '1' }] })
    const access = doc({
      clusters: [{ id: 'c1', alias: 'sea' }],
      roles: [
        {
          name: 'r',
          grants: [
            { cluster: 'nowhere', permissions: ['GET'] },
            { cluster: '*', bucket: 'b', permissions: ['GET'] },
          ],
        },
      ],
    })
    expect((await plan(service, access)).warnings).toEqual([
      'The role r names the cluster nowhere, which is not registered.',
      'The role r names a bucket for every cluster, which has no effect: name the cluster.',
      'The role old calls a cluster lake, which nothing is called any more.',
    ])
  })

  test('is for administrators alone', async () => {
    await using service = await startService()
    await service.makeUser('ann', password)
    const token = await service.login('ann', password)
    for (const [method, path, body] of [
      ['GET', '/access'],
      ['POST', '/access/plan', { access: doc({}) }],
      ['POST', '/access/apply', { access: doc({}) }],
      ['POST', '/access/passwords', { passwords: { ann: password } }],
      ['POST', '/roles/diff', { roles: [{ name: 'r' }] }],
    ] as const) {
      expect((await apiOf(service)(method, path, { token, body })).status).toBe(403)
    }
  })
})

describe('an export', () => {
  test('applied to where it comes from changes nothing, whatever is there', async () => {
    await using service = await startService({ clusters: ['lake', 'pond'] })
    const { uuid } = service.cluster('lake')
    const anyRole = fc.record({
      desc: fc.string({ maxLength: 20 }),
      list: fc.array(grants([uuid, 'lake', 'unknown']), { maxLength: 5 }),
    })
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.array(anyRole, { maxLength: 3 }), async (roles) => {
        count += 1
        const names = roles.map((_, index) => `r${count}-${index}`)
        for (const [index, { desc, list }] of roles.entries()) {
          const acls = { clusters: clusterAcls({ grants: list }), buckets: bucketAcls({ grants: list }) }
          await service.makeRole({ name: names[index] ?? '', desc, ...acls } as never)
        }
        await service.makeUser(`u${count}`, password, [...names, ...names])
        const access = await exported(service)
        expect(await plan(service, access, { prune: true })).toMatchObject({ items: [], kept: [] })
      }),
      { numRuns: 8 },
    )
  })

  test('makes another service the same', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    const odd = {
      bck: { name: 'odd name#1', provider: 'AIS', namespace: { uuid, name: 'n s' } },
      perm: '18446744073709551615',
    }
    await service.makeRole({ name: 'odd', clusters: [{ id: '', perm: '34359738368' }], buckets: [odd] })
    await service.makeUser('ann', password, ['odd', 'Admin'])
    const access = await exported(service)
    await using other = await startService()
    const withPasswords = {
      ...access,
      users: access.users?.map((user) => ({ ...user, ...(user.name !== 'admin' && { password: byReference }) })),
      clusters: [{ ...access.clusters?.[0], urls: [] }],
    }
    await apply(other, withPasswords, { prune: true })
    expect(await exported(other)).toEqual({ ...access, clusters: [{ id: uuid, kind: 'aistore', alias: 'lake' }] })
  })

  test('comes in pages', async () => {
    await using service = await startService()
    for (const name of ['a', 'b', 'c', 'd']) await service.makeUser(name, password)
    const seen: string[] = []
    let cursor = ''
    for (let pages = 1; ; pages += 1) {
      const { body } = await apiOf(service)('GET', `/access?limit=2${cursor}`)
      const page = ExportAnswer.parse(body)
      seen.push(...(page.access.users?.map(({ name }) => name) ?? []))
      expect(page.access.roles === undefined).toBe(pages > 1)
      if (page.next === null) break
      cursor = `&cursor=${page.next}`
    }
    expect(seen).toEqual(['a', 'admin', 'b', 'c', 'd'])
  })
})

describe('what an edit of a role would change', () => {
  async function diff(service: TestService, body: object) {
    const answer = await apiOf(service)('POST', '/roles/diff', { body })
    expect(answer).toMatchObject({ status: 200 })
    return RoleDiffAnswer.parse(answer.body)
  }

  test('is told by groups of the same roles, the others of which are taken into account', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid } = service.cluster('lake')
    await service.makeRole({ name: 'writer', clusters: [{ id: uuid, perm: '831' }] })
    await service.makeRole({ name: 'all', clusters: [{ id: 'lake', perm: '262143' }] })
    for (const name of ['a1', 'a2', 'a3']) await service.makeUser(name, password, ['writer'])
    await service.makeUser('b1', password, ['writer', 'all'])
    await service.makeUser('c1', password, ['all'])
    const roles = [
      {
        name: 'writer',
        grants: [
          { cluster: 'lake', permissions: ['ro', 'LIST-BUCKETS'] },
          { cluster: 'lake', bucket: 'photos', permissions: ['PUT'] },
        ],
      },
      { name: 'new' },
    ]
    const found = await diff(service, { roles })
    expect(found).toMatchObject({ changed: ['writer'], created: ['new'], holders: 4, unaffected: 0, groupCount: 2 })
    const lost = ['PUT', 'APPEND', 'DELETE-OBJECT', 'MOVE-OBJECT']
    const read = ['GET', 'HEAD-OBJECT', 'HEAD-BUCKET', 'LIST-OBJECTS']
    expect(found.groups[0]).toEqual({
      roles: ['writer'],
      users: 3,
      sample: ['a1', 'a2', 'a3'],
      changes: [
        { cluster: 'lake', bucket: null, gained: ['LIST-BUCKETS'], lost },
        {
          cluster: 'lake',
          bucket: 'ais://photos',
          gained: [],
          lost: ['GET', 'HEAD-OBJECT', 'APPEND', 'DELETE-OBJECT', 'MOVE-OBJECT', 'HEAD-BUCKET', 'LIST-OBJECTS'],
        },
      ],
    })
    // Whoever may everything through another role loses it for the bucket all the same: its entry decides alone.
    expect(found.groups[1]).toMatchObject({ roles: ['writer', 'all'], users: 1, changes: [{ bucket: 'ais://photos' }] })
    expect(found.groups[1]?.changes[0]?.lost).toEqual(expect.arrayContaining([...read, 'APPEND']))
    const wider = [{ name: 'writer', grants: [{ cluster: 'lake', permissions: ['rw', 'ADMIN'] }] }]
    expect(await diff(service, { roles: wider, limit: 1 })).toMatchObject({ holders: 4, unaffected: 1, groupCount: 1 })
  })
})
