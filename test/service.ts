/**
 * The real service for tests: everything of src/service.ts, on loopback, with a store of its own, stand-in clusters on
 * demand, and small helpers. Nothing is mocked; the clock may be set by hand.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../src/config.ts'
import { type Clock, systemClock } from '../src/core/clock.ts'
import { createService, type Service } from '../src/service.ts'
import type { HandClock } from './clock.ts'
import { takeFreePort } from './free-port.ts'
import { collectLog, type LogLine } from './log-lines.ts'
import { testConfig } from './service-config.ts'
import type { TestClusterOptions, TestServiceOptions } from './service-options.ts'
import { type AistoreCluster, startAistoreCluster, type Trust } from './stand-ins/aistore.ts'

export interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  json(): unknown
}

export interface RequestOptions {
  readonly token?: string | undefined
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface TestRole {
  readonly name: string
  readonly clusters?: readonly { readonly id: string; readonly perm: string }[]
  readonly buckets?: readonly unknown[]
}

export interface TestService extends AsyncDisposable {
  readonly url: string
  readonly config: Config
  readonly clock: Clock
  readonly administrator: { readonly name: string; readonly password: string }
  /** Of the key that the service starts with. */
  readonly publicKeyPem: string
  readonly sharedSecret: string
  log(): readonly LogLine[]
  request(method: string, path: string, options?: RequestOptions): Promise<TestAnswer>
  /** A new token; throws where the login is refused. */
  login(name: string, password: string, expiresInNs?: number): Promise<string>
  /** The administrator's token, one per service. */
  adminToken(): Promise<string>
  makeUser(name: string, password: string, roles?: readonly string[]): Promise<void>
  makeRole(role: TestRole): Promise<void>
  /** Starts a cluster that trusts this service, without registering it. */
  startCluster(options: TestClusterOptions): Promise<AistoreCluster>
  registerCluster(alias: string, cluster: AistoreCluster): Promise<TestAnswer>
  cluster(alias: string): AistoreCluster
  /** So many tokens of one user, each good for every cluster. */
  issueTokens(count: number): Promise<string[]>
  revoke(token: string): Promise<TestAnswer>
  /** Until every cluster that is up knows every token given to revoke(); moves a hand-set clock along. */
  settled(): Promise<void>
  /** Ends the service and starts it anew on the same data and port; `meanwhile` runs while it is down. */
  restart(meanwhile?: () => Promise<void>): Promise<void>
}

const allOnes = '18446744073709551615'
const settleLimitMs = 10_000

/** One key a process: making one takes longer than most tests. */
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const privatePem = rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const publicPem = rsa.publicKey.export({ format: 'pem', type: 'spki' }).toString()

function isHandClock(clock: Clock): clock is HandClock {
  return 'advance' in clock
}

