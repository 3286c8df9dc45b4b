import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createOutbound } from '../../src/adapters/outbound.ts'
import type { Authorities } from '../../src/adapters/outbound-trust.ts'
import { systemClock } from '../../src/core/clock.ts'

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!hasOpenssl())('servers with a private authority (needs openssl to make certificates)', () => {
  /** A server that certifies itself, and the file of its certificate. */
  async function startServer() {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-ca-'))
    const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    const pair = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert]
    const name = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', ['req', '-x509', ...pair, ...name], { stdio: 'ignore' })
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_, response) =>
      response.end('hi'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    return { cert, folder, url: `https://localhost:${port}`, numeric: `https://127.0.0.1:${port}` }
  }

  async function get(url: string, authorities?: Authorities) {
    const trust = authorities === undefined ? {} : { authorities }
    const outbound = createOutbound({ timeoutMs: 2_000, isTlsVerified: true, clock: systemClock, ...trust })
    onTestFinished(() => outbound.close())
    return outbound.request({ method: 'GET', url })
  }

  test('are refused by themselves', async () => {
    const { url, folder } = await startServer()
    const other = await startServer()
    const junk = join(folder, 'junk')
    writeFileSync(junk, 'no certificate')
    const refused = { kind: 'failed', failure: 'tls' }
    expect(await get(url)).toMatchObject(refused)
    for (const machineFile of [undefined, other.cert, junk, join(folder, 'missing')]) {
      expect(await get(url, { machineFile, extraFile: undefined })).toMatchObject(refused)
    }
  })

  test('are trusted where the authority is the machine\u2019s or is added', async () => {
    const [one, other] = [await startServer(), await startServer()]
    const authorities = { machineFile: one.cert, extraFile: other.cert }
    expect(await get(one.url, authorities)).toMatchObject({ kind: 'answered', text: 'hi' })
    expect(await get(other.url, authorities)).toMatchObject({ kind: 'answered', text: 'hi' })
  })

  test('are still asked for the name under which they are registered', async () => {
    const { cert, numeric } = await startServer()
    const answer = await get(numeric, { machineFile: cert, extraFile: undefined })
    expect(answer).toMatchObject({ failure: 'tls', said: "the server's certificate is for another host name" })
  })
})
