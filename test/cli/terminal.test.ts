import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../service.ts'
import { buildProgram, makeFolder, root } from './program.ts'

const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0

/** What a person sees who runs the command on a screen of 120 columns. */
function onTerminal(
  args: readonly string[],
  options: { home: string; service: TestService; typed?: string; seconds?: number; env?: Record<string, string> },
): Promise<string> {
  const { home, service, typed = '', seconds = 0, env = {} } = options
  const script = [join(root, 'test/cli/terminal.py'), String(seconds), join(root, 'bin/gatehouse'), ...args]
  const child = spawn('python3', script, {
    env: { PATH: process.env.PATH, HOME: home, TERM: 'xterm', GATEHOUSE_URL: service.url, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(typed)
  let shown = ''
  child.stdout.on('data', (part) => {
    shown += part
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(shown))
  })
}

describe.skipIf(!hasPython)('on a terminal', () => {
  let service: TestService

  beforeAll(async () => {
    await buildProgram()
    service = await startService({ clusters: ['lake'] })
    return () => service[Symbol.asyncDispose]()
  })

  test('a password is asked for and not shown; states have colours, unless NO_COLOR; --watch draws anew', async () => {
    const home = makeFolder()
    const { name, password } = service.administrator
    const login = await onTerminal(['login', name], { home, service, typed: `${password}\r` })
    expect(login).toContain(`Password of ${name}`)
    expect(login).toMatch(/Logged in [^\n]*\r\n\nexit 0\n$/)
    expect(login).not.toContain(password)

    const coloured = await onTerminal(['cluster', 'list'], { home, service })
    expect(coloured).toContain('\u001b[')
    const plain = await onTerminal(['cluster', 'list'], { home, service, env: { NO_COLOR: '1' } })
    expect(plain).not.toContain('\u001b[')

    const watched = await onTerminal(['cluster', 'list', '--watch'], { home, service, seconds: 2.5 })
    expect(watched).toContain('\u001b[2A\u001b[0JCLUSTER')
    expect(watched).toMatch(/exit 0\n$/)
  })

  test('a question that is left unanswered does nothing', async () => {
    const shown = await onTerminal(['login', 'admin'], { home: makeFolder(), service, typed: '\u0003' })
    expect(shown).toMatch(/gatehouse: nothing was done\r\n\nexit 1\n$/)
  })
})
