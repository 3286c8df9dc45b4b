import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { CliContext } from '../../src/cli/context.ts'
import { serve } from '../../src/cli/serve.ts'
import { buildProgram, makeConfig, makeFolder, run, startProgram } from './program.ts'

beforeAll(buildProgram)

const password = randomBytes(12).toString('hex')

function login(url: string, name: string, given: string): Promise<Response> {
  return fetch(`${url}/v1/users/${name}`, { method: 'POST', body: JSON.stringify({ password: given }) })
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('config', () => {
  test('shows what was changed at run time, beside a service that runs, and no secret', async () => {
    const dataDir = makeFolder()
    const service = await startProgram('gatehouse', ['serve', '--data-dir', dataDir], {
      env: { AIS_AUTHN_SU_PASS: password, AIS_AUTHN_SECRET_KEY: '' },
    })
    const { token } = (await (await login(service.url, 'admin', password)).json()) as { token: string }
    const secret = randomBytes(16).toString('hex')
    const changed = await fetch(`${service.url}/v1/daemon`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ auth: { expiration_time: '30m', secret } }),
    })
    expect(changed.status).toBe(200)
    const shown = await run('gatehouse', ['config', '--data-dir', dataDir, '--json'])
    expect(shown.out).not.toContain(secret)
    const rows = JSON.parse(shown.out) as { name: string; value: string; source: string }[]
    expect(rows.find(({ name }) => name === 'auth.expiration_time')).toMatchObject({ value: '30m', source: 'runtime' })
    expect(rows.find(({ name }) => name === 'auth.secret')).toMatchObject({ value: '********', source: 'runtime' })
    expect(await service.stop()).toMatchObject({ code: 0 })
  })
})

