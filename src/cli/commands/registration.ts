/** `gatehouse cluster register`, `set` and `remove`. */
import type { ClusterBody } from '../../http/routes/shapes/clusters.ts'
import { UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput } from '../output.ts'
import { nameOf } from './cluster.ts'

export async function registerCluster(
  id: string,
  urls: readonly string[],
  options: ClientOptions & { readonly alias?: string },
  context: CliContext,
): Promise<number> {
  const { api } = await connect(options, context)
  const cluster = await api.call<ClusterBody>('POST', '/clusters', { id, alias: options.alias, urls })
  const words = 'is registered: it trusts the signing key, and has every revocation that still matters'
  return tell(cluster, words, options, context)
}

export interface SetClusterOptions extends ClientOptions {
  /** False = without one. */
  readonly alias?: string | false
  readonly proxy?: readonly string[]
}

export async function setCluster(name: string, options: SetClusterOptions, context: CliContext): Promise<number> {
  const { alias, proxy: urls } = options
  if (alias === undefined && urls === undefined)
    throw new UsageError('say what is to change: --alias, --no-alias, --proxy')
  const { api } = await connect(options, context)
  const body = { alias: alias === false ? null : alias, urls }
  const cluster = await api.call<ClusterBody>('PATCH', `/clusters/${encodeURIComponent(name)}`, body)
  return tell(cluster, 'is changed, and is being told every revocation again', options, context)
}

async function tell(cluster: ClusterBody, words: string, options: ClientOptions, context: CliContext): Promise<number> {
  const output = await createOutput(options, context)
  output.tell({ json: cluster, words: () => `The cluster ${nameOf(cluster)} ${words}.`, quiet: [cluster.id] })
  return exitCodes.done
}

export async function removeCluster(name: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  await api.call('DELETE', `/clusters/${encodeURIComponent(name)}`)
  const output = await createOutput(options, context)
  output.tell({
    json: { name, isRemoved: true },
    words: () => `The cluster ${name} is forgotten: it hears of no revocation any more. Roles that name it stay.`,
  })
  return exitCodes.done
}
