/** The real executables, run as child processes. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

type Program = 'gatehouse' | 'authn' | (string & {})

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Brings dist/ up to date with the sources. */
export async function buildProgram(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs')])
}

export function makeFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse cli-')))
}

/** A configuration folder with this authn.json. */
export function makeConfig(content: unknown = {}): string {
  const folder = makeFolder()
  writeFileSync(join(folder, 'authn.json'), JSON.stringify(content))
  return folder
}

function launch(program: Program, args: readonly string[], { env = {}, cwd }: RunOptions): ChildProcess {
  const path = program.includes('/') || program === 'npx' ? program : join(root, 'bin', program)
  const child = spawn(path, args, {
    cwd: cwd ?? makeFolder(),
    env: { PATH: process.env.PATH, HOME: makeFolder(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function collect(child: ChildProcess) {
  const text = { out: '', err: '' }
  child.stdout?.on('data', (part) => {
    text.out += part
  })
  child.stderr?.on('data', (part) => {
    text.err += part
  })
  const ended = new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, ...text }))
    },
  )
  return { text, ended }
}

/** Runs a command to its end. */
export function run(program: Program, args: readonly string[], options: RunOptions = {}) {
  return collect(launch(program, args, options)).ended
}

/**
 * Starts a service on a free port of the loopback interface; answers once it is listening. Under a shared secret, unless
 * the environment says otherwise: making an RSA key takes most of the time of a start.
 */
export async function startProgram(program: Program, args: readonly string[], options: RunOptions = {}) {
  const secret = randomBytes(16).toString('hex')
  const ports = { AIS_AUTHN_PORT: '0', GATEHOUSE_OPS_PORT: 'off' }
  const env = { ...ports, GATEHOUSE_HOST: '127.0.0.1', AIS_AUTHN_SECRET_KEY: secret, ...options.env }
  const child = launch(program, args, { ...options, env })
  const { text, ended } = collect(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const started = /"event":"service.started".*"url":"([^"]+)"/.exec(text.out)?.[1]
      if (started !== undefined) resolve(started)
    })
    void ended.then(({ code, err }) => reject(new Error(`it ended with ${code}: ${err}`)))
  })
  return {
    url,
    pid: child.pid ?? 0,
    text,
    ended,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
