import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config.ts'
import { startService, type TestService } from '../service.ts'
import type { TestServiceOptions } from '../service-options.ts'

const operations = { host: '127.0.0.1', port: 0, isRequired: true }

async function start(options: TestServiceOptions = {}) {
  const service = await startService({ ...options, config: { operations } })
  const port = service.log().find(({ event }) => event === 'operations.listening')?.port
  const url = `http://127.0.0.1:${port}`
  return { service, url, scrape: async () => parseMetrics(await (await fetch(`${url}/metrics`)).text()) }
}

/** Series to value, for instance `gatehouse_logins_total{outcome="ok"}`. */
function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]))
}

function clusterId(service: TestService, alias: string): string {
  return service.cluster(alias).uuid
}

describe('/metrics', () => {
  test('tells how each cluster is, and what came of each attempt', async () => {
    const { service, scrape } = await start({ clusters: ['lake', 'pond'] })
    await using _ = service
    const [lake, pond] = [clusterId(service, 'lake'), clusterId(service, 'pond')]
    const tokens = await service.issueTokens(3)
    await service.cluster('pond').stop()
    for (const token of tokens) await service.revoke(token)
    const found = await scrape()
    expect(found.get(`gatehouse_cluster_lag_changes{cluster="${pond}"}`)).toBe(3)
    expect(found.get(`gatehouse_cluster_lag_seconds{cluster="${pond}"}`)).toBeGreaterThan(0)
    expect(found.get(`gatehouse_cluster_state{cluster="${pond}",state="retrying"}`)).toBe(1)
    expect(found.get(`gatehouse_cluster_info{cluster="${pond}",alias="pond"}`)).toBe(1)
    expect(found.get(`gatehouse_cluster_lag_changes{cluster="${lake}"}`)).toBe(0)
    expect(found.get(`gatehouse_delivery_attempts_total{cluster="${lake}",outcome="accepted"}`)).toBeGreaterThan(0)
    expect(found.get(`gatehouse_delivery_attempts_total{cluster="${pond}",outcome="unreachable"}`)).toBeGreaterThan(0)
    expect(found.get('gatehouse_propagation_seconds_count')).toBeGreaterThan(0)
    expect(found.get('gatehouse_revocation_log_changes')).toBe(3)
    expect(found.get('gatehouse_worker_running{worker="delivery"}')).toBe(1)
    expect(found.get('process_cpu_seconds_total')).toBeGreaterThan(0)
  })

  test('a cluster that was away is in the time of propagation with all that it missed', async () => {
    const { service, scrape } = await start({ clusters: ['lake'] })
    await using _ = service
    const [token = ''] = await service.issueTokens(1)
    await service.cluster('lake').stop()
    await service.revoke(token)
    await new Promise((resolve) => setTimeout(resolve, 300))
    await service.cluster('lake').start()
    await service.settled()
    const found = await scrape()
    expect(found.get('gatehouse_propagation_seconds_count')).toBe(1)
    expect(found.get('gatehouse_propagation_seconds_sum')).toBeGreaterThan(0.3)
  })

  test('counts logins by outcome, tokens, and requests by a few classes of route', async () => {
    const { service, scrape } = await start()
    await using _ = service
    await service.adminToken()
    await service.request('POST', '/v1/users/admin', { body: { password: 'wrong' } })
    const { name, password } = service.administrator
    const brief = { body: { name, password, lifetimeSeconds: 1 }, headers: { 'content-type': 'application/json' } }
    await service.request('POST', '/api/v1/sessions', brief)
    for (const path of [
      '/v1/users/a',
      '/v1/users/b',
      '/v1/nothing',
      '/nothing/at/all',
      '/api/v1/clusters/x',
      '/api/v2',
    ]) {
      await service.request('GET', path)
    }
    const found = await scrape()
    expect(found.get('gatehouse_logins_total{outcome="ok"}')).toBe(1)
    expect(found.get('gatehouse_logins_total{outcome="refused"}')).toBe(1)
    expect(found.get('gatehouse_logins_total{outcome="invalid"}')).toBe(1)
    expect(found.get('gatehouse_tokens_issued_total')).toBe(1)
    const requests = [...found.keys()].filter((key) => key.startsWith('gatehouse_http_requests_total'))
    expect(requests.toSorted()).toEqual([
      'gatehouse_http_requests_total{method="GET",route="/api/v1/clusters",status="401"}',
      'gatehouse_http_requests_total{method="GET",route="/v1/users",status="401"}',
      'gatehouse_http_requests_total{method="GET",route="other",status="404"}',
      'gatehouse_http_requests_total{method="POST",route="/api/v1/sessions",status="422"}',
      'gatehouse_http_requests_total{method="POST",route="/v1/users",status="200"}',
      'gatehouse_http_requests_total{method="POST",route="/v1/users",status="401"}',
    ])
    expect(found.get('gatehouse_http_request_seconds_count{method="POST",route="/v1/users"}')).toBe(2)
  })

  test('a cluster that is gone leaves nothing behind', async () => {
    const { service, scrape } = await start({ clusters: ['lake'] })
    await using _ = service
    const [token = ''] = await service.issueTokens(1)
    await service.revoke(token)
    const id = clusterId(service, 'lake')
    const about = async () => [...(await scrape()).keys()].filter((key) => key.includes(id))
    expect((await about()).length).toBeGreaterThan(5)
    await service.request('DELETE', '/v1/clusters/lake', { token: await service.adminToken() })
    expect(await about()).toEqual([])
  })

  test('holds no secret', async () => {
    const { service, url } = await start({ clusters: ['lake'] })
    await using _ = service
    const [token = ''] = await service.issueTokens(1)
    await service.revoke(token)
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const secret of [token, await service.adminToken(), service.administrator.password, 'eyJ']) {
      expect(text).not.toContain(secret)
    }
  })
})

describe('the operations listener', () => {
  test('tells health, and nothing of the interface that is for the world', async () => {
    const { service, url } = await start()
    await using _ = service
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await fetch(`${url}/v1/clusters`)).status).toBe(404)
    expect((await service.request('GET', '/metrics')).status).toBe(404)
  })

  async function takePort() {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void holder.close())
    const address = holder.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  test('where nobody has asked for it, a port that is taken is said, and does not stop the service', async () => {
    const config: Partial<Config> = { operations: { ...operations, port: await takePort(), isRequired: false } }
    await using service = await startService({ config })
    expect((await service.request('GET', '/healthz')).status).toBe(200)
    await expect
      .poll(() => service.log().map(({ event }) => event), { timeout: 8000 })
      .toContain('operations.not_listening')
  }, 10_000)

  test('where somebody has, the service does not start', async () => {
    const config: Partial<Config> = { operations: { ...operations, port: await takePort() } }
    await expect(startService({ config })).rejects.toThrow('is taken by another program')
  }, 10_000)
})
