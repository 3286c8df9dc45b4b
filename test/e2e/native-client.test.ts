import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import createClient from 'openapi-fetch'
import { beforeAll, describe, expect, test } from 'vitest'
import type { paths } from '../clients/openapi/native-api.d.ts'
import { digestIn, digestOf, typesFile } from '../clients/openapi/types.ts'
import { startService, type TestService } from '../service.ts'

// The API as somebody else's client has it: openapi-fetch, typed by what openapi-typescript made of the document. What is
// not in the document does not compile.

let service: TestService

function clientFor(token?: string) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  return createClient<paths>({ baseUrl: `${service.url}/api/v1`, headers })
}

let api: ReturnType<typeof clientFor>

beforeAll(async () => {
  service = await startService({ clusters: ['lake'] })
  const { name, password } = service.administrator
  const { data } = await clientFor().POST('/sessions', { body: { name, password } })
  api = clientFor(data?.token)
  return () => service[Symbol.asyncDispose]()
})

/** The answer's data; a failure is told with the problem. */
function must<D>({ data, error, response }: { data?: D; error?: unknown; response: Response }): D {
  if (data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`)
  return data
}

test('the types are those of the document: test/clients/openapi/run.sh --write makes them anew', async () => {
  const { data } = await api.GET('/openapi.json')
  expect(digestIn(readFileSync(typesFile, 'utf8'))).toBe(digestOf(data ?? {}))
})

describe('from nothing to "may read this bucket and nothing else", and back', () => {
  const name = 'ann'
  const role = 'photo-reader'
  let token = ''

  test('a role is put, a user is made with it, and logs in', async () => {
    const words = must(await api.GET('/permissions'))
    expect(words.clusters[0]?.sets.map((set) => set.name)).toContain('ro')
    const put = await api.PUT('/roles/{name}', {
      params: { path: { name: role }, header: { 'If-None-Match': '*' } },
      body: {
        description: 'Reads photos',
        entries: [{ cluster: 'lake', bucket: 'ais://photos', permissions: ['ro'] }],
      },
    })
    expect(put.response.status).toBe(201)
    expect(must(put).entries[0]?.number).toBe('771')
    const header = { 'Idempotency-Key': randomUUID() }
    const body = { name, password: 'a password', roles: [role] }
    const made = await api.POST('/users', { params: { header }, body })
    const again = await api.POST('/users', { params: { header }, body })
    expect(again.data).toEqual(must(made))
    expect(again.response.headers.get('idempotency-replayed')).toBe('true')
    const session = must(await clientFor().POST('/sessions', { body: { name, password: 'a password' } }))
    token = session.token
    const whoami = must(await clientFor(token).GET('/whoami'))
    expect(whoami).toMatchObject({ subject: name, roles: [role], isAdministrator: false })
  })

  test('the user may nothing at Gatehouse itself', async () => {
    const { error, response } = await clientFor(token).GET('/users')
    expect({ status: response.status, code: error?.code }).toEqual({ status: 403, code: 'permission_denied' })
  })

  test('the token is found by user, by role and by cluster', async () => {
    for (const query of [{ user: name }, { role }, { cluster: 'lake', user: name }] as const) {
      const { items } = must(await api.GET('/tokens', { params: { query: { ...query, state: 'live' } } }))
      expect(items).toMatchObject([{ subject: name, state: 'live', revocation: null }])
    }
  })

  test('a change on what has changed is refused; on what is there it goes through', async () => {
    const path = { name: role }
    const read = await api.GET('/roles/{name}', { params: { path } })
    const etag = read.response.headers.get('etag') ?? ''
    const known = await api.GET('/roles/{name}', { params: { path, header: { 'If-None-Match': etag } } })
    expect(known.response.status).toBe(304)
    const { name: _, authority, ...rest } = must(read)
    expect(authority).toBeNull()
    const body = { ...rest, description: 'Reads all photos', isAdministrator: false, isBuiltIn: false } as const
    const put = (tag: string) => api.PUT('/roles/{name}', { params: { path, header: { 'If-Match': tag } }, body })
    expect((await put(etag)).response.status).toBe(200)
    expect((await put(etag)).error?.code).toBe('precondition_failed')
  })

  test('the role is narrowed: the token is dead on the cluster', async () => {
    must(await api.PUT('/roles/{name}', { params: { path: { name: role } }, body: { entries: [] } }))
    expect(service.cluster('lake').knows(token)).toBe(true)
    const { items } = must(await api.GET('/tokens', { params: { query: { user: name, state: 'revoked' } } }))
    expect(items).toHaveLength(1)
    const revocation = items[0]?.revocation?.id ?? 0
    const shown = must(await api.GET('/revocations/{id}', { params: { path: { id: revocation } } }))
    expect(shown).toMatchObject({ cause: 'role.narrowed', isEverywhere: true })
    const dead = must(await api.POST('/tokens/introspect', { body: { token } }))
    expect(dead).toMatchObject({ active: false, isDeadEverywhere: true })
  })

  test('roles are given and taken one by one, the user is disabled and enabled', async () => {
    const params = { path: { name, role } }
    expect(must(await api.DELETE('/users/{name}/roles/{role}', { params })).roles).toEqual([])
    expect(must(await api.PUT('/users/{name}/roles/{role}', { params })).roles).toEqual([role])
    for (const isDisabled of [true, false]) {
      const patched = await api.PATCH('/users/{name}', { params: { path: { name } }, body: { isDisabled } })
      expect(must(patched).isDisabled).toBe(isDisabled)
      const session = await clientFor().POST('/sessions', { body: { name, password: 'a password' } })
      expect(session.response.status).toBe(isDisabled ? 401 : 201)
    }
  })

  test('user and role are removed, and a lock, a resync and settings are had the same way', async () => {
    const lock = must(await api.POST('/locks', { body: { user: name, forSeconds: 60 } }))
    must(await api.DELETE('/locks/{id}', { params: { path: { id: lock.lock.id } } }))
    expect((await api.DELETE('/users/{name}', { params: { path: { name } } })).response.status).toBe(204)
    expect((await api.DELETE('/roles/{name}', { params: { path: { name: role } } })).response.status).toBe(204)
    expect((await api.GET('/users/{name}', { params: { path: { name } } })).error?.code).toBe('user_not_found')
    must(await api.POST('/clusters/{name}/resync', { params: { path: { name: 'lake' } } }))
    const patched = must(await api.PATCH('/settings', { body: { 'log.level': 4 } }))
    expect(patched.items.find((item) => item.name === 'log.level')).toMatchObject({ value: 4, source: 'runtime' })
    expect(must(await api.GET('/keys')).items).toHaveLength(1)
  })

  test('a cluster is registered, changed and forgotten', async () => {
    const { uuid: id, ...cluster } = await service.startCluster({ alias: 'pond' })
    const urls = [...cluster.urls]
    const made = must(await api.POST('/clusters', { body: { id, alias: 'pond', urls } }))
    expect(made.id).toBe(id)
    const path = { name: 'pond' }
    must(await api.PATCH('/clusters/{name}', { params: { path }, body: { alias: null } }))
    const listed = must(await api.GET('/clusters'))
    expect(listed.items.find((item) => item.id === id)?.alias).toBeNull()
    expect((await api.DELETE('/clusters/{name}', { params: { path: { name: id } } })).response.status).toBe(204)
  })

  test('logging out ends the own token', async () => {
    const session = must(
      await clientFor().POST('/sessions', { body: { name: 'admin', password: service.administrator.password } }),
    )
    const client = clientFor(session.token)
    expect((await client.DELETE('/sessions/current')).response.status).toBe(204)
    expect((await client.GET('/whoami')).error?.code).toBe('token_revoked')
  })
})
