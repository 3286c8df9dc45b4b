/** The real executable, the real clock, and clusters that outlive it: a scene for faults that end a process. */
import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { makeFolder, startProgram } from '../cli/program.ts'
import { takeFreePort } from '../free-port.ts'
import { type AistoreCluster, type AistoreClusterOptions, startAistoreCluster } from '../stand-ins/aistore.ts'
import type { Scene } from './promise.ts'
import { useFastFolders } from './size.ts'
import { secretMill } from './tokens.ts'

export interface Installation {
  readonly scene: Scene
  /** Where the data lies. */
  readonly folder: string
  /** Starts a process on the data; the first one started, or the last one that `use` was told of, is asked by the scene. */
  start(env?: Readonly<Record<string, string>>): Promise<Process>
  use(process: Process): void
  tokens(count: number): string[]
  /** Starts a cluster and registers it. */
  addCluster(options?: Partial<AistoreClusterOptions>): Promise<AistoreCluster>
}

export interface Process {
  readonly url: string
  /** What it has printed so far. */
  readonly text: { readonly out: string; readonly err: string }
  readonly pid: number
  /** As the scene's, of this process. */
  ask: Scene['ask']
  /** Answers the status, or 0 where there was no answer; a 200 is an acknowledgement. */
  revoke(token: string): Promise<number>
  /** Revokes all, some at once; answers the statuses in the order of the tokens. */
  revokeAll(tokens: readonly string[]): Promise<number[]>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<{ readonly code: number | null }>
}

const atOnce = 32

/** @param folder instead of a new one */
export async function install(folder?: string): Promise<Installation> {
  useFastFolders()
  const dataDir = folder ?? makeFolder()
  const secret = randomBytes(24).toString('hex')
  const password = randomBytes(12).toString('hex')
  const port = String(await takeFreePort())
  const mill = secretMill(secret)
  const acknowledged = new Set<string>()
  const clusters: AistoreCluster[] = []
  let asked: Process | undefined
  let token: Promise<string> | undefined

  /** One for all processes: they share the secret. */
  function admin(url: string): Promise<string> {
    token ??= logIn(url, password)
    return token
  }

  async function start(env: Readonly<Record<string, string>> = {}): Promise<Process> {
    const program = await startProgram('gatehouse', ['serve', '--data-dir', dataDir], {
      env: {
        AIS_AUTHN_PORT: port,
        AIS_AUTHN_SECRET_KEY: secret,
        AIS_AUTHN_SU_PASS: password,
        GATEHOUSE_OPS_PORT: 'off',
        GATEHOUSE_DELIVERY_TIMEOUT: '500ms',
        GATEHOUSE_DELIVERY_RETRY: '50ms,100ms,200ms',
        GATEHOUSE_PROBE_EVERY: '1s',
        ...env,
      },
    })
    const { url, text, ended, signal } = program
    const running = { url, text, ended, signal, pid: program.pid, ...createCalls(url, admin, acknowledged) }
    asked ??= running
    return running
  }

  const scene: Scene = {
    tokens: () => [...acknowledged],
    clusters: () => clusters,
    ask: (...call) => (asked === undefined ? Promise.reject(new Error('nothing runs')) : asked.ask(...call)),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 300))),
    isUnseen: () => false,
  }

  return {
    scene,
    folder: dataDir,
    start,
    use(process) {
      asked = process
    },
    tokens: (count) => mill.make(count),
    async addCluster(options = {}) {
      const cluster = await startAistoreCluster({
        version: '5.0',
        trust: { kind: 'shared_secret', secret },
        ...options,
      })
      onTestFinished(() => cluster.stop())
      clusters.push(cluster)
      const body = { id: cluster.uuid, alias: `c${clusters.length}`, urls: cluster.urls }
      await scene.ask('POST', '/v1/clusters', body)
      return cluster
    },
  }
}

async function logIn(url: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/v1/users/admin`, { method: 'POST', body: JSON.stringify({ password }) })
  return ((await answer.json()) as { token: string }).token
}

function createCalls(url: string, admin: (url: string) => Promise<string>, acknowledged: Set<string>) {
  async function revoke(token: string): Promise<number> {
    try {
      const answer = await fetch(`${url}/v1/tokens`, { method: 'DELETE', body: JSON.stringify({ token }) })
      await answer.text()
      if (answer.status === 200) acknowledged.add(token)
      return answer.status
    } catch {
      return 0
    }
  }

  return {
    revoke,
    async ask(method: string, path: string, body?: unknown): Promise<unknown> {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${await admin(url)}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
      return text === '' ? undefined : JSON.parse(text)
    },
    async revokeAll(tokens: readonly string[]): Promise<number[]> {
      const statuses: number[] = []
      const left = tokens.entries()
      const work = async () => {
        for (const [index, token] of left) statuses[index] = await revoke(token)
      }
      await Promise.all(Array.from({ length: atOnce }, work))
      return statuses
    },
  }
}
