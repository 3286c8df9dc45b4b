/** Roles as the CLI and the SDK change them (contract 1.4, section 5; weaknesses W9, W17, W24). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantOfBucketAcl } from '../../../../src/adapters/aistore/acl.ts'
import { mergeRole } from '../../../../src/adapters/aistore/dialect/roles.ts'
import { startService, type TestService } from '../../../service.ts'

let service: TestService
let admin: string

beforeAll(async () => {
  service = await startService()
  admin = await service.adminToken()
})
afterAll(() => service[Symbol.asyncDispose]())

const call = (method: string, path: string, body?: unknown) =>
  service.request(method, path, { token: admin, ...(body === undefined ? {} : { body }) })
const roleOf = async (name: string) => (await call('GET', `/v1/roles/${name}`)).json()

describe('`ais auth set role --desc`, which sends an entry of no cluster and no permissions', () => {
  const asCliSends = (name: string, desc: string) => ({
    name,
    desc,
    clusters: [{ id: '' }],
    buckets: [],
    admin: false,
  })

  test('leaves the permissions of a role for every cluster alone', async () => {
    await call('POST', '/v1/roles', { name: 'every', desc: '', clusters: [{ id: '', perm: '771' }], admin: false })
    expect((await call('PUT', '/v1/roles/every', asCliSends('every', 'new'))).status).toBe(200)
    expect(await roleOf('every')).toMatchObject({ desc: 'new', clusters: [{ id: '', perm: '771' }] })
  })

  test('adds no entry to a role for one cluster', async () => {
    await call('POST', '/v1/roles', { name: 'single', clusters: [{ id: 'c', perm: '1' }] })
    expect((await call('PUT', '/v1/roles/single', asCliSends('single', 'new'))).status).toBe(200)
    expect(await roleOf('single')).toMatchObject({ desc: 'new', clusters: [{ id: 'c', perm: '1' }] })
  })

  test('but an entry that says 0 sets 0, for every cluster and for one', async () => {
    await call('POST', '/v1/roles', {
      name: 'zero',
      clusters: [
        { id: '', perm: '7' },
        { id: 'c', perm: '7' },
      ],
    })
    await call('PUT', '/v1/roles/zero', { clusters: [{ id: '', perm: '0' }, { id: 'c' }] })
    expect(await roleOf('zero')).toMatchObject({
      clusters: [
        { id: '', perm: '0' },
        { id: 'c', perm: '0' },
      ],
    })
  })
})

test('an update replaces the permissions of the first entry of a kind, and appends what is new once', async () => {
  const bucket = (name: string, perm: string) => ({
    bck: { name, provider: 'ais', namespace: { uuid: 'c', name: '' } },
    perm,
  })
  await call('POST', '/v1/roles', {
    name: 'merge',
    clusters: [
      { id: 'c', alias: 'al', perm: '1' },
      { id: 'c', perm: '2' },
    ],
    buckets: [bucket('b', '1')],
  })
  const clusters = [
    { id: 'c', alias: 'other', perm: '4' },
    { id: 'd', perm: '5' },
    { id: 'd', perm: '6' },
  ]
  await call('PUT', '/v1/roles/merge', { clusters, buckets: [bucket('b', '8'), bucket('x', '9'), null] })
  expect(await roleOf('merge')).toMatchObject({
    clusters: [
      { id: 'c', alias: 'al', perm: '4' },
      { id: 'c', perm: '2' },
      { id: 'd', perm: '6' },
    ],
    buckets: [bucket('b', '8'), bucket('x', '9')],
  })
})

test('an update of a role with very many buckets takes no time that grows with their square', () => {
  const buckets = Array.from({ length: 50_000 }, (_, index) => ({
    bck: { name: `b${index}`, provider: 'ais', namespace: { uuid: 'c', name: '' } },
    perm: '1',
  }))
  const grants = buckets.map(grantOfBucketAcl)
  const kind = { isAdministrator: false, isBuiltIn: false, authority: null }
  const none = { key: 1, name: 'many', description: '', annotations: {}, ...kind }
  const startedAt = performance.now()
  const merged = mergeRole({ ...none, grants }, { name: '', desc: '', clusters: null, buckets, admin: false })
  expect(merged.grants).toHaveLength(50_000)
  expect(performance.now() - startedAt).toBeLessThan(1500)
})

describe('the role that administers', () => {
  test.each([
    ['PUT', '/v1/roles/Admin', { desc: 'x' }, 403],
    ['PUT', '/v1/roles/%41dmin/more', { desc: 'x' }, 403],
    ['DELETE', '/v1/roles/Admin', undefined, 403],
    ['POST', '/v1/roles', { name: 'Admin' }, 409],
    ['POST', '/v1/roles', { name: 'Admin', admin: true }, 403],
    ['POST', '/v1/roles', { name: 'mine', admin: true }, 403],
    ['POST', '/v1/roles', { name: 'Admin ' }, 400],
    ['POST', '/v1/roles', { name: 'Adm\u0131n' }, 400],
    ['POST', '/v1/roles', { name: 'Admin\u0000' }, 400],
  ])('%s %s %j is refused', async (method, path, body, status) => {
    expect((await call(method, path, body)).status).toBe(status)
    expect(await roleOf('Admin')).toEqual({
      name: 'Admin',
      desc: 'AuthN administrator',
      clusters: null,
      buckets: null,
      admin: true,
    })
  })

  test('is known by its very name: `admin` is a role like any other, whatever it says of itself', async () => {
    expect((await call('POST', '/v1/roles', { name: 'admin' })).status).toBe(200)
    expect((await call('PUT', '/v1/roles/admin', { admin: true, name: 'Admin' })).status).toBe(200)
    expect(await roleOf('admin')).toMatchObject({ name: 'admin', admin: false })
    await service.makeUser('lower', 'pw', ['admin'])
    const token = await service.login('lower', 'pw')
    expect((await service.request('GET', '/v1/users', { token })).status).toBe(401)
  })
})

describe('without a token', () => {
  test('roles are not shown', async () => {
    for (const path of ['/v1/roles', '/v1/roles/Admin', '/v1/roles/nosuch']) {
      const answer = await service.request('GET', path)
      expect([answer.status, answer.json()]).toMatchObject([401, { message: 'token required' }])
    }
  })

  test('clusters are shown by id and alias alone, as they are with a token that is worth nothing', async () => {
    await call('POST', '/v1/clusters', { id: 'quiet', alias: 'q', urls: [], perm: '5' })
    for (const token of [undefined, 'junk']) {
      for (const path of ['/v1/clusters', '/v1/clusters/q', '/v1/clusters/quiet']) {
        const answer = await service.request('GET', path, { token })
        expect(answer.json()).toEqual({ clusters: { quiet: { id: 'quiet', alias: 'q' } } })
      }
    }
    expect((await call('GET', '/v1/clusters/q')).json()).toMatchObject({ clusters: { quiet: { perm: '5' } } })
  })

  test('the switch shows all of both', async () => {
    await using open = await startService({ hasOpenReads: true })
    const token = await open.adminToken()
    await open.request('POST', '/v1/clusters', { token, body: { id: 'seen', perm: '5' } })
    expect((await open.request('GET', '/v1/clusters')).json()).toMatchObject({ clusters: { seen: { perm: '5' } } })
    const roles = await open.request('GET', '/v1/roles')
    expect(roles.json()).toMatchObject([{ name: 'Admin' }, {}, {}, {}])
  })
})
