import { describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config.ts'
import { presentSettings } from '../../src/config-present.ts'
import type { ClusterStatus } from '../../src/core/clusters/cluster-status.ts'
import type { ProbeReport } from '../../src/core/clusters/probe.ts'
import type { KeyRecord } from '../../src/core/keys/key-store.ts'
import { checkClusters } from '../../src/doctor/checks/clusters.ts'
import { checkConfiguration } from '../../src/doctor/checks/configuration.ts'
import { checkFiles } from '../../src/doctor/checks/files.ts'
import { checkCertificate, checkService } from '../../src/doctor/checks/reach.ts'
import { checkDatabase, checkMasterKey, checkSigningKey } from '../../src/doctor/checks/store.ts'
import type { ClusterFacts, FileFacts, FolderFacts, ServiceFacts, SigningKeyFacts } from '../../src/doctor/facts.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { aCluster, aJwk } from '../store/conformance/samples.ts'

const now = new Date('2026-03-01T12:00:00Z')
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000)

/** Check and level of what is not well. */
const wrong = (findings: readonly Finding[]) =>
  findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${check}: ${level}`)

function hasAdvice(findings: readonly Finding[]): boolean {
  return findings.every(({ level, mend }) => (level === 'ok') === (mend === null))
}

describe('configuration', () => {
  function check(env: Record<string, string>, more: object = {}) {
    const { config, settings } = loadSettings({ env: { HOME: '/home/x', ...env } })
    const facts = {
      config,
      settings: presentSettings(settings),
      sharedSecret: config.sharedSecret.value,
      shadowed: [],
      hasUsers: true,
      clusterUrls: [],
    }
    const findings = checkConfiguration({ ...facts, ...more })
    expect(hasAdvice(findings)).toBe(true)
    return wrong(findings)
  }

  test.each<[title: string, env: Record<string, string>, more: object, expected: string[]]>([
    ['the defaults, with no cluster', {}, {}, []],
    ['clusters that can not reach localhost', {}, { clusterUrls: ['http://10.0.0.1:8080'] }, ['external_url: problem']],
    ['a cluster on the same machine', {}, { clusterUrls: ['http://127.0.0.1:8080'] }, []],
    ['plain HTTP to others', { AIS_AUTHN_EXTERNAL_URL: 'http://auth.test' }, {}, ['external_url: warning']],
    ['HTTPS', { AIS_AUTHN_EXTERNAL_URL: 'https://auth.test' }, { clusterUrls: ['https://lake.test'] }, []],
    ['unchecked certificates', { AIS_AUTHN_SKIP_VERIFY_CRT: 'true' }, {}, ['skip_verify: problem']],
    ['login limits switched off', { GATEHOUSE_LOGIN_LIMITS: 'off' }, {}, ['login_limits: problem']],
    ['open reads', { AIS_AUTHN_OPEN_READS: 'true' }, {}, ['open_reads: warning']],
    ['metrics for everybody', { GATEHOUSE_OPS_HOST: '0.0.0.0' }, {}, ['operations: warning']],
    ['a short secret', { AIS_AUTHN_SECRET_KEY: 'abc' }, {}, ['secret_short: warning']],
    ['tokens that live long', { GATEHOUSE_TOKEN_LIFETIME: '1000h' }, {}, ['lifetime: warning']],
    ["a first password that isn't read", { AIS_AUTHN_SU_PASS: 'x' }, {}, ['first_password: warning']],
    ['a first password that will be read', { AIS_AUTHN_SU_PASS: 'x' }, { hasUsers: false }, []],
    ['a change that is beaten', {}, { shadowed: [{ name: 'log.level', by: '--log-level' }] }, ['shadowed: warning']],
  ])('%s', (_title, env, more, expected) => {
    expect(check(env, more)).toEqual(expected)
  })
})

describe('files', () => {
  const file: FileFacts = {
    what: 'the master key',
    path: '/d/master.key',
    mode: 0o600,
    owner: 5,
    isFolder: false,
    mayBeGroupReadable: false,
  }
  const folder: FolderFacts = {
    path: '/d',
    files: [file],
    owner: 5,
    freeBytes: 2 ** 40,
    databaseBytes: 2 ** 20,
    leftovers: [],
    fileSystem: 'local',
  }

  test.each<[title: string, facts: Partial<FolderFacts>, expected: string[]]>([
    ['all as it should be', {}, []],
    ['no folder', { owner: undefined }, ['data_folder: warning']],
    ['open to everybody', { files: [{ ...file, mode: 0o604 }] }, ['mode: problem']],
    ['open to the group', { files: [{ ...file, mode: 0o640 }] }, ['mode: warning']],
    ['a group that may read', { files: [{ ...file, mode: 0o640, mayBeGroupReadable: true }] }, []],
    ['a group that may write', { files: [{ ...file, mode: 0o660, mayBeGroupReadable: true }] }, ['mode: warning']],
    ["root's", { files: [{ ...file, owner: 0 }] }, ['owner: problem']],
    ['hardly any room', { freeBytes: 2 ** 20 }, ['space: problem']],
    ['no room for an upgrade', { freeBytes: 2 ** 30, databaseBytes: 2 ** 30 }, ['space: warning']],
    ['a network file system', { fileSystem: 'network' }, ['file_system: problem']],
    ["a container's own layer", { fileSystem: 'container layer' }, ['file_system: warning']],
    ['leftovers', { leftovers: ['x.tmp'] }, ['leftovers: warning']],
  ])('%s', (_title, facts, expected) => {
    const findings = checkFiles({ ...folder, ...facts })
    expect(wrong(findings)).toEqual(expected)
    expect(hasAdvice(findings)).toBe(true)
  })
})

describe('database and keys', () => {
  const open = {
    kind: 'open',
    damage: undefined,
    isFullCheck: false,
    pendingMigrations: [] as string[],
    logBytes: 0,
    lastWrittenAt: inDays(-1),
  } as const

  test.each([
    ['all well', open, []],
    ['missing', { kind: 'missing', path: '/d/gatehouse.db' } as const, ['database: warning']],
    [
      'unusable',
      { kind: 'unusable', reason: 'the file is not a database', isTooNew: false } as const,
      ['database: problem'],
    ],
    ['damaged', { ...open, damage: 'page 3 is never used' }, ['integrity: problem']],
    ['older than the program', { ...open, pendingMigrations: ['0009_x.sql'] }, ['migrations: warning']],
    ['a log that grows', { ...open, logBytes: 2 ** 30 }, ['log: warning']],
    ['written in the future', { ...open, lastWrittenAt: inDays(1) }, ['clock: problem']],
  ])('a database: %s', (_title, facts, expected) => {
    const findings = checkDatabase(facts, now)
    expect(wrong(findings)).toEqual(expected)
    expect(hasAdvice(findings)).toBe(true)
  })

  test('the master key: missing is a problem only where there is something that it has sealed', () => {
    const missing = { kind: 'missing', path: '/d/master.key' } as const
    expect(wrong(checkMasterKey(missing, true))).toEqual(['master_key: problem'])
    expect(wrong(checkMasterKey(missing, false))).toEqual(['master_key: warning'])
    const present = { kind: 'present', from: '/d/master.key' } as const
    expect(wrong(checkMasterKey({ ...present, opensDatabase: true }, true))).toEqual([])
    expect(wrong(checkMasterKey({ ...present, opensDatabase: false }, true))).toEqual(['master_key: problem'])
    expect(wrong(checkMasterKey({ kind: 'unusable', reason: 'short' }, true))).toEqual(['master_key: problem'])
  })

  const record = (kid: string, state: KeyRecord['state']): KeyRecord => {
    return {
      kid,
      publicJwk: aJwk(kid),
      state,
      createdAt: now,
      activatedAt: now,
      isPrivateKeyKept: false,
      foreignUntil: null,
    }
  }
  const signing: SigningKeyFacts = {
    path: '/d/authn_rsa.key',
    isExternal: false,
    kid: 'a',
    reason: undefined,
    isThere: true,
    records: [record('a', 'active'), record('b', 'retiring')],
  }

  test.each<[string, SigningKeyFacts | undefined, string[]]>([
    ['a shared secret', undefined, []],
    ['the active one', signing, []],
    ['gone', { ...signing, kid: undefined, isThere: false }, ['signing_key: problem']],
    ['none yet', { ...signing, kid: undefined, isThere: false, records: [] }, ['signing_key: warning']],
    [
      'external, and gone',
      { ...signing, kid: undefined, isThere: false, records: [], isExternal: true },
      ['signing_key: problem'],
    ],
    ['unreadable', { ...signing, kid: undefined, reason: 'it is damaged' }, ['signing_key: problem']],
    ['another one than the store has', { ...signing, kid: 'b' }, ['signing_key: warning']],
    ['retired', { ...signing, kid: 'c', records: [record('c', 'retired')] }, ['signing_key: problem']],
  ])('the signing key: %s', (_title, facts, expected) => {
    const findings = checkSigningKey(facts)
    expect(wrong(findings)).toEqual(expected)
    expect(hasAdvice(findings)).toBe(true)
  })
})

describe('service', () => {
  const url = 'https://auth.test'
  const running: ServiceFacts = {
    isRunning: true,
    ready: { isReady: true, said: '' },
    external: { kind: 'discovery', issuer: url, kids: ['a'] },
    certificate: undefined,
  }

  test.each<[string, Partial<ServiceFacts>, string[]]>([
    ['all well', {}, []],
    ['not running', { isRunning: false, ready: undefined, external: undefined }, ['running: warning']],
    ['not ready', { ready: { isReady: false, said: 'shutting down' } }, ['ready: problem']],
    ['out of reach', { external: { kind: 'silent', said: 'no answer' } }, ['external: problem']],
    ['something else answers', { external: { kind: 'other', said: 'HTTP 404' } }, ['external: problem']],
    ['a slash too many', { external: { kind: 'discovery', issuer: `${url}/`, kids: ['a'] } }, ['external: problem']],
    ['keys of another', { external: { kind: 'discovery', issuer: url, kids: ['b'] } }, ['external: problem']],
    ['a shared secret', { external: { kind: 'discovery', issuer: url, kids: undefined } }, []],
  ])('%s', (_title, facts, expected) => {
    const findings = checkService({ service: { ...running, ...facts }, externalUrl: url, publishedKids: ['a'] }, now)
    expect(wrong(findings)).toEqual(expected)
    expect(hasAdvice(findings)).toBe(true)
  })

  test.each([
    [90, []],
    [29, ['certificate: warning']],
    [6, ['certificate: problem']],
    [-1, ['certificate: problem']],
  ])('a certificate that ends in %i days', (days, expected) => {
    expect(wrong(checkCertificate('service', { where: 'x', expiresAt: inDays(days), reason: undefined }, now))).toEqual(
      expected,
    )
  })
})

describe('clusters', () => {
  const status: ClusterStatus = {
    state: 'in_step',
    behind: 0,
    behindSince: null,
    behindMs: 0,
    lastReason: null,
    lastSaid: null,
    advice: null,
    attempts: 0,
    nextAttemptAt: null,
    lastAcknowledgedAt: now,
    probedAt: now,
    lastRestartSeenAt: null,
    inStepSince: now,
    isKeyTrusted: true,
    isAuthenticationOn: true,
    reportedId: 'c1',
    proxies: [],
    isConfirmed: true,
    isEveryProxyAsked: true,
  }
  const report: ProbeReport = {
    clusterId: 'c1',
    proxies: [],
    isEveryProxyAsked: true,
    isKeyTrusted: true,
    isAuthenticationOn: true,
    trouble: null,
  }
  const facts: ClusterFacts = { cluster: aCluster('c1'), status, report, clockAheadMs: 0, certificates: [] }
  const trouble = { reason: 'unreachable', said: 'nothing listens there', advice: 'Start it.' } as const
  const forgot = {
    proxyId: 'p1',
    url: 'http://p1',
    isPrimary: true,
    canary: 'forgot',
    said: null,
    silentSince: null,
  } as const

  test.each<[string, Partial<ClusterFacts>, string[]]>([
    ['all well', {}, []],
    ['not asked', { report: undefined }, []],
    ['out of reach', { report: { ...report, clusterId: null, trouble } }, ['reach: problem']],
    ['another cluster', { report: { ...report, clusterId: 'c2', trouble } }, ['cluster_id: problem']],
    ['it does not trust our key', { report: { ...report, isKeyTrusted: false, trouble } }, ['key_trust: problem']],
    [
      'authentication is off',
      { report: { ...report, isAuthenticationOn: false, trouble } },
      ['authentication: problem'],
    ],
    ['a proxy has forgotten', { status: { ...status, proxies: [forgot] } }, ['forgotten: problem']],
    ['far behind', { status: { ...status, behind: 3, behindMs: 90_000 } }, ['lag: problem']],
    ['a little behind', { status: { ...status, behind: 3, behindMs: 900 } }, []],
    ['refused once, well now', { status: { ...status, state: 'refused', lastSaid: 'no' } }, ['delivery: warning']],
    ['refused', { report: undefined, status: { ...status, state: 'refused', lastSaid: 'no' } }, ['delivery: problem']],
    ['a clock that is a little off', { clockAheadMs: -7_000 }, ['clock: warning']],
    ['a clock that is wrong', { clockAheadMs: 700_000 }, ['clock: problem']],
    [
      'a certificate that ends',
      { certificates: [{ where: 'x', expiresAt: inDays(2), reason: undefined }] },
      ['certificate: problem'],
    ],
  ])('%s', (_title, more, expected) => {
    const findings = checkClusters([{ ...facts, ...more }], now)
    expect(wrong(findings)).toEqual(expected)
    expect(hasAdvice(findings)).toBe(true)
  })
})
