/** `gatehouse cluster list`, `show` and `resync`. */
import type { ClusterBody } from '../../http/routes/shapes/clusters.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import type { Paint } from '../paint.ts'
import { formatAge, formatAgo, formatUntil } from '../times.ts'
import { watch } from '../watch.ts'

export interface WatchOptions extends ClientOptions {
  readonly watch?: true
}

const mostClusters = 100_000

export async function listClusters(options: WatchOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const output = await createOutput(options, context)
  const read = () => api.list<ClusterBody>('/clusters', mostClusters)
  const words = (clusters: readonly ClusterBody[]) => presentList(clusters, output)
  if (options.watch) {
    const essence = (clusters: readonly ClusterBody[]) => clusters.map(essenceOf)
    await watch({ read, words, essence, isOver: () => false }, output, context)
    return exitCodes.done
  }
  const clusters = await read()
  output.tell({ json: clusters, words: () => words(clusters), quiet: clusters.map(({ id }) => id) })
  return exitCodes.done
}

export async function showCluster(name: string, options: WatchOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const output = await createOutput(options, context)
  const read = () => api.call<ClusterBody>('GET', `/clusters/${encodeURIComponent(name)}`)
  const words = (cluster: ClusterBody) => presentOne(cluster, output)
  if (options.watch) {
    await watch({ read, words, essence: essenceOf, isOver: () => false }, output, context)
    return exitCodes.done
  }
  const cluster = await read()
  output.tell({ json: cluster, words: () => words(cluster), quiet: [cluster.state] })
  return exitCodes.done
}

export async function resyncCluster(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const cluster = await api.call<ClusterBody>('POST', `/clusters/${encodeURIComponent(name)}/resync`)
  const output = await createOutput(options, context)
  output.tell({
    json: cluster,
    words: () =>
      `${nameOf(cluster)} is being told every revocation again. Watch it: gatehouse cluster show ${nameOf(cluster)} --watch`,
  })
  return exitCodes.done
}

/** What grows by itself with every second is no change. */
function essenceOf({ lagSeconds, probedAt, nextAttemptAt, attempts, ...cluster }: ClusterBody) {
  return cluster
}

export function nameOf({ alias, id }: { readonly alias: string | null; readonly id: string }): string {
  return alias ?? id
}

function presentList(clusters: readonly ClusterBody[], { table, paint }: Output): string {
  if (clusters.length === 0) return 'No cluster is registered.'
  const now = new Date()
  const rows = clusters.map((cluster) => [
    nameOf(cluster),
    presentState(cluster.state, paint),
    String(cluster.behind),
    cluster.behind === 0 ? '-' : formatAge(cluster.lagSeconds * 1000),
    formatAgo(cluster.lastAcknowledgedAt, now),
    formatAgo(cluster.lastRestartSeenAt, now),
    formatUntil(cluster.nextAttemptAt, now),
    presentWhy(cluster),
  ])
  const head = ['CLUSTER', 'STATE', 'BEHIND', 'FOR', 'ACKNOWLEDGED', 'RESTART SEEN', 'NEXT TRY', 'WHY']
  return table(head, rows)
}

function presentWhy({ trouble, state, probedAt }: ClusterBody): string {
  if (trouble !== null) return cut(trouble.said, 60)
  return state === 'unknown' && probedAt === null ? 'not looked at yet: that takes some seconds' : '-'
}

