import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { LogEntry, Logger } from '../../src/core/logger.ts'
import { CertificateError } from '../../src/http/certificate.ts'
import { ListenError, type ListenOptions, listen } from '../../src/http/listen.ts'

function recordingLog() {
  const entries: LogEntry[] = []
  const record = (entry: LogEntry) => void entries.push(entry)
  const log: Logger = { debug: record, info: record, warn: record, error: record }
  return { log, entries, events: () => entries.map(({ event }) => event) }
}

/** A clock that stands still until it is told to go on. */
function handSetClock() {
  let ms = 0
  const waiting = new Set<{ readonly at: number; readonly go: () => void }>()
  const clock: Clock = {
    now: () => new Date(ms),
    wait: (forMs, signal) =>
      new Promise((resolve) => {
        const entry = { at: ms + forMs, go: resolve }
        if (signal?.aborted) return resolve()
        waiting.add(entry)
        signal?.addEventListener('abort', () => {
          waiting.delete(entry)
          resolve()
        })
      }),
  }
  return {
    clock,
    waits: () => waiting.size,
    advance(byMs: number) {
      ms += byMs
      for (const entry of waiting) {
        if (entry.at > ms) continue
        waiting.delete(entry)
        entry.go()
      }
    },
  }
}

async function start(options: Partial<ListenOptions> = {}) {
  const listener = await listen({
    fetch: () => new Response('hello'),
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    headersTimeoutMs: 16_000,
    log: recordingLog().log,
    clock: systemClock,
    ...options,
  })
  onTestFinished(() => listener.close({ drainMs: 0 }))
  return listener
}

function get(port: number, options: RequestOptions = {}): Promise<IncomingMessage & { text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/', ...options }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => resolve(Object.assign(answer, { text })))
    })
    call.on('error', reject)
    call.end()
  })
}

/** Sends these bytes and answers what came back once the connection has ended. */
function talk(port: number, bytes: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connectPlain(port, host, () => socket.write(bytes))
    socket.on('data', (part) => {
      text += part
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    onTestFinished(() => void socket.destroy())
  })
}

function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setTimeout(look, 5))
    look()
  })
}

describe('the port', () => {
  test('answers on any free port and says which', async () => {
    const { port } = await start()
    expect(port).toBeGreaterThan(0)
    expect(await get(port)).toMatchObject({ statusCode: 200, text: 'hello' })
  })

  test('that is taken is tried for five seconds, saying so once, and then given up in one line', async () => {
    const { port } = await start()
    const { clock, advance, waits } = handSetClock()
    const { log, events } = recordingLog()
    const trying = start({ port, clock, log }).catch((error: unknown) => error)
    for (let passed = 0; passed < 5000; passed += 250) {
      await until(() => waits() === 1)
      advance(250)
    }
    const error = await trying
    expect(error).toBeInstanceOf(ListenError)
    expect((error as Error).message).toMatch(new RegExp(`^port ${port} of 127.0.0.1 is taken by another program.*$`))
    expect(events()).toEqual(['http.port_taken'])
  })

  test('that comes free in the meantime is taken', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { clock, advance, waits } = handSetClock()
    const trying = start({ port, clock })
    await until(() => waits() === 1)
    await new Promise((resolve) => holder.close(resolve))
    advance(250)
    expect((await trying).port).toBe(port)
  })

  test('of an IPv6 address answers a request that names no host', async () => {
    const { port } = await start({ host: '::1' })
    expect(await talk(port, 'GET / HTTP/1.0\r\n\r\n', '::1')).toMatch(/^HTTP\/1.1 200 OK\r\n.*hello$/s)
  })

  test('of a host that is not ours is refused at once', async () => {
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow('not an address of this machine')
  })
})

