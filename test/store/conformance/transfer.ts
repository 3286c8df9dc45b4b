import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Sealer } from '../../../src/core/keys/sealer.ts'
import { createFindings } from '../../../src/core/transfer/findings.ts'
import type { Imported, ImportedEntry, ImportTerms } from '../../../src/core/transfer/import.ts'
import type { Store } from '../../../src/store/store.ts'
import { aCluster, after, aJwk, aRole, aToken, by, revokeAll, type StoreTest, start } from './samples.ts'

function aRevocation(text: string): ImportedEntry {
  const fingerprint = createHash('sha256').update(text).digest()
  const names = { jti: null, session: null, subject: 'ann', kid: 'kid-1', audience: [] }
  const revocation = { text, fingerprint, ...names, issuedAt: start, expiresAt: after(60_000) }
  return { kind: 'revocation', revocation }
}

function aUser(name: string, roleNames: readonly string[] = []): ImportedEntry {
  return { kind: 'user', user: { name, passwordHash: `hash of ${name}`, roleNames } }
}

function imported(entries: readonly ImportedEntry[], more: Partial<Imported> = {}): Imported {
  return { roles: [], clusters: [], keys: [], ...more, entries: () => entries }
}

function terms(more: Partial<ImportTerms> = {}): ImportTerms {
  return {
    from: 'a test',
    reason: 'test',
    administratorName: 'admin',
    signingKid: undefined,
    keysTrustedUntil: after(5000),
    settings: [],
    isTrial: false,
    findings: createFindings(),
    ...more,
  }
}

async function everything(store: Store) {
  return {
    users: await store.users.list({ limit: 100 }),
    roles: await store.roles.list(),
    clusters: await store.clusters.list(),
    keys: await store.keys.list(),
    settings: await store.settings.list(),
    changes: await store.revocations.lastSequence(),
    audit: (await store.audit.head()).id,
    acts: await store.revocationActs.list({ limit: 10, isByTextLeftOut: false }),
  }
}

/** Everything at once, as an empty store would be given it. */
const whole = (): Imported =>
  imported([aUser('ann', ['Admin', 'r1']), aRevocation('t1'), aRevocation('t2')], {
    roles: [aRole('r1')],
    clusters: [aCluster('c1', { alias: 'one' })],
    keys: [aJwk('kid-1'), aJwk('kid-2')],
  })

