/** The service as an operator runs it: `gatehouse serve`, a process of its own, settings as in production. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { adopt } from './children.ts'
import { nowMs, pause, within } from './clock.ts'

export type Mode = 'rs256' | 'hs256'

export interface ServerOptions {
  /** Data folder; what is in it is used. */
  readonly folder: string
  /** Signs with HS256 where one is given, else with RS256. */
  readonly sharedSecret: string | undefined
  readonly administratorPassword: string
  /** Folder to which the process writes a CPU profile when it ends. */
  readonly profileFolder: string | undefined
}

export interface Server {
  readonly pid: number
  readonly port: number
  readonly url: string
  /** From the start of the process until /readyz answered 200. */
  readonly readyMs: number
  /** Ends it as an init system does. */
  stop(): Promise<void>
}

const program = join(import.meta.dirname, '..', 'bin', 'gatehouse')
const startLimitMs = 60_000
const stopLimitMs = 20_000
const readyPollMs = 4

/** Issuer of every token of the run, so that tokens made once are good whatever port is used. */
export const issuerUrl = 'http://gatehouse.bench:52001'
export const administratorName = 'admin'

/** @throws Error with the last lines of the log where it doesn't become ready */
export async function startServer(options: ServerOptions): Promise<Server> {
  const port = await findFreePort()
  const logFile = join(options.folder, 'bench.log')
  const log = openSync(logFile, 'a', 0o600)
  const flags = [
    '--data-dir',
    options.folder,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--external-url',
    issuerUrl,
  ]
  const profile =
    options.profileFolder === undefined ? undefined : ['--cpu-prof', '--cpu-prof-dir', options.profileFolder, program]
  const startedAt = nowMs()
  const child = adopt(
    spawn(profile === undefined ? program : process.execPath, [...(profile ?? []), 'serve', ...flags], {
      stdio: ['ignore', log, log],
      env: {
        ...environmentWithoutSettings(),
        AIS_AUTHN_SU_NAME: administratorName,
        AIS_AUTHN_SU_PASS: options.administratorPassword,
        ...(options.sharedSecret === undefined ? {} : { AIS_AUTHN_SECRET_KEY: options.sharedSecret }),
      },
    }),
  )
  closeSync(log)
  let failure: Error | undefined
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error
      resolve()
    })
    child.once('exit', () => resolve())
  })
  while (!(await isReady(port))) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || nowMs() - startedAt > startLimitMs) {
      throw new Error(`the service does not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
    }
    await pause(readyPollMs)
  }
  return {
    pid: child.pid ?? 0,
    port,
    url: `http://127.0.0.1:${port}`,
    readyMs: nowMs() - startedAt,
    async stop() {
      child.kill('SIGTERM')
      await within('the end of the service', stopLimitMs, ended)
    },
  }
}

/** Settings of the machine's own installation must not reach what is measured. */
function environmentWithoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AIS_|GATEHOUSE_|NODE_OPTIONS$)/.test(name)),
  )
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/readyz', agent: false, timeout: 5000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
    request.on('timeout', () => request.destroy())
  })
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
