/** The real executable against a running service, each test with a home of its own. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { TestService } from '../service.ts'
import { makeFolder, root } from './program.ts'

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface CallOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Client {
  readonly home: string
  /** Runs a command to its end. */
  (args: readonly string[], options?: CallOptions): Promise<Ran>
  /** Starts a command; its output comes as it is written. */
  start(args: readonly string[], options?: CallOptions): Running
}

export interface Running {
  readonly text: { readonly out: string; readonly err: string }
  readonly ended: Promise<Ran>
  interrupt(): void
}

/** Commands that find the service by GATEHOUSE_URL. */
export function clientOf(service: Pick<TestService, 'url'>): Client {
  const home = makeFolder()

  function start(args: readonly string[], { input = '', env = {} }: CallOptions = {}): Running {
    const child = spawn(join(root, 'bin/gatehouse'), args, {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, GATEHOUSE_URL: service.url, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const text = { out: '', err: '' }
    child.stdout.on('data', (part) => {
      text.out += part
    })
    child.stderr.on('data', (part) => {
      text.err += part
    })
    // A command that reads no input may have ended.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const ended = new Promise<Ran>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, ...text }))
    })
    return { text, ended, interrupt: () => void child.kill('SIGINT') }
  }

  return Object.assign((args: readonly string[], options?: CallOptions) => start(args, options).ended, { home, start })
}

/** A client that is logged in as the administrator. */
export async function loggedIn(service: TestService): Promise<Client> {
  const client = clientOf(service)
  const { name, password } = service.administrator
  const { code, err } = await client(['login', name, '--password-stdin'], { input: `${password}\n` })
  if (code !== 0) throw new Error(err)
  return client
}

export function makeSecret(): string {
  return randomBytes(12).toString('base64url')
}
