import { expect } from 'vitest'
import type { AuditRow } from '../../../src/core/audit/audit.ts'
import type { AuditFilter } from '../../../src/core/audit/audit-store.ts'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import type { Deed } from '../../../src/core/sessions/actor.ts'
import type { Store } from '../../../src/store/store.ts'
import { actorNamed, deedAt, op, origin } from '../../actors.ts'
import { aCluster, after, aJwk, aRevocation, aRole, aToken, aUser, by, type StoreTest, start } from './samples.ts'

const reasoned = { ...by, reason: 'test' }
const ann = { kind: 'user', name: 'ann' } as const

async function rowsOf(store: Store, filter: AuditFilter = {}): Promise<readonly AuditRow[]> {
  return (await store.audit.list({ filter, order: 'written', limit: 1000 })).rows
}

/** A store with one of each, and the number of its last row. */
async function furnish(store: Store, sealer: Sealer): Promise<number> {
  await store.roles.insert(aRole('r'), by)
  await store.users.insert(aUser('root', { roleNames: ['Admin'] }), by)
  await store.users.insert(aUser('ann', { roleNames: ['r'] }), by)
  await store.clusters.insert(aCluster('c1', { alias: 'lake' }), 0, [], by)
  await store.keys.publish(aJwk('k1'), by)
  await store.keys.activate('k1', by)
  await store.keys.publish(aJwk('k2'), by)
  await store.tokens.record(aToken('t1', sealer, { session: 's1' }), by)
  await store.settings.put([{ name: 'log_level', value: '3', isSecret: false }], by)
  await store.locks.create({ target: { kind: 'role', name: 'r' }, until: after(9999), ...reasoned })
  return (await store.audit.head()).id
}

type Act = (store: Store, sealer: Sealer) => Promise<unknown>

/** What each act says of itself. */
const acts: readonly [title: string, act: Act, row: object][] = [
  [
    'a user is made',
    (store) => store.users.insert(aUser('bob', { roleNames: ['r'] }), by),
    { action: 'user.created', target: { kind: 'user', name: 'bob' }, before: null, after: { roles: ['r'] } },
  ],
  [
    'roles of a user are replaced',
    (store) => store.users.update('ann', { roleNames: ['Admin'] }, by),
    { action: 'user.changed', target: ann, before: { roles: ['r'] }, after: { roles: ['Admin'] } },
  ],
  [
    'a password is changed, and tokens go with it',
    (store) => store.users.update('ann', { passwordHash: 'new' }, by),
    { action: 'user.changed', target: ann, details: { isPasswordChanged: true, tokensRevoked: 1 } },
  ],
  ['a user is disabled', (store) => store.users.setDisabled('ann', true, by), { action: 'user.disabled', target: ann }],
  [
    'a user is deleted',
    (store) => store.users.delete('ann', by),
    { action: 'user.deleted', target: ann, before: { roles: ['r'] }, after: null },
  ],
  [
    'a role is made',
    (store) => store.roles.insert(aRole('s'), by),
    { action: 'role.created', target: { kind: 'role', name: 's' }, after: { description: 'what s may do' } },
  ],
  [
    'a role is changed: it is shown whole, before and after',
    (store) => store.roles.update('r', (role) => ({ ...role, description: 'less', grants: [] }), by),
    {
      action: 'role.changed',
      before: { description: 'what r may do', grants: aRole('r').grants, annotations: {} },
      after: { description: 'less', grants: [], annotations: {} },
    },
  ],
  [
    'a role is deleted',
    (store) => store.roles.delete('r', by),
    { action: 'role.deleted', before: { description: 'what r may do' }, after: null },
  ],
  [
    'a cluster is registered',
    (store) => store.clusters.insert(aCluster('c2', { alias: 'pond' }), 0, [aRole('guest')], by),
    { action: 'cluster.registered', target: { kind: 'cluster', name: 'c2' }, after: { alias: 'pond' } },
  ],
  [
    'a cluster is changed',
    (store) => store.clusters.update('c1', { alias: 'sea' }, by),
    { action: 'cluster.changed', before: { alias: 'lake' }, after: { alias: 'sea' } },
  ],
  [
    'a cluster is deregistered, by its alias',
    (store) => store.clusters.delete('lake', by),
    { action: 'cluster.deregistered', target: { kind: 'cluster', name: 'c1' }, before: { alias: 'lake' } },
  ],
  [
    'somebody asks for a resync',
    (store) => store.cursors.resync('c1', start, op),
    { action: 'cluster.resync_requested', target: { kind: 'cluster', name: 'c1' } },
  ],
  [
    'a token is issued',
    (store, sealer) => store.tokens.record(aToken('t2', sealer, { session: 's2' }), by),
    {
      action: 'token.issued',
      target: ann,
      details: { jti: 'jti of t2', session: 's2', clusters: 1, expiresAt: after(60_000).toISOString(), roles: [] },
    },
  ],
  [
    'a token in hand is revoked',
    (store, sealer) => store.revocations.record(aRevocation(aToken('t1', sealer), { by: op })),
    { action: 'token.revoked', target: ann, details: { by: 'text', jti: 'jti of t1', tokens: 1 }, reason: 'logout' },
  ],
  [
    'tokens are revoked by what they have in common',
    (store) => store.revocations.revokeSelected({ by: 'session', session: 's1' }, reasoned),
    { action: 'token.revoked', target: ann, details: { by: 'session', value: 's1', tokens: 1 }, reason: 'test' },
  ],
  [
    'an act of revoking meets no token',
    (store) => store.revocations.revokeSelected({ by: 'user', name: 'root' }, reasoned),
    { action: 'token.revoked', target: { kind: 'user', name: 'root' }, details: { by: 'user', tokens: 0 } },
  ],
  [
    'a user is locked',
    (store) => store.locks.create({ target: ann, until: after(10), ...reasoned }),
    { action: 'lock.created', target: ann, details: { until: after(10).toISOString(), tokensRevoked: 1 } },
  ],
  [
    'a lock is lifted',
    (store) => store.locks.lift(1, by),
    { action: 'lock.lifted', target: { kind: 'role', name: 'r' }, details: { lock: 1 } },
  ],
  ['a key is published', (store) => store.keys.publish(aJwk('k3'), by), { action: 'key.published' }],
  [
    'a key is activated',
    (store) => store.keys.activate('k2', by),
    { action: 'key.activated', target: { kind: 'key', name: 'k2' }, details: { signedBefore: 'k1' } },
  ],
  ['a key is retired', (store) => store.keys.retire('k2', by), { action: 'key.retired' }],
  [
    'a setting is changed',
    (store) => store.settings.put([{ name: 'log_level', value: '5', isSecret: false }], by),
    { action: 'setting.changed', before: { log_level: '3' }, after: { log_level: '5' } },
  ],
  [
    'wrong passwords lock a name',
    (store) => store.loginLocks.put({ target: ann, until: after(10), failures: 20 }, by),
    { action: 'login.locked', target: ann, details: { failures: 20, until: after(10).toISOString() } },
  ],
]