describe('serve', () => {
  test('a first start makes an administrator and shows the password once, outside the log', async () => {
    const dataDir = makeFolder()
    const service = await startProgram('gatehouse', ['serve', '--data-dir', dataDir])
    const shown = /name: +(\S+)\n +password: +(\S+)/.exec(service.text.err)
    const [, name = '', generated = ''] = shown ?? []
    expect((await login(service.url, name, generated)).status).toBe(200)
    const first = await service.stop()
    expect(first.code).toBe(0)
    expect(first.out).not.toContain(generated)
    expect(jsonLines(first.out).map(({ event }) => event)).toEqual(
      expect.arrayContaining(['service.started', 'service.stopping', 'service.stopped']),
    )

    const again = await startProgram('gatehouse', ['serve', '--data-dir', dataDir])
    expect((await login(again.url, name, generated)).status).toBe(200)
    expect(await again.stop()).toMatchObject({ code: 0, err: '' })
  })

  test('a master key without its database is said, once: somebody may have lost it', async () => {
    const dataDir = makeFolder()
    const serveOnce = async () => {
      const service = await startProgram('gatehouse', ['serve', '--data-dir', dataDir], {
        env: { AIS_AUTHN_SU_PASS: password },
      })
      return jsonLines((await service.stop()).out).filter(({ event }) => event === 'store.begun_anew')
    }
    expect(await serveOnce()).toEqual([])
    for (const end of ['', '-wal', '-shm']) rmSync(join(dataDir, `gatehouse.db${end}`), { force: true })
    const said = { level: 'warn', database: join(dataDir, 'gatehouse.db'), advice: expect.stringContaining('restore') }
    expect(await serveOnce()).toEqual([expect.objectContaining(said)])
    expect(await serveOnce()).toEqual([])
  })

  test('a given password is shown nowhere', async () => {
    const env = { AIS_AUTHN_SU_NAME: 'root', AIS_AUTHN_SU_PASS: password }
    const service = await startProgram('gatehouse', ['serve'], { env })
    expect((await login(service.url, 'root', password)).status).toBe(200)
    const { out, err } = await service.stop()
    expect(err).toBe('')
    expect(out).not.toContain(password)
  })

  test("without a configuration data lies in the owner's own folder", async () => {
    const home = makeFolder()
    const service = await startProgram('gatehouse', ['serve'], { env: { HOME: home } })
    expect(statSync(join(home, '.gatehouse')).mode & 0o777).toBe(0o700)
    expect(await service.stop()).toMatchObject({ code: 0 })
  })

  test('SIGINT ends it too', async () => {
    const service = await startProgram('gatehouse', ['serve'])
    service.signal('SIGINT')
    expect(await service.ended).toMatchObject({ code: 0 })
  })

  test('a signal while the port is taken is not kept waiting', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void holder.close())
    const { port } = holder.address() as AddressInfo
    const stop = new AbortController()
    const events: string[] = []
    const hear = ({ event }: { readonly event: string }) => {
      events.push(event)
      if (event === 'http.port_taken') stop.abort()
    }
    const log = { debug: hear, info: hear, warn: hear, error: hear, setLevel: () => {} }
    const context = { warn: () => {}, stop: stop.signal, openLog: async () => log } as unknown as CliContext
    const env = { AIS_AUTHN_SECRET_KEY: password, GATEHOUSE_HOST: '127.0.0.1', AIS_AUTHN_PORT: String(port) }
    await serve({ env: { ...env, GATEHOUSE_DATA_DIR: makeFolder(), AIS_AUTHN_SU_PASS: password } }, context)
    expect(events).not.toContain('service.started')
    expect(events.slice(-2)).toEqual(['service.stopping', 'service.stopped'])
  })

  test('a second signal ends it at once, though a request is in flight', async () => {
    const service = await startProgram('gatehouse', ['serve'])
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    // The server asks for the body, so the request has arrived; the body never comes.
    socket.write('POST /v1/users/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    service.signal('SIGTERM')
    while (!service.text.out.includes('service.stopping')) await new Promise((resolve) => setImmediate(resolve))
    service.signal('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 143, out: expect.not.stringContaining('service.stopped') })
  })

  test('what nobody caught is logged, and ends it with exit code 1', async () => {
    const token = `eyJ${randomBytes(20).toString('hex')}`
    const fault = `process.on('SIGUSR2', () => { Promise.reject(new Error('boom ${token}')) })`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` }
    const service = await startProgram('gatehouse', ['serve'], { env })
    service.signal('SIGUSR2')
    const { code, out, err } = await service.ended
    expect(code).toBe(1)
    expect(jsonLines(out).at(-1)).toMatchObject({ event: 'process.failed', error: { message: 'boom [redacted]' } })
    expect(err).toContain('gatehouse: unexpected failure: boom [redacted]\n')
    expect(err).not.toContain(token)
  })
})

describe('authn', () => {
  test.each(['-config=DIR', '-config DIR', '--config=DIR', '(AIS_AUTHN_CONF_DIR)'])(
    '%s serves with the data beside the configuration',
    async (form) => {
      const folder = makeConfig({ net: { external_url: 'http://authn.example:52001' } })
      chmodSync(join(folder, 'authn.json'), 0o400)
      const isVariable = form.startsWith('(')
      const usesKey = form === '-config=DIR'
      const env = {
        AIS_AUTHN_SU_PASS: password,
        ...(usesKey ? { AIS_AUTHN_SECRET_KEY: '' } : {}),
        ...(isVariable ? { AIS_AUTHN_CONF_DIR: folder } : {}),
      }
      const args = isVariable ? [] : form.split(' ').map((arg) => arg.replace('DIR', folder))
      const service = await startProgram('authn', args, { env })
      const discovery = await fetch(`${service.url}/.well-known/openid-configuration`)
      expect(await discovery.json()).toMatchObject({ issuer: 'http://authn.example:52001' })
      expect(await service.stop()).toMatchObject({ code: 0, err: '' })
      expect(statSync(join(folder, 'gatehouse.db')).isFile()).toBe(true)
      expect(existsSync(join(folder, 'authn_rsa.key'))).toBe(usesKey)
    },
  )
})

describe('what stands in the way of a start is one line with its own exit code', () => {
  const env = { AIS_AUTHN_SU_PASS: password, GATEHOUSE_HOST: '127.0.0.1', AIS_AUTHN_PORT: '0' }

  async function refused(args: readonly string[], more: Record<string, string> = {}) {
    const { code, err } = await run('gatehouse', ['serve', ...args], { env: { ...env, ...more } })
    expect(err).toMatch(/^gatehouse: [^\n]+\n$/)
    expect(err).not.toContain(password)
    return { code, line: err }
  }

  test('a wrong setting: 2', async () => {
    const { code, line } = await refused(['--port', '80'])
    expect(code).toBe(2)
    expect(line).toContain('--port must be 1024 to 65535')
  })

  test('HTTPS without a certificate: 2', async () => {
    const { code, line } = await refused(['--https'])
    expect(code).toBe(2)
    expect(line).toContain('certificate')
  })

  test('the port stays taken: 3, after it was tried for some seconds', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void holder.close())
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { code, line } = await refused(['--port', String(port)])
    expect(code).toBe(3)
    expect(line).toContain(`port ${port} of 127.0.0.1 is taken`)
  })

  test('the data folder is a file, or below one: 4', async () => {
    const file = join(makeFolder(), 'file')
    writeFileSync(file, '')
    for (const dataDir of [file, join(file, 'below')]) {
      const { code, line } = await refused(['--data-dir', dataDir])
      expect(code).toBe(4)
      expect(line).toContain(dataDir)
    }
  })

  test.skipIf(process.getuid?.() === 0)(
    'the data folder may not be written to (root may write anywhere): 4',
    async () => {
      const dataDir = makeFolder()
      chmodSync(dataDir, 0o500)
      expect((await refused(['--data-dir', dataDir])).code).toBe(4)
    },
  )

  test('the database is newer than the program: 5', async () => {
    const dataDir = makeFolder()
    const service = await startProgram('gatehouse', ['serve', '--data-dir', dataDir], { env })
    await service.stop()
    const database = new Database(join(dataDir, 'gatehouse.db'))
    database.exec("INSERT INTO migrations (name, sha256, applied_at) VALUES ('9999-later.sql', 'x', 0)")
    database.close()
    const { code, line } = await refused(['--data-dir', dataDir])
    expect(code).toBe(5)
    expect(line).toContain('9999-later.sql')
  })

  test.each([
    ['empty', ''],
    ['no key', 'not a key'],
    ['a broken PEM', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ])('the signing key file is %s: 6', async (_title, content) => {
    const dataDir = makeFolder()
    writeFileSync(join(dataDir, 'authn_rsa.key'), content)
    const { code, line } = await refused(['--data-dir', dataDir])
    expect(code).toBe(6)
    expect(line).toContain('authn_rsa.key')
  })

  test('the signing key file is a folder: 6', async () => {
    const dataDir = makeFolder()
    mkdirSync(join(dataDir, 'authn_rsa.key'))
    expect((await refused(['--data-dir', dataDir])).code).toBe(6)
  })

  test('an external signing key is missing: 6', async () => {
    const folder = makeConfig({ auth: { signing_key: { mode: 'external' } } })
    expect((await refused(['--config', folder])).code).toBe(6)
  })

  test('a weak passphrase: 6', async () => {
    expect((await refused([], { AIS_AUTHN_PRIVATE_KEY_PASS: 'a'.repeat(9) })).code).toBe(6)
  })

  test('the certificate is missing: 6', async () => {
    const folder = makeFolder()
    const files = ['--tls-certificate', join(folder, 'tls.crt'), '--tls-key', join(folder, 'tls.key')]
    const { code, line } = await refused(['--https', ...files])
    expect(code).toBe(6)
    expect(line).toContain('tls.crt')
  })

  test('the signing key can not be written: 4', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'keys'))
    // Every name below it is too long for the file system, whoever runs this.
    const file = join(folder, 'keys', 'k'.repeat(250))
    const { code, line } = await refused(['--private-key-file', file])
    expect(code).toBe(4)
    expect(line).toContain('(ENAMETOOLONG)')
  })

  test('the master key file holds no key: 4', async () => {
    const dataDir = makeFolder()
    writeFileSync(join(dataDir, 'master.key'), 'short')
    expect((await refused(['--data-dir', dataDir])).code).toBe(4)
  })
})
