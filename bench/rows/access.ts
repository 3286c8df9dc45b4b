/** Explaining access, and configuration as code of 1,000 roles and 10,000 users in one request. */
import { randomBytes } from 'node:crypto'
import { call } from '../calls.ts'
import { presentCost, watchCpu } from '../children.ts'
import { nowMs } from '../clock.ts'
import { roleName, userName } from '../fill.ts'
import { median, percentile, runLoad, writeRequest } from '../load.ts'
import { watchStalls } from '../stalls.ts'
import type { Running, Workbench } from '../workbench.ts'

const connections = 64
const clusterId = 'bench-cluster-0'
const passwordsAtOnce = 100

export async function measureAccess(bench: Workbench): Promise<void> {
  if (bench.wants('explain')) await measureExplain(bench)
  if (bench.wants('access-apply')) await measureApply(bench)
}

async function measureExplain(bench: Workbench): Promise<void> {
  const { users, roles } = bench.size
  await using server = await bench.start(await bench.fullFolder())
  await registerCluster(server)
  const asked = (permission: string) => (number: number) =>
    writeRequest({
      method: 'GET',
      path: `/api/v1/explain?user=${userName(number % users)}&permission=${permission}&cluster=${clusterId}&bucket=photos`,
      bearer: server.bearer,
    })
  const rows = [
    {
      id: 'explain',
      what: `explain, one of ${users} users`,
      request: asked('GET'),
      limit: "the service's main thread",
    },
    {
      id: 'explain-denied',
      what: `explain, denied: which of ${roles} roles would help`,
      request: asked('ADMIN'),
      limit: "the service's main thread: each role is tried",
    },
  ]
  for (const { id, what, request, limit } of rows) {
    const load = (seconds: number) => runLoad({ port: server.port, connections, durationMs: seconds * 1000, request })
    await load(bench.size.warmUpSeconds)
    const stopWatch = watchCpu(server.pid)
    const { perSecond, latenciesMs } = await load(bench.size.seconds)
    const cost = presentCost(stopWatch().mainThread, perSecond)
    const aside = `${connections} at once, p99 ${percentile(latenciesMs, 0.99).toFixed(1)} ms`
    bench.report({ id, what, value: perSecond, unit: '/s', aside, limit: `${limit}; ${cost}` })
  }
}

/** Without URLs, so that nobody is asked. */
function registerCluster(server: Running) {
  const body = JSON.stringify({ id: clusterId })
  return call(server.port, { method: 'POST', path: '/v1/clusters', bearer: server.bearer, body })
}

/** As many of each as are asked for; each user holds three of the roles. */
function makeDocument(roles: number, users: number) {
  const names = Array.from({ length: users }, (_, number) => userName(number))
  return {
    apiVersion: 'gatehouse/v1',
    roles: Array.from({ length: roles }, (_, number) => ({
      name: roleName(number),
      description: 'made by the bench',
      grants: [
        { cluster: clusterId, permissions: ['LIST-BUCKETS', 'SHOW-CLUSTER'] },
        { cluster: clusterId, bucket: `ais://bucket-${number}`, permissions: ['ro'] },
      ],
    })),
    users: names.map((name, number) => ({
      name,
      roles: [0, 1, 2].map((offset) => roleName((number + offset) % roles)),
      password: { env: 'PASSWORD' },
    })),
  }
}

async function measureApply(bench: Workbench): Promise<void> {
  const isQuick = bench.size.users < 10_000
  const [roles, users] = isQuick ? [100, 200] : [1000, 10_000]
  await using server = await bench.start(await bench.emptyFolder())
  await registerCluster(server)
  const access = makeDocument(roles, users)
  const post = <T>(path: string, body: object) =>
    call(server.port, {
      method: 'POST',
      path: `/api/v1/access/${path}`,
      bearer: server.bearer,
      body: JSON.stringify(body),
    }).then(({ text, ms }) => ({ answer: JSON.parse(text) as T, ms }))
  const what = `${roles} roles, ${users} users`
  const stalls = await watchStalls(server.port)

  const hashing = await hashAll(
    access.users.map(({ name }) => name),
    post,
  )
  bench.report({
    id: 'access-apply-hashing',
    what: `apply ${what}: passwords, before it`,
    value: hashing.ms / 1000,
    unit: 's',
    aside: `${(users / (hashing.ms / 1000)).toFixed(0)} /s, in requests of ${passwordsAtOnce}`,
    limit: 'argon2id on all cores',
  })

  await stalls.start()
  const plan = await post<{ digest: string }>('plan', { access })
  const planStall = await stalls.longest()
  bench.report({
    id: 'access-apply-plan',
    what: `apply ${what}: the plan`,
    value: plan.ms,
    unit: 'ms',
    aside: `longest wait of another client: ${planStall.toFixed(0)} ms`,
    limit: "the service's main thread",
  })

  await stalls.start()
  const applied = await post('apply', { access, plan: plan.answer.digest, passwords: hashing.passwords })
  const applyStall = await stalls.longest()
  bench.report({
    id: 'access-apply',
    what: `apply ${what}, the first time`,
    value: applied.ms,
    unit: 'ms',
    aside: `longest wait of another client: ${applyStall.toFixed(0)} ms`,
    limit: "the service's main thread: one transaction, with an audit row for each",
  })

  const again: number[] = []
  await stalls.start()
  for (let repeat = 0; repeat < bench.size.repeats; repeat += 1) again.push((await post('apply', { access })).ms)
  const againStall = await stalls.longest()
  await stalls.stop()
  bench.report({
    id: 'access-apply-unchanged',
    what: `apply ${what}, unchanged`,
    value: median(again),
    unit: 'ms',
    aside: `longest wait of another client: ${againStall.toFixed(0)} ms`,
    limit: "the service's main thread: reading and comparing",
  })
}

type Post = <T>(path: string, body: object) => Promise<{ readonly answer: T }>

async function hashAll(names: readonly string[], post: Post) {
  const startedAt = nowMs()
  const passwords: Record<string, string> = {}
  for (let from = 0; from < names.length; from += passwordsAtOnce) {
    const slice = names.slice(from, from + passwordsAtOnce)
    const body = { passwords: Object.fromEntries(slice.map((name) => [name, randomBytes(9).toString('base64url')])) }
    const { answer } = await post<{ passwords: Record<string, string> }>('passwords', body)
    Object.assign(passwords, answer.passwords)
  }
  return { passwords, ms: nowMs() - startedAt }
}
