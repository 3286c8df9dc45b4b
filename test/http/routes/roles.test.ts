import { beforeAll, describe, expect, test } from 'vitest'
import { PermissionsBody, type RoleBody } from '../../../src/http/routes/shapes/roles.ts'
import { startService, type TestService } from '../../service.ts'
import { apiOf, problemIn } from './api.ts'

let service: TestService
let api: ReturnType<typeof apiOf>

beforeAll(async () => {
  service = await startService({ clusters: ['lake'] })
  api = apiOf(service)
  return () => service[Symbol.asyncDispose]()
})

const ro = ['GET', 'HEAD-OBJECT', 'HEAD-BUCKET', 'LIST-OBJECTS']

async function put(name: string, body: unknown, options: { readonly query?: string } = {}) {
  return api<RoleBody>('PUT', `/roles/${name}${options.query ?? ''}`, { body })
}

describe('a whole role', () => {
  test('is put, is the same when it is put again, and what is left out is gone', async () => {
    const body = {
      description: 'May read photos',
      entries: [
        { cluster: 'lake', permissions: ['list-buckets'] },
        { cluster: 'lake', bucket: 's3://photos', permissions: ['ro'] },
        { cluster: null, number: '0' },
      ],
    }
    const made = await put('photographer', body)
    expect({ status: made.status, location: made.headers.get('location') }).toEqual({
      status: 201,
      location: '/api/v1/roles/photographer',
    })
    expect(made.body).toEqual({
      name: 'photographer',
      description: 'May read photos',
      isAdministrator: false,
      isBuiltIn: false,
      authority: null,
      entries: [
        { cluster: 'lake', bucket: null, permissions: ['LIST-BUCKETS'], number: '4096' },
        { cluster: 'lake', bucket: { provider: 'aws', name: 'photos', namespace: '' }, permissions: ro, number: '771' },
        { cluster: null, bucket: null, permissions: [], number: '0' },
      ],
    })
    expect(await put('photographer', body)).toMatchObject({ status: 200, body: made.body })
    const back = await put('photographer', made.body)
    expect(back).toMatchObject({ status: 200, body: made.body })
    expect(back.headers.get('etag')).toBe(made.headers.get('etag'))
    const emptied = await put('photographer', {})
    expect(emptied.body).toMatchObject({ description: '', entries: [] })
  })

  test('keeps what AIStore\u2019s clients have sent with it, and they read what was put', async () => {
    const uuid = service.cluster('lake').uuid
    await service.makeRole({ name: 'both', clusters: [{ id: uuid, perm: '3' }], buckets: [] })
    const { body } = await api<RoleBody>('GET', '/roles/both')
    await put('both', { ...body, entries: [...body.entries, { cluster: uuid, bucket: 'b', permissions: ['rw'] }] })
    const role = (await service.request('GET', '/v1/roles/both', { token: await service.adminToken() })).json()
    expect(role).toMatchObject({
      clusters: [{ id: uuid, perm: '3' }],
      buckets: [{ bck: { name: 'b', provider: 'ais', namespace: { uuid, name: '' } }, perm: '831' }],
    })
  })

  test('that allows less revokes the tokens that carry it, unless they are to be kept; one that allows more does not', async () => {
    const role = (permissions: readonly string[]) => ({ entries: [{ cluster: 'lake', permissions }] })
    await put('elastic', role(['ro']))
    await service.makeUser('eve', 'pw', ['elastic'])
    const token = await service.login('eve', 'pw')
    const isGood = async () => (await api('GET', '/whoami', { token })).status === 200
    await put('elastic', role(['rw']))
    expect(await isGood()).toBe(true)
    await put('elastic', role(['GET']), { query: '?tokens=keep' })
    expect(await isGood()).toBe(true)
    await put('elastic', { entries: [] })
    expect(await isGood()).toBe(false)
  })

  test('has 64 bits: those without a name too', async () => {
    const all = await put('all', { entries: [{ cluster: 'lake', permissions: ['su'] }] })
    expect(all.body.entries[0]).toMatchObject({ permissions: ['su'], number: '18446744073709551615' })
    const high = await put('high', { entries: [{ cluster: 'lake', number: '9223372036854775809' }] })
    expect(high.body.entries[0]).toMatchObject({ permissions: ['GET', 'BIT-63'] })
    expect((await put('high', high.body)).body).toEqual(high.body)
  })

  test.each([
    [{ entries: [{ cluster: 'lake', permissions: ['GTE', 'PUT'] }] }, 'entries.0.permissions.0', 'did you mean GET'],
    [{ entries: [{ cluster: 'lake', permissions: ['delete'] }] }, 'entries.0.permissions.0', 'DELETE-OBJECT'],
    [
      { entries: [{ cluster: 'lake', permissions: ['GET'], number: '2' }] },
      'entries.0.number',
      'permissions, which are 1',
    ],
    [{ entries: [{ cluster: 'lake', number: '18446744073709551616' }] }, 'entries.0.number', '2^64-1'],
    [{ entries: [{ cluster: 'lake', number: '-1' }] }, 'entries.0.number', '2^64-1'],
    [{ entries: [{ cluster: 'lake' }] }, 'entries.0', 'needs permissions, or number'],
    [{ entries: [{ permissions: [] }] }, 'entries.0.cluster', ''],
    [
      {
        entries: [
          { cluster: 'a', number: '1' },
          { cluster: 'a', number: '2' },
        ],
      },
      'entries.1',
      'entries.0',
    ],
    [{ entries: [{ cluster: null, bucket: 'b', number: '1' }] }, 'entries.0.cluster', 'must name the cluster'],
    [{ entries: [{ cluster: 'a', bucket: 'moon://b', number: '1' }] }, 'entries.0.bucket', 'one of ais, aws'],
    [{ entries: [{ cluster: 'a', bucket: { name: 'a/b' }, number: '1' }] }, 'entries.0.bucket.name', 'names no bucket'],
    [{ entries: [], colour: 'red' }, 'colour', 'not known'],
    [{ name: 'other' }, 'name', 'path'],
    [{ isAdministrator: true }, 'isAdministrator', ''],
  ])('%j is refused, naming the place', async (body, field, detail) => {
    const answer = await put('faulty', body)
    expect(answer.status).toBe(422)
    const fields = problemIn(answer).fields ?? []
    expect(fields.map((each) => each.field)).toContain(field)
    expect(fields.find((each) => each.field === field)?.detail).toContain(detail)
    expect((await api('GET', '/roles/faulty')).status).toBe(404)
  })

  test('that is built in can not be put, and a bad name can not be made', async () => {
    expect(problemIn(await put('Admin', {})).code).toBe('role_protected')
    expect(problemIn(await put('-bad-', {})).fields?.[0]?.field).toBe('name')
  })
})

