import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createOutbound, type Outbound } from '../../src/adapters/outbound.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Cluster } from '../../src/core/clusters/cluster.ts'
import type { Driver, Outcome } from '../../src/core/clusters/driver.ts'
import type { Change } from '../../src/core/revocation/change.ts'
import { deadUrl, type Loopback, serve, serveRaw } from './loopback.ts'

export interface DriverUnderTest {
  readonly driver: Driver
  /** What must be seen neither in an outcome nor in a URL. */
  readonly secrets: readonly string[]
  aCluster(urls: readonly string[]): Cluster
}

export interface DriverSetting {
  readonly outbound: Outbound
  readonly timeoutMs: number
}

export function someChanges(count: number): readonly Change[] {
  return Array.from({ length: count }, (_, index) => ({
    sequence: index + 1,
    kind: 'token_revoked' as const,
    token: `eyJhbGciOiJSUzI1NiJ9.${randomBytes(24).toString('base64url')}.${randomBytes(24).toString('base64url')}`,
    recordedAt: new Date('2000-01-01T00:00:00Z'),
    expiresAt: new Date('2100-01-01T00:00:00Z'),
  }))
}

/** What every driver promises, whatever its system speaks (core/clusters/driver.ts). */
export function driverConformance(name: string, open: (setting: DriverSetting) => DriverUnderTest): void {
  const signal = () => new AbortController().signal

  async function ask(
    urls: readonly string[],
    act: (under: DriverUnderTest, cluster: Cluster, changes: readonly Change[]) => Promise<Outcome>,
    timeoutMs = 2_000,
  ) {
    const outbound = createOutbound({ timeoutMs, isTlsVerified: true, clock: systemClock })
    const under = open({ outbound, timeoutMs })
    const changes = someChanges(3)
    try {
      const outcome = await act(under, under.aCluster(urls), changes)
      const shown = JSON.stringify(outcome)
      for (const secret of [...under.secrets, ...changes.map((change) => change.token)]) {
        expect(shown).not.toContain(secret)
      }
      return outcome
    } finally {
      await outbound.close()
    }
  }

  const acts = [
    ['handshake', ({ driver }: DriverUnderTest, cluster: Cluster) => driver.handshake(cluster, signal())],
    [
      'push',
      ({ driver }: DriverUnderTest, cluster: Cluster, changes: readonly Change[]) =>
        driver.push(cluster, changes, signal()),
    ],
  ] as const

  describe.each(acts)(`${name}: %s`, (_, act) => {
    test('a port where nothing listens is an outcome', async () => {
      const outcome = await ask([await deadUrl()], act)
      expect(outcome).toMatchObject({ kind: 'refused', reason: 'unreachable' })
    })

    test('a cluster that never answers costs no more than the time limit', async () => {
      await using hole = await serve(() => undefined)
      expect(await ask([hole.url], act, 60)).toMatchObject({ kind: 'refused', reason: 'timed_out' })
    })

    test('several URLs that never answer cost no more than one', async () => {
      await using hole = await serve(() => undefined)
      const startedAt = performance.now()
      await ask([hole.url, `${hole.url}/b`, `${hole.url}/c`], act, 300)
      expect(performance.now() - startedAt).toBeLessThan(800)
    })

    test('every answer that is not a clear yes is a no with words and advice', async () => {
      const answers: readonly (readonly [number, string])[] = [
        [200, '<html>welcome</html>'],
        [200, '{"half":'],
        [302, ''],
        [307, ''],
        [400, 'no'],
        [401, ''],
        [403, '{"message":"no"}'],
        [404, 'not found'],
        [429, ''],
        [500, 'oops'],
        [503, ''],
      ]
      for (const [status, body] of answers) {
        await using server = await serve((_request, response) => response.writeHead(status).end(body))
        const outcome = await ask([server.url], act)
        expect(outcome, `${status} ${body}`).toMatchObject({ kind: 'refused', status, url: server.url })
        if (outcome.kind === 'refused') {
          expect(outcome.said).not.toBe('')
          expect(outcome.advice).toMatch(/^[A-Z].*\.$/s)
        }
      }
    })

    test('a redirect is not followed', async () => {
      await using elsewhere = await serve((_request, response) => response.end())
      const headers = { Location: elsewhere.url }
      await using server = await serve((_request, response) => response.writeHead(307, headers).end())
      expect(await ask([server.url], act)).toMatchObject({ kind: 'refused', reason: 'not_a_cluster' })
      expect(elsewhere.requests).toEqual([])
    })

    test('an answer cut short and bytes that are not HTTP are a no', async () => {
      const bytes = ['HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{', 'SSH-2.0-OpenSSH\r\n']
      for (const sent of bytes) {
        await using server = await serveRaw((socket) => socket.end(sent))
        expect(await ask([server.url], act), sent).toMatchObject({ kind: 'refused' })
      }
    })

    test('Retry-After is handed on', async () => {
      const headers = { 'Retry-After': '9' }
      await using server = await serve((_request, response) => response.writeHead(503, headers).end())
      expect(await ask([server.url], act)).toMatchObject({ reason: 'failing', retryAfterMs: 9_000 })
    })

    test('a cluster that echoes what it was sent does not get it into the outcome', async () => {
      await using server = await serve(({ body, headers }, response) => {
        response.writeHead(403).end(JSON.stringify({ message: `no: ${headers.authorization} ${body}` }))
      })
      expect(await ask([server.url], act)).toMatchObject({ kind: 'refused' })
    })

    test('told twice, a cluster gets the same twice', async () => {
      await using server: Loopback = await serve((_request, response) => response.end())
      const outcome = await ask([server.url], async (under, cluster, changes) => {
        await act(under, cluster, changes)
        return act(under, cluster, changes)
      })
      expect(outcome).toEqual({ kind: 'accepted', url: server.url })
      expect(server.requests[1]?.body).toBe(server.requests[0]?.body)
    })

    test('when it is told to end, it ends', async () => {
      const stop = new AbortController()
      await using hole = await serve(() => stop.abort())
      const outcome = await ask([hole.url, hole.url], ({ driver }, cluster, changes) =>
        act === acts[0][1] ? driver.handshake(cluster, stop.signal) : driver.push(cluster, changes, stop.signal),
      )
      expect(outcome).toMatchObject({ kind: 'refused' })
      expect(hole.requests).toHaveLength(1)
    })
  })
}
