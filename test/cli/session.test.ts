import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { startService, type TestService } from '../service.ts'
import { clientOf, loggedIn, makeSecret } from './client.ts'
import { buildProgram } from './program.ts'

let service: TestService

beforeAll(async () => {
  await buildProgram()
  service = await startService({ clusters: ['lake'] })
  return () => service[Symbol.asyncDispose]()
})

describe('login', () => {
  test('keeps the token where only its owner can read it, and whoami says who one is', async () => {
    const client = await loggedIn(service)
    const file = join(client.home, '.config/gatehouse/credentials.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(client.home, '.config/gatehouse')).mode & 0o077).toBe(0)
    const { code, out, err } = await client(['whoami'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^Name +admin$/m)
    expect(out).toMatch(/^May +everything \(administrator\)$/m)
    // The server of the last login needs not be named again.
    expect((await client(['whoami', '--quiet'], { env: { GATEHOUSE_URL: '' } })).out).toBe('admin\n')
  })

  test('prints the token where that is asked for, and keeps nothing', async () => {
    const client = clientOf(service)
    const { name, password } = service.administrator
    const { code, out } = await client(['login', name, '--password-stdin', '--print-token'], { input: password })
    expect(code).toBe(0)
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect((await client(['whoami'], { env: { AIS_AUTHN_TOKEN: out } })).code).toBe(0)
    expect((await client(['whoami'])).code).toBe(7)
  })

  test('whoami says as what one acts at Gatehouse', async () => {
    const client = clientOf(service)
    const { uuid } = service.cluster('lake')
    const password = makeSecret()
    await service.makeUser('cora', password, ['gatehouse:auditor', `gatehouse:cluster-administrator:${uuid}`])
    await service.makeUser('dan', password)
    for (const name of ['cora', 'dan']) {
      writeFileSync(join(client.home, name), `${password}\n`)
      expect((await client(['login', name, '--password-file', name])).code).toBe(0)
      const { out } = await client(['whoami'])
      const acts = name === 'dan' ? 'no built-in role' : `auditor, cluster administrator of ${uuid}`
      expect(out).toMatch(new RegExp(`^Acts as +${acts}$`, 'm'))
      expect(out).toMatch(name === 'dan' ? /^May +nothing at Gatehouse itself$/m : /^May +.*roles:grant/m)
    }
  })

  test('takes the password from a file, and from the command line with a warning', async () => {
    const client = clientOf(service)
    const { name, password } = service.administrator
    writeFileSync(join(client.home, 'password'), `${password}\n`)
    expect((await client(['login', name, '--password-file', 'password'])).code).toBe(0)
    const unsafe = await client(['login', name, '--password', password, '--lifetime', '1h', '--json'])
    expect(unsafe).toMatchObject({ code: 0, err: expect.stringContaining('can be seen by others') })
    expect(JSON.parse(unsafe.out)).toEqual({ url: service.url, subject: name, expiresAt: expect.any(String) })
  })

  test.each([
    ['a wrong password', ['login', 'admin', '--password-stdin'], makeSecret(), 7, 'password is wrong'],
    ['no password and no terminal', ['login', 'admin'], '', 2, '--password-stdin'],
    ['no name and no terminal', ['login', '--password-stdin'], 'x', 2, 'say who logs in'],
    ['a file that is not there', ['login', 'admin', '--password-file', 'nothing'], '', 1, "can't read the password"],
    ['a strange lifetime', ['login', 'admin', '--password-stdin', '--lifetime', 'long'], 'x', 2, '--lifetime'],
  ])('%s is refused in one line', async (_title, args, input, exitCode, said) => {
    const { code, out, err } = await clientOf(service)(args, { input })
    expect({ code, out }).toEqual({ code: exitCode, out: '' })
    expect(err).toMatch(/^gatehouse: [^\n]+\n$/)
    expect(err).toContain(said)
  })

  test('a token is not sent to another server than the one it is from', async () => {
    await using other = await startService()
    const client = await loggedIn(service)
    const { code, err } = await client(['whoami', '--url', other.url])
    expect(code).toBe(7)
    expect(err).toContain(`you are not logged in at ${other.url}: gatehouse login --url ${other.url}`)
  })
})

test('logout revokes the token on every cluster, and forgets it', async () => {
  const client = await loggedIn(service)
  const file = join(client.home, '.config/gatehouse/credentials.json')
  const token: string = JSON.parse(readFileSync(file, 'utf8')).tokens[service.url]
  expect(await client(['logout'])).toMatchObject({ code: 0, out: expect.stringContaining('the token is revoked') })
  expect(service.cluster('lake').knows(token)).toBe(true)
  expect(readFileSync(file, 'utf8')).not.toContain(token)
  expect((await client(['whoami'])).code).toBe(7)
})

describe('the token of the ais command is understood', () => {
  test('from AIS_AUTHN_TOKEN, and the URL from AIS_AUTHN_URL', async () => {
    const token = await service.adminToken()
    const env = { GATEHOUSE_URL: '', AIS_AUTHN_URL: service.url, AIS_AUTHN_TOKEN: token }
    const { out } = await clientOf(service)(['whoami'], { env })
    expect(out).toMatch(/from AIS_AUTHN_TOKEN$/m)
  })

  test('from the file that ais writes, and from the one that AIS_AUTHN_TOKEN_FILE names', async () => {
    const client = clientOf(service)
    mkdirSync(join(client.home, '.config/ais/cli'), { recursive: true })
    writeFileSync(
      join(client.home, '.config/ais/cli/auth.token'),
      JSON.stringify({ token: await service.adminToken() }),
    )
    expect((await client(['whoami'])).out).toMatch(/from .*auth\.token$/m)
    const env = { AIS_AUTHN_TOKEN_FILE: join(client.home, 'nothing') }
    expect(await client(['whoami'], { env })).toMatchObject({
      code: 1,
      err: expect.stringContaining('AIS_AUTHN_TOKEN_FILE'),
    })
  })

  test('one that is no good is said to be so, with where it is from', async () => {
    const { code, err } = await clientOf(service)(['whoami'], { env: { AIS_AUTHN_TOKEN: makeSecret() } })
    expect(code).toBe(7)
    expect(err).toContain('(The token is from AIS_AUTHN_TOKEN.)')
  })
})

describe('a server that is not there', () => {
  test.each([
    ['nothing listens', 'http://127.0.0.1:1', 8, 'nothing listens there'],
    ['the name is unknown', 'http://gatehouse.invalid', 8, 'host name'],
    ['no URL', 'gatehouse', 2, '--url must be an http:// or https:// URL'],
    ['a password in it', 'http://me:secret@127.0.0.1', 2, 'no user name or password'],
  ])('%s', async (_title, url, exitCode, said) => {
    const { code, err } = await clientOf(service)(['cluster', 'list', '--url', url])
    expect(code).toBe(exitCode)
    expect(err).toMatch(/^gatehouse: [^\n]+\n$/)
    expect(err).toContain(said)
  })
})

describe('a server that is not Gatehouse', () => {
  test.each([
    ['no JSON', 200, '<html>'],
    ['nothing', 200, ''],
    ['other JSON', 200, '{}'],
    ['a list', 200, '[{"name":"x"}]'],
    ['another object', 200, '{"users":[]}'],
    ['a way elsewhere', 302, ''],
    ['a refusal of its own', 404, '{"error":"no"}'],
  ])('answers %s: that is said in one line', async (_title, status, answer) => {
    await using stranger = await startStranger(status, answer)
    const { code, out, err } = await clientOf(stranger)(['user', 'list'], { env: { AIS_AUTHN_TOKEN: makeSecret() } })
    expect({ code, out }).toEqual({ code: 8, out: '' })
    expect(err).toMatch(/^gatehouse: what answers at [^\n]+ is not Gatehouse \([^\n]+\): check --url\n$/)
  })

  test('can not command the terminal', async () => {
    const detail = 'no \u001b]0;owned\u0007\u009b2J\rgatehouse: all is well'
    await using stranger = await startStranger(409, JSON.stringify({ code: 'x', detail, requestId: 'r' }))
    const { err } = await clientOf(stranger)(['user', 'list'])
    expect(err).toBe('gatehouse: no \ufffd]0;owned\ufffd\ufffd2J\ufffdgatehouse: all is well\n')
  })
})

test('a command that is interrupted says so in one line, and that what it asked for may be done', async () => {
  let asked = () => {}
  const arrived = new Promise<void>((resolve) => {
    asked = resolve
  })
  await using silent = await startListener(() => asked())
  const command = clientOf(silent).start(['key', 'rotate'], { env: { AIS_AUTHN_TOKEN: makeSecret() } })
  await arrived
  command.interrupt()
  const { code, err } = await command.ended
  expect({ code, err }).toEqual({
    code: 1,
    err: 'gatehouse: interrupted: the server may have done it all the same: look before you try again\n',
  })
})

function startStranger(status: number, answer: string) {
  return startListener((_request, response) => {
    response.writeHead(status, { location: 'http://elsewhere.invalid/' }).end(answer)
  })
}

async function startListener(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  }
}

test('a user without permission is told which one is missing', async () => {
  await service.makeUser('plain', 'a password')
  const client = clientOf(service)
  await client(['login', 'plain', '--password-stdin'], { input: 'a password' })
  const { code, err } = await client(['cluster', 'list'])
  expect(code).toBe(7)
  expect(err).toBe('gatehouse: plain may not do this: it needs the permission clusters:read.\n')
})

test('every command shows an example and the exit codes', async () => {
  const client = clientOf(service)
  const groups = { cluster: 6, revoke: 7, revocation: 2, token: 2, lock: 3, user: 10, role: 7, setting: 2, key: 3 }
  const commands = [['login'], ['logout'], ['whoami'], ['unlock']]
  for (const [group, count] of Object.entries(groups)) {
    const { out } = await client([group, '--help'])
    const names = [...out.matchAll(/^ {2}([a-z]+) (?:\[options\]|[<[])/gm)].map((match) => match[1] ?? '')
    expect(names.filter((name) => name !== 'help')).toHaveLength(count)
    commands.push(...names.filter((name) => name !== 'help').map((name) => [group, name]))
  }
  for (const command of commands) {
    const { out } = await client([...command, '--help'])
    expect(out).toContain(`Example:\n  gatehouse ${command.join(' ')}`)
    expect(out).toContain('9  not everywhere yet')
  }
})
