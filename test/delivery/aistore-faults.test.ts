import { expect, test } from 'vitest'
import { createHandClock } from '../clock.ts'
import { startService, type TestService } from '../service.ts'
import type { Fault } from '../stand-ins/aistore.ts'

const tokensOnly = { path: '/v1/tokens', method: 'DELETE' }

const faults: readonly (readonly [string, Fault, string])[] = [
  ['401', { kind: 'answer', status: 401 }, 'not_authorized'],
  ['403', { kind: 'answer', status: 403, body: '{"message":"requires ADMIN"}' }, 'not_authorized'],
  ['404', { kind: 'answer', status: 404 }, 'not_a_cluster'],
  ['500', { kind: 'answer', status: 500, body: 'oops' }, 'failing'],
  ['503 with Retry-After', { kind: 'answer', status: 503, headers: { 'Retry-After': '3' } }, 'failing'],
  ['200 with rubbish', { kind: 'answer', status: 200, body: '<html>welcome</html>' }, 'not_a_cluster'],
  ['a redirect', { kind: 'redirect', location: 'http://127.0.0.1:1/' }, 'not_a_cluster'],
  ['no answer', { kind: 'black_hole' }, 'timed_out'],
  ['a reset', { kind: 'reset' }, 'unreachable'],
  ['half an answer', { kind: 'half_answer' }, 'failing'],
  ['no HTTP', { kind: 'not_http' }, 'not_a_cluster'],
]

function refusals(service: TestService) {
  return service.log().filter(({ event, outcome }) => event === 'delivery.attempted' && outcome === 'refused')
}

test.each(faults)('a cluster that answers a push with %s is told again until it knows', async (_, fault, reason) => {
  await using service = await startService({ clock: createHandClock(), clusters: ['lake', 'pond'] })
  const [lake, pond] = [service.cluster('lake'), service.cluster('pond')]
  const [first = '', second = ''] = await service.issueTokens(2)
  lake.fault(fault, tokensOnly)
  expect((await service.revoke(first)).status).toBe(200)
  expect(pond.knows(first)).toBe(true)
  expect((await service.revoke(second)).status).toBe(200)
  expect(pond.knows(second)).toBe(true)
  expect(lake.knows(first)).toBe(false)

  lake.fault(undefined)
  await service.settled()
  expect(lake.knows(second)).toBe(true)
  expect(refusals(service)[0]).toMatchObject({ cluster: lake.uuid, reason })
  const shown = JSON.stringify(service.log())
  for (const token of [first, second]) expect(shown).not.toContain(token)
})

test('an answer that comes late is not counted as one: the batch is sent again', async () => {
  await using service = await startService({ clock: createHandClock(), clusters: ['lake'] })
  const lake = service.cluster('lake')
  const [token = ''] = await service.issueTokens(1)
  lake.fault({ kind: 'held' }, tokensOnly)
  expect((await service.revoke(token)).status).toBe(200)
  await (service.clock as ReturnType<typeof createHandClock>).advance(6_000)
  lake.fault(undefined)
  await service.settled()
  expect(lake.knows(token)).toBe(true)
  expect(refusals(service)[0]).toMatchObject({ reason: 'timed_out' })
})