describe('what clients may send', () => {
  test('a request that is none gets a plain 400 and the end of the connection', async () => {
    const { port } = await start()
    const answer = await talk(port, 'this is not HTTP\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    expect(answer).toContain('Connection: close')
    expect(answer).toMatch(/\r\n\r\n400 Bad Request\n$/)
  })

  test('headers of 60 KB are taken, of 70 KB refused', async () => {
    const { port } = await start()
    const big = { authorization: `Bearer ${'x'.repeat(60_000)}` }
    expect(await get(port, { headers: big })).toMatchObject({ statusCode: 200 })
    const answer = await talk(port, `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
  })

  test('a client that never finishes its headers is cut', async () => {
    const { port } = await start({ headersTimeoutMs: 50 })
    expect(await talk(port, 'GET / HTTP/1.1\r\nHost: h\r\n')).toMatch(/^HTTP\/1.1 408 /)
  })
})

describe('the end', () => {
  /** Until no new connection is taken. */
  async function refuses(port: number) {
    while (
      await opened(port).then(
        (socket) => socket.destroy(),
        () => undefined,
      )
    );
  }

  /** Answers only when it is told to. */
  function slowServer() {
    let finish = () => {}
    let hasArrived = () => {}
    const arrived = new Promise<void>((resolve) => {
      hasArrived = resolve
    })
    const fetch = () =>
      new Promise<Response>((resolve) => {
        finish = () => resolve(new Response('late'))
        hasArrived()
      })
    return { fetch, arrived, finish: () => finish() }
  }

  test('a request in flight is answered, and told that the connection ends', async () => {
    const { fetch, arrived, finish } = slowServer()
    const listener = await start({ fetch })
    const agent = new Agent({ keepAlive: true })
    const answer = get(listener.port, { agent })
    await arrived
    const closed = listener.close({ drainMs: 60_000 })
    await refuses(listener.port)
    finish()
    expect(await answer).toMatchObject({ statusCode: 200, text: 'late', headers: { connection: 'close' } })
    await closed
    agent.destroy()
  })

  test('idle connections, used before or never, do not hold it up', async () => {
    const listener = await start()
    const agent = new Agent({ keepAlive: true })
    await get(listener.port, { agent })
    await opened(listener.port)
    await listener.close({ drainMs: 60_000 })
    agent.destroy()
  })

  test('a connection that was just opened still gets an answer to its first request', async () => {
    const listener = await start()
    const socket = await opened(listener.port)
    const closed = listener.close({ drainMs: 60_000 })
    await refuses(listener.port)
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    const ended = new Promise((resolve) => socket.on('close', resolve))
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await Promise.all([closed, ended])
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n.*hello$/s)
  })

  test('a request that has arrived and is not read yet is answered, also on a connection used before', async () => {
    const listener = await start()
    const socket = await opened(listener.port)
    let text = ''
    socket.on('data', (part) => {
      text += part
    })
    const ended = new Promise((resolve) => socket.on('close', resolve))
    const ask = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
    await new Promise<void>((resolve) => {
      socket.once('data', () => resolve())
      socket.write(ask)
    })
    text = ''
    await new Promise<void>((resolve) => socket.write(ask, () => resolve()))
    await listener.close({ drainMs: 60_000 })
    await ended
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n.*Connection: close\r\n.*hello$/s)
  })

  test('connections that wait to be taken when the end begins are answered', async () => {
    const listener = await start()
    const sockets = Array.from({ length: 20 }, () => connectPlain(listener.port, '127.0.0.1'))
    const answers = sockets.map((socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      return new Promise<string>((resolve) => {
        let text = ''
        socket.on('data', (part) => {
          text += part
        })
        socket.on('error', (error) => resolve(error.message))
        socket.on('end', () => resolve(text.slice(0, 15)))
      })
    })
    await new Promise((resolve) => sockets[0]?.once('connect', resolve))
    await listener.close({ drainMs: 60_000 })
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 200 OK']))
  })

  test('a request that takes too long is cut', async () => {
    const { fetch, arrived } = slowServer()
    const { log, entries } = recordingLog()
    const { clock, advance, waits } = handSetClock()
    const listener = await start({ fetch, clock, log })
    const answer = get(listener.port).catch((error: NodeJS.ErrnoException) => error.code)
    await arrived
    const closed = listener.close({ drainMs: 5000 })
    await until(() => waits() === 1)
    advance(5000)
    await closed
    expect(await answer).toBe('ECONNRESET')
    expect(entries).toMatchObject([{ event: 'http.requests_cut', requests: 1 }])
  })
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasOpenssl())('HTTPS (needs openssl to make certificates)', () => {
  /** A fresh self-signed pair whose subject is `name`. */
  function makePair(name: string) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'))
    const pair = { certificateFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', pair.keyFile]
    const cert = ['-x509', '-days', '2', '-subj', `/CN=${name}`, '-out', pair.certificateFile]
    execFileSync('openssl', ['req', ...key, ...cert], { stdio: 'ignore' })
    return { folder, ...pair }
  }

  /** The name in the certificate that a new connection is shown. */
  function shownName(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        const name = socket.getPeerCertificate().subject.CN
        socket.destroy()
        resolve(String(name))
      })
      socket.on('error', reject)
    })
  }

  test('a changed pair is shown to new connections', async () => {
    const [first, second] = [makePair('first'), makePair('second')]
    const { clock, advance, waits } = handSetClock()
    const { log, events } = recordingLog()
    const { port } = await start({ tls: first, clock, log })
    expect(await shownName(port)).toBe('first')
    await until(() => waits() === 1)
    copyFileSync(second.keyFile, first.keyFile)
    copyFileSync(second.certificateFile, first.certificateFile)
    advance(10_000)
    await until(() => events().includes('certificate.reloaded'))
    expect(await shownName(port)).toBe('second')
  })

  test('a pair that changes while the port is taken is shown once it is open', async () => {
    const [first, second] = [makePair('first'), makePair('second')]
    const { clock, advance, waits } = handSetClock()
    const { log, events } = recordingLog()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    const trying = start({ port, tls: first, clock, log })
    await until(() => waits() === 1)
    copyFileSync(second.keyFile, first.keyFile)
    copyFileSync(second.certificateFile, first.certificateFile)
    await new Promise((resolve) => holder.close(resolve))
    advance(250)
    await trying
    await until(() => waits() === 1)
    advance(10_000)
    await until(() => events().includes('certificate.reloaded'))
    expect(await shownName(port)).toBe('second')
  })

  test('a pair behind a link that is swapped, as Kubernetes does, is shown to new connections', async () => {
    const [first, second] = [makePair('first'), makePair('second')]
    const mount = mkdtempSync(join(tmpdir(), 'gatehouse-mount-'))
    symlinkSync(first.folder, join(mount, '..data'))
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(mount, file))
    const tls = { certificateFile: join(mount, 'tls.crt'), keyFile: join(mount, 'tls.key') }
    const { clock, advance, waits } = handSetClock()
    const { log, events } = recordingLog()
    const { port } = await start({ tls, clock, log })
    await until(() => waits() === 1)
    symlinkSync(second.folder, join(mount, '..next'))
    renameSync(join(mount, '..next'), join(mount, '..data'))
    advance(10_000)
    await until(() => events().includes('certificate.reloaded'))
    expect(await shownName(port)).toBe('second')
  })

  test('a broken pair is logged and the old one stays, until it is mended', async () => {
    const [first, second] = [makePair('first'), makePair('second')]
    const { clock, advance, waits } = handSetClock()
    const { log, events, entries } = recordingLog()
    const { port } = await start({ tls: first, clock, log })
    await until(() => waits() === 1)
    copyFileSync(second.certificateFile, first.certificateFile)
    advance(10_000)
    await until(() => events().includes('certificate.refused'))
    expect(entries.at(-1)).toMatchObject({ error: { message: expect.stringContaining("don't belong together") } })
    expect(await shownName(port)).toBe('first')
    await until(() => waits() === 1)
    copyFileSync(second.keyFile, first.keyFile)
    advance(10_000)
    await until(() => events().includes('certificate.reloaded'))
    expect(await shownName(port)).toBe('second')
  })

  test('a pair that can not be used at the start is refused in one line', async () => {
    const pair = makePair('name')
    const other = makePair('other')
    await expect(start({ tls: { ...pair, keyFile: other.keyFile } })).rejects.toThrow(CertificateError)
    await expect(start({ tls: { ...pair, keyFile: '/nowhere/tls.key' } })).rejects.toThrow('/nowhere/tls.key: there is')
    writeFileSync(pair.certificateFile, randomBytes(64))
    await expect(start({ tls: pair })).rejects.toThrow(/can't be used/)
    mkdirSync(join(pair.folder, 'folder'))
    await expect(start({ tls: { ...pair, keyFile: join(pair.folder, 'folder') } })).rejects.toThrow(CertificateError)
  })

  test('connections without a request or a handshake, and plain HTTP ones, do not hold up the end', async () => {
    const listener = await start({ tls: makePair('name') })
    await opened(listener.port)
    await new Promise<void>((resolve, reject) => {
      const socket = connectTls({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false }, resolve)
      socket.on('error', reject)
      onTestFinished(() => void socket.destroy())
    })
    expect(await talk(listener.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toBe('')
    await listener.close({ drainMs: 60_000 })
  })
})