/** Starts the service, its clusters, and registers these; disposing ends all and removes the data. */
export async function startService(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  const clock = options.clock ?? systemClock
  const lines: LogLine[] = []
  const sharedSecret = randomBytes(24).toString('hex')
  const administrator = { name: options.administrator ?? 'admin', password: randomBytes(12).toString('base64url') }
  const config: Config = {
    ...testConfig({
      folder,
      port: await takeFreePort(),
      databaseFile: options.store === 'file' ? join(folder, 'gatehouse.db') : ':memory:',
      sharedSecret: options.algorithm === 'HS256' ? sharedSecret : '',
      administrator,
      hasOpenReads: options.hasOpenReads ?? false,
      delivery: options.delivery ?? {},
    }),
    ...options.config,
  }
  writeFileSync(config.signingKey.file, privatePem, { mode: 0o600 })

  const clusters = new Map<string, AistoreCluster>()
  const revoked: string[] = []
  let admin: string | undefined
  let service: Service
  let url = ''

  async function open() {
    service = await createService({ config, clock, log: collectLog(lines), setLogLevel: () => {} })
    url = (await service.listen()).url
  }

  async function request(method: string, path: string, { token, body, headers }: RequestOptions = {}) {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: (): unknown => JSON.parse(text) }
  }

  async function must(method: string, path: string, given: RequestOptions) {
    const answer = await request(method, path, given)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer
  }

  async function login(name: string, password: string, expiresInNs?: number) {
    const body = { password, ...(expiresInNs === undefined ? {} : { expires_in: expiresInNs }) }
    return ((await must('POST', `/v1/users/${name}`, { body })).json() as { token: string }).token
  }

  async function adminToken() {
    admin ??= await login(administrator.name, administrator.password)
    return admin
  }

  function trustOf(kind: Trust['kind']): Trust {
    if (kind === 'shared_secret') return { kind, secret: sharedSecret }
    if (kind === 'static_key') return { kind, pem: publicPem }
    return { kind, issuer: config.net.externalUrl }
  }

  async function startCluster({ alias, trust, ...rest }: TestClusterOptions) {
    const kind = trust ?? (options.algorithm === 'HS256' ? 'shared_secret' : 'discovery')
    const cluster = await startAistoreCluster({ version: '5.0', ...rest, trust: trustOf(kind), clock })
    clusters.set(alias, cluster)
    return cluster
  }

  async function registerCluster(alias: string, cluster: AistoreCluster) {
    const body = { id: cluster.uuid, alias, urls: cluster.urls }
    return request('POST', '/v1/clusters', { token: await adminToken(), body })
  }

  /** With a clock that stands still nobody's patience ends, so time is moved while an answer is awaited. */
  async function whileTimePasses<T>(answer: Promise<T>): Promise<T> {
    if (!isHandClock(clock)) return answer
    let isPending = true
    const ended = answer.finally(() => {
      isPending = false
    })
    for (let turn = 0; isPending; turn += 1) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1))
      if (turn > 50 && isPending) await clock.advance(10)
    }
    return ended
  }

  async function settled() {
    const startedAt = performance.now()
    const missing = () =>
      [...clusters].filter(([, cluster]) => cluster.isUp() && !revoked.every((token) => cluster.knows(token)))
    while (missing().length > 0) {
      if (performance.now() - startedAt > settleLimitMs) {
        throw new Error(`not settled: ${missing().map(([alias]) => alias)}`)
      }
      const nextAttemptAt = await service.settled()
      if (isHandClock(clock) && nextAttemptAt !== undefined) {
        await clock.advance(Math.max(0, nextAttemptAt.getTime() - clock.now().getTime()) + 1)
      } else await new Promise<void>((resolve) => setTimeout(resolve, 5))
    }
  }

  await open()
  const made: TestService = {
    get url() {
      return url
    },
    config,
    clock,
    administrator,
    publicKeyPem: publicPem,
    sharedSecret,
    log: () => [...lines],
    request,
    login,
    adminToken,
    async makeUser(name, password, roles = []) {
      const body = { id: name, pass: password, roles: roles.map((role) => ({ name: role })) }
      await must('POST', '/v1/users', { token: await adminToken(), body })
    },
    async makeRole(role) {
      await must('POST', '/v1/roles', { token: await adminToken(), body: { desc: '', ...role } })
    },
    startCluster,
    registerCluster,
    cluster(alias) {
      const found = clusters.get(alias)
      if (found === undefined) throw new Error(`no cluster ${alias} was started`)
      return found
    },
    async issueTokens(count) {
      const name = `user-${randomBytes(4).toString('hex')}`
      const acls = [...clusters.values()].map(({ uuid }) => ({ id: uuid, perm: allOnes }))
      await made.makeRole({ name, clusters: acls })
      await made.makeUser(name, name, [name])
      const tokens: string[] = []
      while (tokens.length < count) tokens.push(await login(name, name))
      return tokens
    },
    async revoke(token) {
      const answer = await whileTimePasses(request('DELETE', '/v1/tokens', { body: { token } }))
      if (answer.status === 200) revoked.push(token)
      return answer
    },
    settled,
    async restart(meanwhile) {
      await whileTimePasses(service.close())
      await meanwhile?.()
      await open()
    },
    async [Symbol.asyncDispose]() {
      await whileTimePasses(service.close({ drainMs: 500 }))
      await Promise.all([...clusters.values()].map((cluster) => cluster.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  for (const wanted of options.clusters ?? []) {
    const cluster = typeof wanted === 'string' ? { alias: wanted } : wanted
    const answer = await registerCluster(cluster.alias, await startCluster(cluster))
    if (answer.status !== 200) throw new Error(`registering ${cluster.alias}: ${answer.status} ${answer.text}`)
  }
  return made
}