function presentOne(cluster: ClusterBody, output: Output): string {
  const { paint, table } = output
  const now = new Date()
  const { trouble, attempts } = cluster
  const fields = output.fields([
    ['Cluster', `${cluster.id}${cluster.alias === null ? '' : ` (${cluster.alias})`}, ${cluster.kind}`],
    ['URLs', cluster.urls.join(', ') || 'none: it hears of no revocation'],
    ['State', `${presentState(cluster.state, paint)}: ${explainState(cluster)}`],
    ['Behind', presentBehind(cluster)],
    ['Acknowledged', formatAgo(cluster.lastAcknowledgedAt, now)],
    ['Restart seen', cluster.lastRestartSeenAt === null ? undefined : formatAgo(cluster.lastRestartSeenAt, now)],
    [
      'Failures',
      attempts === 0 ? undefined : `${attempts} in a row, next try ${formatUntil(cluster.nextAttemptAt, now)}`,
    ],
    ['Why', trouble === null ? undefined : `${trouble.said} (${trouble.reason})`],
    ['What to do', trouble?.advice ?? undefined],
    ['Our key', presentClaim(cluster.isKeyTrusted, 'trusted', paint.bad('not trusted'))],
    [
      'Asks for tokens',
      presentClaim(cluster.isAuthenticationOn, 'yes', paint.bad('no: authentication is switched off')),
    ],
    ['Its own id', presentReportedId(cluster, paint)],
    ['Probed', formatAgo(cluster.probedAt, now)],
  ])
  if (cluster.proxies.length === 0) return fields
  const rows = cluster.proxies.map(({ id, url, isPrimary, canary, said, silentSince }) => [
    id ?? '-',
    url,
    isPrimary ? 'primary' : '-',
    presentCanary(canary, paint),
    presentSaid(said, silentSince, now),
  ])
  const isStoodFor = cluster.proxies.some(({ canary }) => canary === 'out_of_reach')
  const note = isStoodFor ? '\nSingle proxies can not be reached from here: the registered URLs stand for them.' : ''
  return `${fields}\n\n${table(['PROXY', 'URL', 'ROLE', 'LIST', 'SAID'], rows)}${note}`
}

function presentSaid(said: string | null, silentSince: string | null, now: Date): string {
  if (said === null || silentSince === null) return said ?? '-'
  return `${said} (for ${formatAge(now.getTime() - new Date(silentSince).getTime())})`
}

function presentState(state: ClusterBody['state'], paint: Paint): string {
  if (state === 'in_step') return paint.good('in step')
  if (state === 'no_urls') return paint.bad('no URLs')
  return state === 'refused' || state === 'retrying' ? paint.bad(state) : paint.warn(state)
}

const stateWords: Readonly<Record<ClusterBody['state'], string>> = {
  in_step: 'it has everything, and every proxy that can be asked has shown it',
  behind: 'changes are on their way',
  spreading: 'its primary has the list, another proxy does not yet',
  resyncing: 'everything is being sent again',
  retrying: 'it could not be told, and is asked again by itself',
  refused: 'it will not take what it is told until somebody does something',
  unknown: 'it has everything, but not every proxy has shown that it holds it',
  no_urls: 'no URL is registered, so it hears of no revocation until somebody adds one',
}

function explainState({ state, inStepSince }: ClusterBody): string {
  if (state !== 'in_step' || inStepSince === null) return stateWords[state]
  return `${stateWords[state]} (since ${inStepSince})`
}

function presentBehind({ behind, behindSince, lagSeconds }: ClusterBody): string {
  if (behind === 0) return 'nothing'
  return `${behind === 1 ? '1 revocation' : `${behind} revocations`}, for ${formatAge(lagSeconds * 1000)} (since ${behindSince})`
}

function presentClaim(claim: boolean | null, yes: string, no: string): string {
  if (claim === null) return 'not known'
  return claim ? yes : no
}

function presentReportedId({ id, reportedId }: ClusterBody, paint: Paint): string | undefined {
  if (reportedId === null || reportedId === id) return undefined
  return paint.bad(`${reportedId}: another cluster stands at these URLs`)
}

function presentCanary(canary: ClusterBody['proxies'][number]['canary'], paint: Paint): string {
  if (canary === 'knows') return paint.good('holds it')
  if (canary === 'silent') return paint.warn('no answer')
  if (canary === 'out_of_reach') return 'not asked'
  return paint.bad(canary === 'forgot' ? 'has forgotten it' : 'does not trust us')
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
