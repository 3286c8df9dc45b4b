/** The real service as a process of its own, in a folder that goes away with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './narrator.ts'

export type LogLine = Readonly<Record<string, unknown>>

export interface Gatehouse extends AsyncDisposable {
  readonly url: string
  readonly folder: string
  readonly administrator: { readonly name: string; readonly password: string }
  /** What the process has logged so far. */
  log(): readonly LogLine[]
  /** Tells it to end as an init system does; answers its exit code. */
  stop(): Promise<number | null>
}

const program = join(import.meta.dirname, '..', 'bin', 'gatehouse')
const startLimitMs = 15_000

/** Starts `gatehouse serve` on a free port and waits until it says that it is ready. */
export async function startGatehouse(): Promise<Gatehouse> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const administrator = { name: 'admin', password: randomBytes(12).toString('base64url') }
  const flags = ['--data-dir', folder, '--host', '127.0.0.1', '--port', String(port), '--external-url', url]
  const child = spawn(program, ['serve', ...flags], {
    env: { ...environmentWithoutSettings(), AIS_AUTHN_SU_PASS: administrator.password },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
  ended.catch(() => undefined)
  const lines = collectLines(child)

  async function stop() {
    if (child.exitCode === null) child.kill('SIGTERM')
    return ended
  }

  async function dispose() {
    await stop().catch(() => undefined)
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await until('Gatehouse is ready', startLimitMs, async () => {
      if (child.exitCode !== null) throw new Error(`gatehouse serve ended with ${child.exitCode}: ${lines.said()}`)
      return isReady(url)
    })
  } catch (error) {
    await dispose()
    throw error
  }
  return { url, folder, administrator, log: lines.log, stop, [Symbol.asyncDispose]: dispose }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).status === 200
  } catch {
    return false
  }
}

/** Settings of the reader's own installation must not reach the demonstration. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AIS_|GATEHOUSE_)/.test(name)))
}

function collectLines(child: ChildProcess) {
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk) => {
    output += String(chunk)
  })
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk)
  })
  return {
    said: () => errors.trim() || output.trim() || 'nothing',
    log: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as LogLine),
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