export function importConformance(test: StoreTest): void {
  test('takes everything over, and answers how much', async (store) => {
    const settings = [{ name: 'shared_secret', value: 'secret', isSecret: true }]
    const tally = await store.imports.run(whole(), terms({ signingKid: 'kid-2', settings }), by)
    const one = { added: 1, unchanged: 0, kept: 0 }
    const two = { added: 2, unchanged: 0, kept: 0 }
    const revocations = { ...two, expired: 0 }
    expect(tally).toEqual({ isFirst: true, users: one, roles: one, clusters: one, keys: two, revocations })
    expect((await store.users.get('ann'))?.isBuiltIn).toBe(true)
    expect((await store.keys.list()).map(({ state, foreignUntil }) => [state, foreignUntil])).toEqual([
      ['retiring', after(5000)],
      ['active', after(5000)],
    ])
    expect(await store.settings.list()).toEqual([{ name: 'shared_secret', value: 'secret', changedAt: start }])
    const [claim] = await store.cursors.claimDue({ now: start, limit: 5, leaseUntil: after(1000), holder: 'test' })
    expect(claim).toMatchObject({ cluster: { id: 'c1' }, cursor: { acknowledged: 0 } })
    expect((await store.revocations.after(0, { limit: 5, now: start })).map(({ token }) => token)).toEqual(['t1', 't2'])
  })

  test('is one row in the audit trail', async (store) => {
    const settings = [{ name: 'shared_secret', value: 'secret', isSecret: true }]
    await store.imports.run(whole(), terms({ settings }), by)
    const { rows } = await store.audit.list({ filter: {}, order: 'newest', limit: 10 })
    const counts = { users: 1, roles: 1, clusters: 1, keys: 2, revokedTokens: 2 }
    const details = { from: 'a test', ...counts, settings: ['shared_secret'] }
    expect(rows).toMatchObject([{ id: 1, action: 'data.imported', target: null, actor: by.by.subject, details }])
    expect(JSON.stringify(rows)).not.toContain('"secret"')
  })

  test('is one row also where it takes settings alone', async (store) => {
    const settings = [{ name: 'shared_secret', value: 'secret', isSecret: true }]
    await store.imports.run(imported([]), terms({ settings }), by)
    const { rows } = await store.audit.list({ filter: {}, order: 'newest', limit: 10 })
    expect(rows).toMatchObject([{ action: 'data.imported', details: { users: 0, settings: ['shared_secret'] } }])
  })

  test('keeps nothing of a trial', async (store) => {
    const before = await everything(store)
    const tally = await store.imports.run(whole(), terms({ isTrial: true }), by)
    expect(tally.users.added).toBe(1)
    expect(await everything(store)).toEqual(before)
  })

  test('keeps nothing where reading fails half way', async (store) => {
    const before = await everything(store)
    function* failing(): Generator<ImportedEntry> {
      yield* whole().entries()
      throw new Error('the disk reports an error')
    }
    await expect(store.imports.run({ ...whole(), entries: failing }, terms(), by)).rejects.toThrow('the disk reports')
    expect(await everything(store)).toEqual(before)
  })

  test('changes nothing the second time', async (store) => {
    const data = whole()
    await store.imports.run(data, terms(), by)
    const before = await everything(store)
    const findings = createFindings()
    const tally = await store.imports.run(data, terms({ findings }), by)
    expect([tally.users, tally.roles, tally.clusters].map(({ unchanged }) => unchanged)).toEqual([1, 1, 1])
    expect([tally.keys.unchanged, tally.revocations.unchanged]).toEqual([2, 2])
    expect(findings.list()).toEqual([])
    expect(await everything(store)).toEqual(before)
  })

  test('appends a change for a token that is known and not revoked, and none for one that is', async (store, sealer) => {
    await recordToken(store, sealer, 'known')
    await revokeAll(store, sealer, ['revoked'])
    const tally = await store.imports.run(imported([aRevocation('known'), aRevocation('revoked')]), terms(), by)
    expect(tally.revocations).toEqual({ added: 1, unchanged: 1, kept: 0, expired: 0 })
    const changes = await store.revocations.after(0, { limit: 5, now: start })
    expect(changes.map(({ token }) => token)).toEqual(['revoked', 'known'])
  })

  test('tells that the directory has changed', async (store) => {
    const before = store.revisions.directory()
    await store.imports.run(whole(), terms(), by)
    expect(store.revisions.directory()).not.toBe(before)
  })
}

async function recordToken(store: Store, sealer: Sealer, text: string): Promise<void> {
  await store.tokens.record(aToken(text, sealer), by)
}

export function exportConformance(test: StoreTest): void {
  test('shows what was imported', async (store) => {
    await store.imports.run(whole(), terms(), by)
    await store.exports.read(start, (held) => {
      expect([...held.users()]).toMatchObject([
        { name: 'ann', passwordHash: 'hash of ann', formerHash: undefined, isDisabled: false, isLocked: false },
      ])
      expect(held.roles.map(({ name }) => name)).toEqual(expect.arrayContaining(['Admin', 'r1']))
      expect(held.clusters).toMatchObject([{ id: 'c1', alias: 'one' }])
      expect(held.keys.map(({ kid }) => kid)).toEqual(['kid-1', 'kid-2'])
      expect([...held.revokedTokens()]).toEqual(['t1', 't2'])
    })
  })

  test('shows a bcrypt hash that log-in has replaced, until there is a new password', async (store) => {
    const bcrypt = `$2b$10$${'x'.repeat(53)}`
    await store.imports.run(
      imported([{ kind: 'user', user: { name: 'ann', passwordHash: bcrypt, roleNames: [] } }]),
      terms(),
      by,
    )
    const { key = 0 } = (await store.users.credentials('ann')) ?? {}
    const former = () => store.exports.read(start, (held) => Array.from(held.users(), ({ formerHash }) => formerHash))
    await store.users.rehash(key, 'another', '$argon2id$never')
    expect(await former()).toEqual([undefined])
    await store.users.rehash(key, bcrypt, '$argon2id$one')
    expect(await former()).toEqual([bcrypt])
    await store.users.rehash(key, '$argon2id$one', '$argon2id$two')
    expect(await former()).toEqual([bcrypt])
    await store.users.update('ann', { passwordHash: '$argon2id$three' }, by)
    expect(await former()).toEqual([undefined])
  })
}
