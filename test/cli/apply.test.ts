import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService } from '../service.ts'
import { type Client, loggedIn, makeSecret } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

function write(client: Client, name: string, text: string): void {
  writeFileSync(join(client.home, name), text)
}

const access = (uuid: string, url: string) => `apiVersion: gatehouse/v1
clusters:
  - { id: ${uuid}, alias: lake, urls: [${url}] }
roles:
  - name: viewer
    description: reads photos
    grants:
      - { cluster: lake, bucket: photos, permissions: [ro] }
      - { cluster: lake, permissions: [LIST-BUCKETS, SHOW-CLUSTER] }
`

const users = `apiVersion: gatehouse/v1
users:
  - name: ann
    roles: [viewer]
    password: { env: ANN_PASSWORD }
  - name: bob
    roles: [viewer]
    password: { file: bob.password }
`

describe('apply', () => {
  test('shows a plan, does it all at once, and then has nothing to do', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const { uuid, url } = service.cluster('lake')
    const client = await loggedIn(service)
    const [ann, bob] = [makeSecret(), makeSecret()]
    write(client, 'access.yaml', access(uuid, url))
    write(client, 'users.yaml', users)
    write(client, 'bob.password', `${bob}\n`)
    const env = { ANN_PASSWORD: ann }
    const both = ['-f', 'access.yaml', 'users.yaml']
    const dry = await client(['apply', ...both, '--dry-run'], { env })
    expect(dry).toMatchObject({ code: 14, err: '' })
    expect(dry.out).toContain('+ role viewer\n    description              reads photos')
    expect(dry.out).toContain('    grant lake ais://photos  GET, HEAD-OBJECT, HEAD-BUCKET, LIST-OBJECTS\n')
    expect(dry.out).toMatch(/^\+ user ann\n {4}roles +viewer\n {4}password +set$/m)
    expect(dry.out).toMatch(/^3 new, 0 changed, 0 removed, 1 unchanged\.$/m)
    const unasked = await client(['apply', ...both], { env })
    expect(unasked).toMatchObject({ code: 2, err: expect.stringContaining('say --yes') })
    const done = await client(['apply', ...both, '--yes'], { env })
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(done.out).toMatch(/^Done: 3 new, 0 changed, 0 removed, 1 unchanged\.$/m)
    for (const [name, password] of [
      ['ann', ann],
      ['bob', bob],
    ] as const)
      await service.login(name, password)
    // Users who are there need no password any more.
    const again = await client(['apply', '-f', '-', '--dry-run'], {
      input: access(uuid, url) + users.slice(users.indexOf('users:')),
    })
    expect(again).toMatchObject({ code: 0, out: 'Nothing to do: 4 are as they should be.\n', err: '' })
    expect(JSON.parse((await client(['apply', ...both, '--json'])).out)).toMatchObject({ unchanged: 4, items: [] })
  })

  test('says by file and line what is wrong, and changes nothing', async () => {
    await using service = await startService()
    const client = await loggedIn(service)
    write(
      client,
      'a.yaml',
      'apiVersion: gatehouse/v1\nroles:\n  - name: r\n    grants:\n      - cluster: "*"\n        permissions: [GTE]\n',
    )
    write(
      client,
      'b.json',
      JSON.stringify({ apiVersion: 'gatehouse/v1', users: [{ name: 'ann', roles: ['q'], colour: 1 }] }, null, 2),
    )
    const known = await client(['apply', '-f', 'b.json'])
    expect(known).toMatchObject({
      code: 2,
      err: 'gatehouse: b.json:9: users.0.colour: is not known here\ngatehouse: nothing was changed\n',
    })
    write(
      client,
      'b.json',
      JSON.stringify({ apiVersion: 'gatehouse/v1', users: [{ name: 'ann', roles: ['q'] }] }, null, 2),
    )
    const { code, err } = await client(['apply', '-f', 'a.yaml', '-f', 'b.json'])
    expect(code).toBe(2)
    expect(err).toMatch(/^gatehouse: a\.yaml:6: roles\.0\.grants\.0\.permissions\.0: .*did you mean GET/m)
    expect(err).toMatch(/^gatehouse: b\.json:7: users\.0\.roles\.0: there is no role q/m)
    write(client, 'c.yaml', 'apiVersion: gatehouse/v1\nusers: [\n')
    expect(await client(['apply', '-f', 'c.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^gatehouse: c\.yaml:\d: /),
    })
    expect(await client(['apply', '-f', 'nowhere.yaml'])).toMatchObject({
      code: 1,
      err: expect.stringContaining("can't read nowhere.yaml"),
    })
    expect(await client(['apply'])).toMatchObject({ code: 2, err: expect.stringContaining('-f access.yaml') })
  })

  test('sends no password that stands in the file, and names the reference that leads nowhere', async () => {
    await using service = await startService()
    const client = await loggedIn(service)
    const secret = makeSecret()
    write(client, 'literal.yaml', `apiVersion: gatehouse/v1\nusers:\n  - name: ann\n    password: ${secret}\n`)
    const literal = await client(['apply', '-f', 'literal.yaml', '--yes'])
    expect(literal).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('literal.yaml:4: a password must be a reference'),
    })
    expect(literal.err + JSON.stringify(service.log())).not.toContain(secret)
    write(client, 'users.yaml', users.replaceAll('roles: [viewer]', 'roles: []'))
    expect(await client(['apply', '-f', 'users.yaml', '--dry-run'])).toMatchObject({
      code: 2,
      err: 'gatehouse: users.yaml:5: the password of ann is to be in the variable ANN_PASSWORD, which is not set\n',
    })
    const env = { ANN_PASSWORD: makeSecret() }
    expect(await client(['apply', '-f', 'users.yaml', '--dry-run'], { env })).toMatchObject({
      code: 2,
      err: expect.stringMatching(/users\.yaml:8: the password of bob is to be in .*bob\.password, which can't be read/),
    })
  })

  test('prunes what is not named, and says what stays all the same and who is hit', async () => {
    await using service = await startService()
    const client = await loggedIn(service)
    await service.makeRole({ name: 'gone', clusters: [{ id: 'c', perm: '1' }] })
    await service.makeUser('ann', makeSecret(), ['gone'])
    const password = makeSecret()
    await service.makeUser('bob', password, ['gone'])
    await service.login('bob', password)
    write(client, 'none.yaml', 'apiVersion: gatehouse/v1\nroles: []\nusers: [{ name: ann }]\n')
    const dry = await client(['apply', '-f', 'none.yaml', '--prune', '--dry-run'])
    expect(dry.out).toMatch(/^- role gone\n {4}grant c +GET\n {4}! held by 2 users; 1 live token would be revoked$/m)
    expect(dry.out).toMatch(/^Not named, and kept: admin \(built in\)\.$/m)
    const done = await client(['apply', '-f', 'none.yaml', '--prune', '--yes', '--quiet'])
    expect(done).toMatchObject({ code: 0, out: '', err: '' })
    expect(JSON.parse((await client(['export', '--json'])).out)).toEqual({
      apiVersion: 'gatehouse/v1',
      clusters: [],
      roles: [],
      users: [{ name: 'admin', roles: ['Admin'] }, { name: 'ann' }],
    })
  })
})

