/** What older versions have left behind, and what is damaged: mended or left out, and always told. */
import { describe, expect, test } from 'vitest'
import { command } from '../../../../bench/authn-database.ts'
import type { FindingKind } from '../../../../src/core/transfer/findings.ts'
import type { Store } from '../../../../src/store/store.ts'
import { op } from '../../../actors.ts'
import {
  type AuthnRecord,
  administrator,
  aHash,
  aRole,
  aToken,
  aUser,
  countsOf,
  later,
  log,
  makeAuthn,
  startImport,
  unpackFixture,
} from '../../../authn.ts'

/** A whole database: what is odd comes beside it. */
const usual: readonly AuthnRecord[] = [
  ['role##Admin', administrator],
  ['role##r1', aRole('r1')],
  ['user##admin', aUser('admin', [administrator])],
  ['cluster##c1', { id: 'c1', alias: 'one', urls: ['http://127.0.0.1:1'] }],
]

const alike: Partial<Record<FindingKind, number>> = { signing_key_absent: 1 }

/** Imports what is odd; everything usual must be there, and nothing be odd but what is expected. */
async function importOdd(odd: readonly AuthnRecord[] | string, expected: Partial<Record<FindingKind, number>>) {
  const { run, store } = await startImport()
  const imported = await run(makeAuthn(typeof odd === 'string' ? odd : [...usual, ...odd]))
  expect(countsOf(imported)).toEqual({ ...alike, ...expected })
  expect((await store.users.get('admin'))?.roles[0]?.isAdministrator).toBe(true)
  expect((await store.clusters.get('one'))?.id).toBe('c1')
  expect(await store.roles.get('r1')).toBeDefined()
  const rolesOf = async (name: string) => (await store.users.get(name))?.roles.map((role) => role.name)
  return { imported, store, rolesOf }
}

/** Those that AuthN could know. */
async function namesOfRoles(store: Store) {
  return (await store.roles.list()).map(({ name }) => name).filter((name) => !name.startsWith('gatehouse:'))
}

const seconds = later.getTime() / 1000

describe('the log', () => {
  test('that ends in the middle of a record is taken without it', async () => {
    const torn = log(usual) + command('set', 'user##ann', JSON.stringify(aUser('ann'))).slice(0, -7)
    const { store } = await importOdd(torn, { log_torn: 1 })
    expect(await store.users.get('ann')).toBeUndefined()
  })

  test('that is damaged further up is read on behind that, and the place is named', async () => {
    const damaged = `${command('set', 'user##ann', JSON.stringify(aUser('ann')))}?!?${log(usual)}`
    const { imported, store } = await importOdd(damaged, { log_damaged: 1 })
    const at = damaged.indexOf('?!?')
    expect(imported.findings.find(({ kind }) => kind === 'log_damaged')?.where).toEqual([`bytes ${at} to ${at + 3}`])
    expect(await store.users.get('ann')).toBeDefined()
  })

  test('counts the last of repeated keys, and none that was deleted or flushed', async () => {
    const [first, last] = [aHash(), aHash()]
    const token = aToken({ sub: 'ann', exp: seconds + 60 })
    const { store, imported } = await importOdd(
      log([
        ['user##old', aUser('old')],
        ['role##old', aRole('old')],
        [`revoked##${token}`, '"!"'],
      ]) +
        command('flushdb') +
        log([
          ...usual,
          ['user##ann', aUser('ann', [], first)],
          ['user##bob', aUser('bob')],
          ['role##gone', aRole('gone')],
          ['cluster##gone', { id: 'gone' }],
          ['user##ann', aUser('ann', [aRole('r1')], last)],
          ['user##bob', null],
          ['role##gone', null],
          ['cluster##gone', null],
        ]),
      {},
    )
    expect((await store.users.credentials('ann'))?.passwordHash).toBe(last)
    expect((await store.users.list({ limit: 9 })).map(({ name }) => name)).toEqual(['admin', 'ann'])
    expect(await namesOfRoles(store)).toEqual(['Admin', 'r1'])
    expect((await store.clusters.list()).map(({ id }) => id)).toEqual(['c1'])
    expect(imported.revocations.added).toBe(0)
  })

  test.each(['{"a": "json"}', 'hello\n', 'SQLite format 3\0\x01\x02', '*3\r\nnonsense'])(
    'that is none is refused: %j',
    async (content) => {
      const { run, store } = await startImport()
      await expect(run(makeAuthn(content))).rejects.toMatchObject({ name: 'AuthnDatabaseError' })
      expect(await store.users.list({ limit: 1 })).toEqual([])
    },
  )

  test('that is empty holds nothing, and is no mistake', async () => {
    const { run } = await startImport()
    const imported = await run(makeAuthn(''))
    expect(imported.users).toEqual({ added: 0, unchanged: 0, kept: 0 })
    expect(countsOf(imported)).toEqual({ ...alike, administrator_absent: 1 })
  })

  test('with records of another kind is taken without them, except those that AuthN derives from others', async () => {
    await importOdd(
      [
        ['session##1', 'x'],
        ['noseparator', 'x'],
        ['key##other', 'x'],
        ['role_user##r1', { users: ['ann'] }],
        ['meta##role_user_index', { version: 1 }],
      ],
      { collection_unknown: 3 },
    )
  })
})

