import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService } from '../service.ts'
import { loggedIn, makeSecret } from './client.ts'
import { buildProgram } from './program.ts'

beforeAll(buildProgram)

async function startWithAnn() {
  const service = await startService({ clusters: ['lake'] })
  const { uuid } = service.cluster('lake')
  const bck = { name: 'photos', provider: 'ais', namespace: { uuid, name: '' } }
  await service.makeRole({ name: 'viewer', buckets: [{ bck, perm: '771' }] })
  await service.makeRole({ name: 'writer', clusters: [{ id: 'lake', perm: '831' }] })
  const password = makeSecret()
  await service.makeUser('ann', password, ['viewer', 'writer'])
  return { service, password }
}

describe('explain', () => {
  test('says whether, why, by which entry of which roles, and what would be needed', async () => {
    const { service } = await startWithAnn()
    await using _ = service
    const client = await loggedIn(service)
    const yes = await client(['explain', 'ann', 'GET', 'lake', 'photos'])
    expect(yes).toMatchObject({ code: 0, err: '' })
    expect(yes.out).toMatch(/^Allowed\. ann may GET in ais:\/\/photos on lake: the entry for ais:\/\/photos/)
    expect(yes.out).toMatch(/^ais:\/\/photos +GET, HEAD-OBJECT, HEAD-BUCKET, LIST-OBJECTS +viewer +decides$/m)
    const no = await client(['explain', 'ann', 'PUT', 'lake', 'photos'])
    expect(no).toMatchObject({ code: 15, err: '' })
    expect(no.out).toMatch(/^Not allowed\. .*the entry for the cluster \(role writer\) does not count beside it\.$/m)
    expect(no.out).toMatch(/^the cluster +GET, .* +writer +does not count$/m)
    expect(no.out).toMatch(/^To give it, add one of these roles to ann, the narrowest first: .*Admin\.$/m)
    expect(await client(['explain', 'ann', 'PUT', 'lake', 'photos', '--quiet'])).toMatchObject({
      code: 15,
      out: 'denied\n',
    })
    const { out } = await client(['explain', 'ann', 'PUT', 'lake', '--json'])
    expect(JSON.parse(out)).toMatchObject({ isAllowed: true, bucket: null, entry: { roles: ['writer'] } })
  })

  test('takes a token from a file or standard input in place of a user, and shows how it differs from now', async () => {
    const { service, password } = await startWithAnn()
    await using _ = service
    const client = await loggedIn(service)
    const token = await service.login('ann', password)
    writeFileSync(join(client.home, 'token'), JSON.stringify({ token }))
    const before = await client(['explain', '--token-file', 'token', 'PUT', 'lake'])
    expect(before).toMatchObject({ code: 0, err: '' })
    expect(before.out).toMatch(/^State +live$/m)
    const body = { roles: [{ name: 'viewer' }] }
    await service.request('PUT', '/v1/users/ann', { token: await service.adminToken(), body })
    const after = await client(['explain', '--token-file', '-', 'PUT', 'lake'], { input: `${token}\n` })
    expect(after.code).toBe(0)
    expect(after.out).toMatch(/^Now +not given: ann may not PUT on lake/m)
    expect(after.out).toContain('The token allows what the roles no longer give')
    expect(after.out).not.toContain(token)
  })

  test('needs to be told what is asked', async () => {
    const { service } = await startWithAnn()
    await using _ = service
    const client = await loggedIn(service)
    expect(await client(['explain', 'ann', 'GET'])).toMatchObject({
      code: 2,
      err: 'gatehouse: say what is asked: gatehouse explain <user> <permission> <cluster> [bucket]\n',
    })
    expect(await client(['explain', 'anne', 'GET', 'lake'])).toMatchObject({
      code: 1,
      err: 'gatehouse: There is no user anne. Did you mean ann?\n',
    })
    const help = await client(['explain', '--help'])
    expect(help.out).toContain('gatehouse explain [options] <user> <permission> <cluster> [bucket]')
    expect(help.out).toContain('gatehouse explain ann PUT lake ais://photos')
  })
})
