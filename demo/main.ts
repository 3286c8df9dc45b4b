/**
 * Gatehouse's main job, shown on the real program and two stand-in AIStore clusters: `npm run demo`.
 *
 * Everything that is printed has happened; what is not as it should be ends the program with status 1.
 */
import { randomBytes } from 'node:crypto'
import { type AistoreCluster, startAistoreCluster } from '../test/stand-ins/aistore.ts'
import { callOk, createBucket, getObject, logIn, messageOf, putObject } from './calls.ts'
import { type Gatehouse, type LogLine, startGatehouse } from './gatehouse.ts'
import { chapter, expect, say, until } from './narrator.ts'

/** Permission bits of AIStore: get, head, put, append, delete, move, list: what its CLI calls `rw`. */
const readAndWrite = '831'
const bucket = 'photos'
const otherBucket = 'payroll'
const ana = { name: 'ana', password: randomBytes(12).toString('base64url') } as const

interface Cluster {
  readonly name: string
  readonly server: AistoreCluster
}

interface Scene {
  readonly gatehouse: Gatehouse
  readonly oslo: Cluster
  readonly lima: Cluster
}

async function show({ gatehouse, oslo, lima }: Scene) {
  const clusters = [oslo, lima]
  await registerClusters(gatehouse, clusters)
  await makeBuckets(gatehouse, clusters)
  await makeUser(gatehouse, clusters)
  const token = await useClusters(gatehouse, clusters)
  await revokeWhileDown({ gatehouse, oslo, lima }, token)
  await comeBack(gatehouse, lima, token)
  showAttempts(gatehouse, clusters, token)
  await end(gatehouse)
}

async function registerClusters({ url, administrator }: Gatehouse, clusters: readonly Cluster[]) {
  chapter(
    'Two clusters are registered',
    'Each is asked whether it trusts the key that Gatehouse signs with. To find out, it fetches that key from Gatehouse',
    'in the middle of the call. A cluster that would not trust it is not registered.',
  )
  const token = await logIn(url, administrator.name, administrator.password)
  for (const { name, server } of clusters) {
    const body = { id: server.uuid, alias: name, urls: [server.url] }
    await callOk('POST', `${url}/v1/clusters`, { token, body })
    const [handshake] = server.handshakes()
    expect(handshake?.status === 200, `${name} took no handshake`)
    say(`${name} (${server.uuid}, AIStore ${server.version}) took the handshake and is registered.`)
  }
}

async function makeBuckets({ url, administrator }: Gatehouse, clusters: readonly Cluster[]) {
  // A token names the clusters that it is good for, so the administrator logs in again now that there are two.
  const token = await logIn(url, administrator.name, administrator.password)
  for (const { server } of clusters) {
    for (const each of [bucket, otherBucket]) await createBucket(server.url, each, token)
  }
  say(`The administrator made the buckets "${bucket}" and "${otherBucket}" on both.`)
}

async function makeUser({ url, administrator }: Gatehouse, clusters: readonly Cluster[]) {
  chapter('A role and a user', 'The role opens one bucket on each cluster and nothing else. The user gets that role.')
  const token = await logIn(url, administrator.name, administrator.password)
  const buckets = clusters.map(({ server }) => ({
    bck: { name: bucket, provider: 'ais', namespace: { uuid: server.uuid, name: '' } },
    perm: readAndWrite,
  }))
  await callOk('POST', `${url}/v1/roles`, { token, body: { name: 'photographer', desc: 'may use photos', buckets } })
  say(`Role "photographer": read and write in "${bucket}".`)
  const body = { id: ana.name, pass: ana.password, roles: [{ name: 'photographer' }] }
  await callOk('POST', `${url}/v1/users`, { token, body })
  say('User "ana" with that role.')
}

async function useClusters({ url }: Gatehouse, clusters: readonly Cluster[]): Promise<string> {
  chapter('Ana logs in once', 'She sends the token that she gets to the clusters themselves. They check it without us.')
  const token = await logIn(url, ana.name, ana.password)
  say('ana is logged in.')
  for (const { name, server } of clusters) {
    const allowed = await putObject(server.url, bucket, token)
    expect(allowed.status === 200, `${name} answered ${allowed.status}: ${messageOf(allowed)}`)
    const refused = await putObject(server.url, otherBucket, token)
    expect(refused.status === 403, `${name}: ${otherBucket} answered ${refused.status} instead of 403`)
    say(`${name}: writes to "${bucket}": ${allowed.status}; writes to "${otherBucket}": ${refused.status}.`)
  }
  return token
}