describe('a user', () => {
  test.each(['null', '', '{"id":', '[]', '"ann"', '17'])('whose record is %j is left out', async (record) => {
    const { store } = await importOdd([['user##ann', record]], { record_unreadable: 1 })
    expect(await store.users.get('ann')).toBeUndefined()
  })

  test('whose record is nested without an end, as is a role, is left out', async () => {
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const { store } = await importOdd(
      [
        ['user##ann', `{"id":"ann","roles":[${nested}]}`],
        ['role##r2', `{"name":"r2","desc":${nested}}`],
      ],
      { record_unreadable: 2 },
    )
    expect(await store.users.get('ann')).toBeUndefined()
  })

  test('whose hash takes longer to check than anybody waits needs a new password', async () => {
    const costly = (cost: number) => aHash().replace('$10$', `$${cost}$`)
    const users = [14, 15, 31].map((cost) => [`user##u${cost}`, aUser(`u${cost}`, [], costly(cost))] as const)
    const { store } = await importOdd(users, { user_password_unusable: 2 })
    expect((await store.users.credentials('u14'))?.passwordHash).toMatch(/^\$2a\$14/)
    expect((await store.users.credentials('u15'))?.passwordHash).toBe('!')
  })

  test('whose copies of roles are outdated has the roles as they are', async () => {
    const outdated = aRole('r1', { clusters: [{ id: 'c1', perm: '18446744073709551615' }] })
    const { store } = await importOdd([['user##ann', aUser('ann', [outdated])]], { user_role_outdated: 1 })
    expect((await store.users.get('ann'))?.roles[0]?.grants[0]?.permissions).toBe('771')
  })

  test('with the names of roles alone, as of old, has these roles', async () => {
    const { rolesOf } = await importOdd([['user##ann', aUser('ann', ['r1', 'Admin'])]], { user_roles_by_name: 2 })
    expect(await rolesOf('ann')).toEqual(['r1', 'Admin'])
  })

  test('with roles that do not exist, null or unreadable entries keeps the others', async () => {
    const roles = [aRole('gone'), null, aRole('r1'), 17, { desc: 'without a name' }, 'gone too']
    const { rolesOf } = await importOdd([['user##ann', aUser('ann', roles)]], {
      user_role_unknown: 2,
      entry_empty: 1,
      entry_unreadable: 2,
      user_roles_by_name: 1,
    })
    expect(await rolesOf('ann')).toEqual(['r1'])
  })

  test.each([[null], [undefined]])('whose roles are %s has none', async (roles) => {
    const { pass } = aUser('ann')
    const { rolesOf } = await importOdd([['user##ann', { id: 'ann', pass, roles }]], {})
    expect(await rolesOf('ann')).toEqual([])
  })

  test('whose roles are no list has none', async () => {
    const { rolesOf } = await importOdd([['user##ann', aUser('ann', 'r1')]], { entry_unreadable: 1 })
    expect(await rolesOf('ann')).toEqual([])
  })

  test.each([undefined, '', 'zz', '21', '24617267326964', 17])(
    'whose hash is %j is taken, and needs a new password',
    async (pass) => {
      const { store } = await importOdd([['user##ann', { ...aUser('ann', [aRole('r1')]), pass }]], {
        user_password_unusable: 1,
      })
      expect(await store.users.get('ann')).toMatchObject({ isDisabled: false, roles: [{ name: 'r1' }] })
      expect((await store.users.credentials('ann'))?.passwordHash).toBe('!')
    },
  )

  test('whose hash stands there in clear, or with another letter of bcrypt, is taken as it is', async () => {
    const [clear, other] = [aHash(), aHash().replace('$2a$', '$2b$')]
    const { store } = await importOdd(
      [
        ['user##ann', { ...aUser('ann'), pass: clear }],
        ['user##bob', aUser('bob', [], other)],
      ],
      {},
    )
    expect((await store.users.credentials('ann'))?.passwordHash).toBe(clear)
    expect((await store.users.credentials('bob'))?.passwordHash).toBe(other)
  })

  test('under a name that is against today’s rule keeps it', async () => {
    const name = 'Ann.Smith@example.com'
    const { store } = await importOdd([[`user##${name}`, aUser(name)]], { name_irregular: 1 })
    expect(await store.users.get(name)).toBeDefined()
  })

  test.each(['', 'gatehouse:service', 'a\nb', 'x'.repeat(257)])('under the name %j is left out', async (name) => {
    await importOdd([[`user##${name}`, aUser(name)]], { name_unusable: 1 })
  })

  test('who is called otherwise within the record goes by the key', async () => {
    const { store } = await importOdd([['user##ann', aUser('bob')]], { id_differs: 1 })
    expect(await store.users.get('ann')).toBeDefined()
    expect(await store.users.get('bob')).toBeUndefined()
  })
})