test('a role is made once and removed with the tokens that carry it', async () => {
  const made = await api('POST', '/roles', { body: { name: 'once', description: 'for a while' } })
  expect(made.status).toBe(201)
  expect(problemIn(await api('POST', '/roles', { body: { name: 'once' } })).code).toBe('role_exists')
  await service.makeUser('ona', 'pw', ['once'])
  const token = await service.login('ona', 'pw')
  expect((await api('DELETE', '/roles/once')).status).toBe(204)
  expect((await api('GET', '/whoami', { token })).status).toBe(401)
  expect((await api('DELETE', '/roles/once')).status).toBe(404)
})

test('the list of roles comes in pages, and by cluster under its id or alias', async () => {
  const uuid = service.cluster('lake').uuid
  await put('on-a', { entries: [{ cluster: 'lake', number: '1' }] })
  await put('on-b', { entries: [{ cluster: uuid, bucket: 'b', number: '1' }] })
  await put('on-c', { entries: [{ cluster: 'pond', number: '1' }] })
  const names: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await api<{ items: RoleBody[]; next: string | null }>('GET', `/roles?prefix=on-&limit=1${cursor}`)
    names.push(...body.items.map(({ name }) => name))
    if (body.next === null) break
    cursor = `&cursor=${body.next}`
  }
  expect(names).toEqual(['on-a', 'on-b', 'on-c'])
  for (const name of ['lake', uuid]) {
    const { body } = await api<{ items: RoleBody[] }>('GET', `/roles?prefix=on-&cluster=${name}`)
    expect(body.items.map((role) => role.name)).toEqual(['on-a', 'on-b'])
  }
})

test('permissions are listed with their numbers and meanings, for whoever is logged in', async () => {
  await service.makeUser('plain', 'pw')
  const { status, body } = await api('GET', '/permissions', { token: await service.login('plain', 'pw') })
  expect(status).toBe(200)
  const { gatehouse, clusters } = PermissionsBody.parse(body)
  expect(gatehouse.permissions).toContain('roles:write')
  expect(gatehouse.roles.map(({ name }) => name)).toContain('auditor')
  const [aistore] = clusters
  expect(aistore?.permissions).toHaveLength(18)
  expect(aistore?.permissions.at(-1)).toMatchObject({ name: 'ADMIN', number: '131072', isClusterWide: true })
  expect(aistore?.sets.map(({ number }) => number)).toEqual(['771', '831', '18446744073709551615'])
})