describe('export', () => {
  test('writes YAML with comments, always in the same order, that apply takes and finds nothing to do in', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const client = await loggedIn(service)
    const bck = { name: 'photos', provider: 's3', namespace: { uuid: 'lake', name: '' } }
    await service.makeRole({ name: 'viewer', clusters: [{ id: '', perm: '4096' }], buckets: [{ bck, perm: '771' }] })
    await service.makeUser('ann', makeSecret(), ['viewer'])
    const { out, code } = await client(['export'])
    expect(code).toBe(0)
    expect(out).toMatch(/^# yaml-language-server: \$schema=http:\/\/.*\/api\/v1\/schemas\/access\.json$/m)
    expect(out).toContain(`  - name: viewer
    grants:
      - cluster: "*"
        permissions: [LIST-BUCKETS]
      - cluster: lake
        bucket: aws://photos
        permissions: [GET, HEAD-OBJECT, HEAD-BUCKET, LIST-OBJECTS]
`)
    expect(out).toContain('  - name: ann\n    roles: [viewer]\n')
    expect((await client(['export'])).out).toBe(out)
    const applied = await client(['apply', '-f', '-', '--prune', '--dry-run'], { input: out })
    expect(applied).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Nothing to do') })
  })
})

describe('role diff', () => {
  test('says who would gain and lose what, of a single role or of all roles of a document', async () => {
    await using service = await startService({ clusters: ['lake'] })
    const client = await loggedIn(service)
    await service.makeRole({ name: 'writer', clusters: [{ id: 'lake', perm: '831' }] })
    for (const name of ['ann', 'bob']) await service.makeUser(name, makeSecret(), ['writer'])
    write(client, 'writer.yaml', 'name: writer\ngrants:\n  - { cluster: lake, permissions: [ro, LIST-BUCKETS] }\n')
    const found = await client(['role', 'diff', '-f', 'writer.yaml'])
    expect(found).toMatchObject({ code: 14, err: '' })
    expect(found.out).toContain('2 users hold what is different; nothing changes for 0.')
    expect(found.out).toMatch(/^2 users with writer \(ann, bob\)$/m)
    expect(found.out).toMatch(/^ {2}lake +LIST-BUCKETS +PUT, APPEND, DELETE-OBJECT, MOVE-OBJECT$/m)
    write(client, 'same.yaml', (await client(['export'])).out)
    expect(await client(['role', 'diff', '-f', 'same.yaml'])).toMatchObject({
      code: 0,
      out: 'No role is different from what there is.\n',
    })
    write(client, 'wrong.yaml', 'name: writer\ngrants:\n  - { cluster: lake, permissions: [PUTT] }\n')
    expect(await client(['role', 'diff', '-f', 'wrong.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^gatehouse: wrong\.yaml:3: roles\.0\.grants\.0\.permissions\.0: .*did you mean PUT/),
    })
  })
})