describe('a role', () => {
  test('of a name that Gatehouse keeps for itself is left out, and nobody gets its own role by it', async () => {
    for (const name of ['gatehouse:operator', 'gatehouse:cluster-administrator:c2']) {
      const odd = [
        [`role##${name}`, aRole(name)],
        ['user##ann', aUser('ann', [aRole(name), 'gatehouse:auditor'])],
      ] as const
      const expected = { name_unusable: 1, user_role_unknown: 2, user_roles_by_name: 1 }
      const { rolesOf } = await importOdd(odd, expected)
      expect(await rolesOf('ann')).toEqual([])
    }
  })

  test('with null entries, or such as can not be read, keeps the others', async () => {
    const bucket = (perm: unknown) => ({
      bck: { name: 'b', provider: 'ais', namespace: { uuid: 'c1', name: '' } },
      perm,
    })
    const clusters = [
      null,
      { id: 'c1', perm: '771' },
      { id: 'c1', perm: 771 },
      'c1',
      { id: 'c2', perm: '18446744073709551616' },
    ]
    const buckets = [bucket('1'), null, bucket('-1')]
    const { store } = await importOdd([['role##odd', aRole('odd', { clusters, buckets })]], {
      entry_empty: 2,
      entry_unreadable: 4,
    })
    expect((await store.roles.get('odd'))?.grants.map(({ permissions }) => permissions)).toEqual(['771', '1'])
  })

  test('whose lists are no lists, or whose description is no text, is empty there', async () => {
    const { store } = await importOdd([['role##odd', { name: 'odd', desc: 7, clusters: {}, buckets: 'b' }]], {
      entry_unreadable: 2,
    })
    expect(await store.roles.get('odd')).toMatchObject({ description: '', grants: [] })
  })

  test('marked as administrator is none, since only the role Admin is', async () => {
    const { store } = await importOdd([['role##boss', aRole('boss', { admin: true })]], { role_not_administrator: 1 })
    expect((await store.roles.get('boss'))?.isAdministrator).toBe(false)
  })

  test('Admin with grants of its own stays what it is', async () => {
    const { store } = await importOdd([['role##Admin', { ...administrator, clusters: [{ id: 'c1', perm: '1' }] }]], {
      role_built_in: 1,
      user_role_outdated: 1,
    })
    expect(await store.roles.get('Admin')).toMatchObject({ isBuiltIn: true, grants: [] })
  })
})