async function revokeWhileDown({ gatehouse, oslo, lima }: Scene, token: string) {
  chapter(
    "Ana's token is revoked while one cluster is down",
    'The revocation is on disk before the answer. The cluster that is up must know of it by then; the one that is down',
    'must not hold the answer up.',
  )
  await lima.server.stop()
  say('lima is down.')
  const from = performance.now()
  await callOk('DELETE', `${gatehouse.url}/v1/tokens`, { body: { token } })
  const answerMs = performance.now() - from
  const answer = await getObject(oslo.server.url, bucket, token)
  expect(answerMs < 1000, `the answer took ${Math.round(answerMs)} ms`)
  expect(answer.status === 401, `oslo still answers ${answer.status}`)
  say(`The token is revoked; the answer took ${Math.round(answerMs)} ms.`)
  say(`oslo: the very next call with it: ${answer.status}, "${messageOf(answer)}".`)
  await until('Gatehouse tries lima in vain, again and again', 10_000, () => attemptsOn(gatehouse, lima).length >= 3)
  say('lima: Gatehouse has tried three times, got no answer, and goes on trying.')
}

async function comeBack(gatehouse: Gatehouse, lima: Cluster, token: string) {
  chapter(
    'The other cluster comes back',
    'It has just started and knows nothing of the revocation, so the token works there until Gatehouse reaches it.',
  )
  await lima.server.start()
  const early = await getObject(lima.server.url, bucket, token)
  say(`lima is up again; a call with the token: ${early.status}.`)
  const tookMs = await until('lima refuses the token', 20_000, async () => {
    return (await getObject(lima.server.url, bucket, token)).status === 401
  })
  const answer = await getObject(lima.server.url, bucket, token)
  expect(answer.status === 401 && messageOf(answer).includes('revoked'), `lima says: ${messageOf(answer)}`)
  say(`lima has caught up ${(tookMs / 1000).toFixed(1)} s later: ${answer.status}, "${messageOf(answer)}".`)
  await until('Gatehouse logs that lima has it', 5_000, () => attemptsOn(gatehouse, lima).some(isAccepted))
}

function attemptsOn(gatehouse: Gatehouse, { server }: Cluster): readonly LogLine[] {
  return gatehouse.log().filter((line) => line.event === 'delivery.attempted' && line.cluster === server.uuid)
}

function isAccepted({ outcome }: LogLine): boolean {
  return outcome === 'accepted'
}

function showAttempts(gatehouse: Gatehouse, clusters: readonly Cluster[], token: string) {
  chapter('What Gatehouse logged of it', 'One line for each attempt to tell a cluster. No token is ever in the log.')
  expect(!JSON.stringify(gatehouse.log()).includes(token), 'the token is in the log')
  const attempts = clusters.flatMap((cluster) => attemptsOn(gatehouse, cluster).map((line) => ({ cluster, line })))
  for (const { cluster, line } of attempts.sort((a, b) => String(a.line.time).localeCompare(String(b.line.time)))) {
    process.stdout.write(`  ${String(line.time).slice(11, 23)}  ${cluster.name}  ${presentAttempt(line)}\n`)
  }
}

function presentAttempt(line: LogLine): string {
  const what = line.changes === 1 ? '1 revocation' : `${line.changes} revocations`
  return isAccepted(line) ? `${what}: acknowledged` : `${what}: ${String(line.reason)}, will try again`
}

async function end(gatehouse: Gatehouse) {
  chapter('The end')
  const code = await gatehouse.stop()
  expect(code === 0, `Gatehouse ended with status ${code}`)
  say('Gatehouse was told to end (SIGTERM) and did, with status 0. Its folder is removed.')
}

async function run() {
  await using gatehouse = await startGatehouse()
  chapter('Gatehouse is up', `It runs at ${gatehouse.url} and keeps everything in ${gatehouse.folder}.`)
  const trust = { kind: 'discovery', issuer: gatehouse.url } as const
  await using oslo = await startAistoreCluster({ version: '5.0', trust })
  await using lima = await startAistoreCluster({ version: '5.0', trust })
  await show({ gatehouse, oslo: { name: 'oslo', server: oslo }, lima: { name: 'lima', server: lima } })
}

try {
  await run()
  process.stdout.write('\nAll of it was as told.\n')
} catch (error) {
  process.stdout.write(`\nNot as told: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