const nothing: readonly [title: string, act: Act][] = [
  ['a user that exists is made again', (store) => store.users.insert(aUser('ann'), by)],
  ['a first user is made where there are users', (store) => store.users.insertFirst(aUser('bob'), by)],
  ['a user gets the roles that he has', (store) => store.users.update('ann', { roleNames: ['r'] }, by)],
  ['an enabled user is enabled', (store) => store.users.setDisabled('ann', false, by)],
  ['the last administrator is deleted', (store) => store.users.delete('root', by)],
  ['a hash is renewed at a login', (store) => store.users.rehash(1, 'old', 'new')],
  ['a role is set to what it is', (store) => store.roles.update('r', (role) => role, by)],
  ['a role that is not there is deleted', (store) => store.roles.delete('nothing', by)],
  ['a cluster is registered twice', (store) => store.clusters.insert(aCluster('c1'), 0, [], by)],
  ['Gatehouse itself begins a resync', (store) => store.cursors.resync('c1', start)],
  ['a known key is published', (store) => store.keys.publish(aJwk('k1'), by)],
  ['the active key is activated', (store) => store.keys.activate('k1', by)],
  ['the active key is retired', (store) => store.keys.retire('k1', by)],
  [
    'tokens of an unknown user are revoked',
    (store) => store.revocations.revokeSelected({ by: 'user', name: '?' }, reasoned),
  ],
  ['no login lock is lifted', (store) => store.loginLocks.lift({ name: 'ann' }, by)],
]