describe('a cluster', () => {
  test('with the alias or the id of another one as its alias comes without alias', async () => {
    const { store } = await importOdd(
      [
        ['cluster##c2', { id: 'c2', alias: 'one', urls: ['http://127.0.0.1:2'] }],
        ['cluster##c3', { id: 'c3', alias: 'c4', urls: ['http://127.0.0.1:3'] }],
        ['cluster##c4', { id: 'c4', alias: 'four', urls: ['http://127.0.0.1:4'] }],
      ],
      { cluster_alias_taken: 2 },
    )
    expect((await store.clusters.list()).map(({ id, alias }) => [id, alias])).toEqual([
      ['c1', 'one'],
      ['c2', null],
      ['c3', null],
      ['c4', 'four'],
    ])
  })

  test('without URLs, or with such as can not be used, is taken with the good ones', async () => {
    const urls = ['ftp://x', 'http://user:secret@127.0.0.1:2', null, 7, 'http://127.0.0.1:2/', 'http://127.0.0.1:2']
    const { store, imported } = await importOdd(
      [
        ['cluster##c2', { id: 'c2', urls }],
        ['cluster##c3', { id: 'c3', urls: null, perm: '1024' }],
      ],
      { cluster_url_unusable: 3, entry_empty: 1, cluster_without_url: 1 },
    )
    expect((await store.clusters.get('c2'))?.urls).toEqual(['http://127.0.0.1:2'])
    expect(await store.clusters.get('c3')).toMatchObject({ urls: [], annotations: { perm: '1024' } })
    expect(JSON.stringify(imported)).not.toContain('secret')
  })
})

describe('a revoked token', () => {
  test('that has expired is counted and left out', async () => {
    const { imported } = await importOdd([[`revoked##${aToken({ sub: 'ann', exp: seconds })}`, '"!"']], {})
    expect(imported.revocations).toEqual({ added: 0, unchanged: 0, kept: 0, expired: 1 })
  })

  test.each(['', 'no-token', 'a.b.c', 'e30.e30'])('that is %j is left out', async (text) => {
    const { imported } = await importOdd([[`revoked##${text}`, '"!"']], { token_unreadable: 1 })
    expect(imported.revocations.added).toBe(0)
  })

  test('that says when it ends as tokens did before there was `exp` is revoked until then', async () => {
    const expires = new Date(later.getTime() + 5000)
    const text = aToken({ username: 'ann', expires: expires.toISOString() }, { alg: 'HS256', typ: 'JWT' })
    const { store } = await importOdd([[`revoked##${text}`, '"!"']], {})
    const changes = await store.revocations.after(0, { limit: 10, now: later })
    expect(changes).toMatchObject([{ token: text, expiresAt: expires }])
  })

  test('that never ends stays revoked for good', async () => {
    const text = aToken({ sub: 'ann' })
    const { store } = await importOdd([[`revoked##${text}`, '"!"']], { token_without_expiry: 1 })
    const [change] = await store.revocations.after(0, { limit: 10, now: new Date('9000-01-01') })
    expect(change?.token).toBe(text)
  })

  test('in another spelling is kept in that spelling, since clusters compare texts', async () => {
    const text = `${aToken({ sub: 'ann', exp: seconds + 60 })}=`
    const { store } = await importOdd([[`revoked##${text}`, '"!"']], {})
    expect(await store.revocations.after(0, { limit: 10, now: later })).toMatchObject([{ token: text }])
  })
})

describe('the set of keys', () => {
  test('that can not be read is left out, and so is a single key', async () => {
    await importOdd([['key##metadata', '{"meta_version":1}']], { record_unreadable: 1 })
    const keys = [{ kty: 'EC', kid: 'k' }, { kty: 'RSA', n: '!', e: 'AQAB', kid: '' }, null]
    const { store } = await importOdd([['key##metadata', { meta_version: 1, jwks: { keys } }]], { key_unreadable: 3 })
    expect(await store.keys.list()).toEqual([])
  })

  test('with a key that was retired here leaves it retired', async () => {
    const { folder, snapshot } = unpackFixture()
    const { run, store } = await startImport()
    await run(folder)
    const [first] = snapshot.jwks.keys as readonly { readonly kid: string }[]
    await store.keys.retire(first?.kid ?? '', { by: op, at: later })
    const again = await run(folder)
    expect(countsOf(again)).toMatchObject({ key_retired: 1 })
    expect((await store.keys.list())[0]?.state).toBe('retired')
  })
})

test('names in findings are cut short, and only the first thousand are kept', async () => {
  const long = `${'y'.repeat(200)}\u001b[31m`
  const users = Array.from({ length: 1500 }, (_, number) => [`user##u${number}`, 'null'] as const)
  const { run } = await startImport()
  const imported = await run(makeAuthn([...users, ['user##ann', aUser('ann', [long])]]))
  const unreadable = imported.findings.find(({ kind }) => kind === 'record_unreadable')
  expect(unreadable).toMatchObject({ count: 1500, outcome: 'set_aside' })
  expect(unreadable?.where).toHaveLength(1000)
  const [named] = imported.findings.find(({ kind }) => kind === 'user_role_unknown')?.where ?? []
  expect(named).toMatch(/^ann: y+…$/)
})