export function auditConformance(test: StoreTest): void {
  for (const [title, act, row] of acts) {
    test(`${title}: one row, of who did it, when, from where and by which request`, async (store, sealer) => {
      const before = await furnish(store, sealer)
      await act(store, sealer)
      const written = (await rowsOf(store)).filter(({ id }) => id > before)
      expect(written).toHaveLength(1)
      expect(written[0]).toMatchObject({ id: before + 1, at: start, actor: 'op', outcome: 'done', ...origin, ...row })
      expect(await store.audit.verify({ limit: 100 })).toMatchObject({
        checked: before + 1,
        isAtEnd: true,
        fault: null,
      })
    })
  }

  for (const [title, act] of nothing) {
    test(`where nothing changes there is no row: ${title}`, async (store, sealer) => {
      const before = await store.audit.head().then(() => furnish(store, sealer))
      await act(store, sealer).catch(() => undefined)
      expect((await store.audit.head()).id).toBe(before)
    })
  }

  test('a token that is revoked already is revoked once', async (store, sealer) => {
    for (let time = 0; time < 2; time += 1) await store.revocations.record(aRevocation(aToken('t1', sealer)))
    expect(await rowsOf(store, { action: 'token.revoked' })).toHaveLength(1)
  })

  test('a secret setting, a token, a password and what looks like one are in no row', async (store, sealer) => {
    const secret = 'correct-horse-battery'
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
    await store.settings.put([{ name: 'shared_secret', value: secret, isSecret: true }], by)
    await store.settings.put([{ name: 'shared_secret', value: `${secret}2`, isSecret: true }], by)
    const user = aUser('ann')
    await store.users.insert(user, by)
    await store.users.update('ann', { passwordHash: `hash-of-${secret}` }, by)
    await store.tokens.record(aToken(token, sealer, { jti: null }), by)
    await store.revocations.record(aRevocation(aToken(token, sealer), { reason: `here it is: ${token}` }))
    await store.clusters.insert(aCluster('c1', { urls: [`http://root:${secret}@c1.test`] }), 0, [], by)
    const text = JSON.stringify(await rowsOf(store))
    for (const hidden of [secret, user.passwordHash, 'c2lnbmF0dXJl']) expect(text).not.toContain(hidden)
    expect(await rowsOf(store, { action: 'setting.changed' })).toMatchObject([
      { before: { shared_secret: null }, after: { shared_secret: '(new secret)' } },
      { before: { shared_secret: '(secret)' }, after: { shared_secret: '(new secret)' } },
    ])
  })

  test('what looks like a secret is masked whole, whatever stands around it, and the row stays readable', async (store) => {
    const description = String.raw`before ${'\u000e'}eyJhbGciOiJSUzI1NiJ9.e30.x, http://u:p@ss"w\ord@host, after`
    await store.roles.insert(aRole('r', { description }), by)
    const [row] = await rowsOf(store)
    expect(row?.after).toMatchObject({ description: 'before \u000e[redacted], http://[redacted]@host, after' })
  })

  test('what strangers call themselves is cut, and controls nobody\u2019s terminal', async (store) => {
    const name = `\u001b[2Jann\u0000\ud800\u202e\u061c${'x'.repeat(1000)}`
    const entry = { action: 'login.refused', target: { kind: 'user', name }, outcome: 'refused' } as const
    await store.audit.append(entry, { by: actorNamed(name), at: start })
    const [row] = await rowsOf(store)
    expect(row?.actor).toMatch(/^\ufffd\[2Jann\ufffd\ufffd\ufffd\ufffdx+…$/)
    expect(row?.actor.length).toBe(257)
    await store.audit.append(entry, { by: actorNamed('ann\u061c'), at: start })
    expect(await rowsOf(store, { actor: 'ann\ufffd' })).toHaveLength(1)
    expect(await rowsOf(store, { actor: name })).toEqual([row])
    expect(await rowsOf(store, { actor: name, target: { kind: 'user', name } })).toEqual([row])
    expect(await store.audit.verify({ limit: 9 })).toMatchObject({ checked: 2, fault: null })
  })

  test('pages go from one to the next without a gap, in both orders', async (store) => {
    for (let number = 1; number <= 7; number += 1) {
      // Two at one instant, and one that is written late.
      const at = number === 6 ? start : after(Math.floor(number / 2))
      await store.roles.insert(aRole(`r${number}`), deedAt(at))
    }
    async function collect(order: 'newest' | 'written') {
      const pages: number[][] = []
      let next: Awaited<ReturnType<Store['audit']['list']>>['next'] = null
      do {
        const page = await store.audit.list({ filter: {}, order, limit: 3, ...(next && { after: next }) })
        pages.push(page.rows.map(({ id }) => id))
        next = page.next
      } while (next !== null)
      return pages.flat()
    }
    expect(await collect('newest')).toEqual([7, 5, 4, 3, 2, 6, 1])
    expect(await collect('written')).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  test('each filter gives what meets it, and together they give what meets all', async (store) => {
    const deed = (subject: string, requestId: string, ms: number): Deed => {
      return { by: { ...actorNamed(subject), origin: { ...origin, requestId } }, at: after(ms) }
    }
    await store.roles.insert(aRole('r'), deed('ann', 'q1', 0))
    await store.roles.insert(aRole('s'), deed('bob', 'q2', 10))
    await store.roles.delete('r', deed('bob', 'q3', 20))
    const target = { kind: 'route', name: 'GET /x' } as const
    await store.audit.append({ action: 'permission.denied', target, outcome: 'refused' }, deed('ann', 'q4', 30))
    const cases: readonly [AuditFilter, number[]][] = [
      [{}, [4, 3, 2, 1]],
      [{ actor: 'bob' }, [3, 2]],
      [{ action: 'role.created' }, [2, 1]],
      [{ target: { kind: 'role', name: 'r' } }, [3, 1]],
      [{ outcome: 'refused' }, [4]],
      [{ outcome: 'done' }, [3, 2, 1]],
      [{ requestId: 'q2' }, [2]],
      [{ from: after(10) }, [4, 3, 2]],
      [{ until: after(10) }, [1]],
      [{ from: after(10), until: after(30) }, [3, 2]],
      [{ actor: 'bob', action: 'role.created' }, [2]],
      [{ actor: 'ann', target: { kind: 'role', name: 'r' }, until: after(30) }, [1]],
      [{ actor: 'ann', outcome: 'refused', from: after(31) }, []],
    ]
    for (const [filter, ids] of cases) {
      const { rows } = await store.audit.list({ filter, order: 'newest', limit: 9 })
      expect(rows.map(({ id }) => id)).toEqual(ids)
      const { rows: written } = await store.audit.list({ filter, order: 'written', limit: 9 })
      expect(written.map(({ id }) => id)).toEqual(ids.toReversed())
    }
  })

  test('one row, the head, and where there is none', async (store) => {
    expect(await store.audit.head()).toEqual({ id: 0, hash: '0'.repeat(64), at: null })
    expect(await store.audit.get(1)).toBeUndefined()
    expect(await store.audit.verify({ limit: 9 })).toMatchObject({ checked: 0, isAtEnd: true, fault: null })
    await store.roles.insert(aRole('r'), by)
    const row = await store.audit.get(1)
    expect(row).toMatchObject({ id: 1, action: 'role.created', repeats: 1, since: null })
    expect(await store.audit.head()).toEqual({ id: 1, hash: row?.hash, at: start })
  })

  test('the oldest rows are purged, a row says so, and the rest can be checked', async (store) => {
    for (let number = 0; number < 10; number += 1) await store.roles.insert(aRole(`r${number}`), deedAt(after(number)))
    const last = await store.audit.get(4)
    const deed = deedAt(after(100))
    expect(await store.audit.purge(after(4), 3, deed)).toBe(3)
    expect(await store.audit.purge(after(4), 3, deed)).toBe(1)
    expect(await store.audit.purge(after(4), 3, deed)).toBe(0)
    const rows = await rowsOf(store)
    expect(rows.map(({ id }) => id)).toEqual([5, 6, 7, 8, 9, 10, 11, 12])
    expect(rows.at(-1)).toMatchObject({
      action: 'audit.purged',
      target: { kind: 'audit', name: '4-4' },
      details: { through: 4, rows: 1, hash: last?.hash },
    })
    expect(await store.audit.verify({ limit: 4 })).toMatchObject({ checked: 4, isAtEnd: false, head: { id: 8 } })
    expect(await store.audit.verify({ after: 8, limit: 9 })).toMatchObject({ checked: 4, isAtEnd: true, fault: null })
    // What was checked before is purged meanwhile.
    expect(await store.audit.verify({ after: 2, limit: 9 })).toMatchObject({ checked: 8, fault: null })
  })

  test('all rows may be purged, also those that a wrong clock has put into the future', async (store) => {
    await store.roles.insert(aRole('r'), deedAt(after(0)))
    await store.roles.insert(aRole('s'), deedAt(after(999_999)))
    expect(await store.audit.purge(after(1), 9, deedAt(after(50)))).toBe(2)
    expect((await rowsOf(store)).map(({ id }) => id)).toEqual([3])
    expect(await store.audit.purge(after(51), 9, deedAt(after(60)))).toBe(1)
    expect(await store.audit.verify({ limit: 9 })).toMatchObject({ checked: 1, isAtEnd: true, fault: null })
  })
}
