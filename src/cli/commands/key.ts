/** `gatehouse key list` and `rotate`. */
import type { Keys, Rotation } from '../../http/routes/shapes/keys.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import { createOutput, type Output } from '../output.ts'
import { formatAgo, formatUntil } from '../times.ts'

export async function listKeys(options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const keys = await api.call<Keys>('GET', '/keys')
  const output = await createOutput(options, context)
  output.tell({ json: keys, words: () => presentKeys(keys, output), quiet: keys.items.map(({ kid }) => kid) })
  return exitCodes.done
}

function presentKeys({ signsWith, items }: Keys, { table, paint }: Output): string {
  const note =
    signsWith === 'HS256' ? 'Tokens are signed with a secret that is shared with the clusters (HS256).\n\n' : ''
  if (items.length === 0) return note.trimEnd()
  const now = new Date()
  const rows = items.map(({ kid, algorithm, state, createdAt, activatedAt }) => [
    kid,
    algorithm,
    state === 'active' ? paint.good(state) : state,
    formatAgo(createdAt, now),
    formatAgo(activatedAt, now),
  ])
  return note + table(['KEY', 'ALGORITHM', 'STATE', 'PUBLISHED', 'FIRST SIGNED'], rows)
}

export async function rotateKey(options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  const rotation = await api.call<Rotation>('POST', '/keys/rotate')
  const output = await createOutput(options, context)
  output.tell({ json: rotation, words: () => presentRotation(rotation, output), quiet: [rotation.kid] })
  return rotation.refusedBy.length + rotation.notAsked.length === 0 ? exitCodes.done : exitCodes.notEverywhere
}

function presentRotation({ kid, signsAt, refusedBy, notAsked }: Rotation, { table }: Output): string {
  const start = signsAt === null ? 'signs from now on' : `is published, and signs ${formatUntil(signsAt, new Date())}`
  const said = `The key ${kid} ${start}. Tokens of the former one stay good until they end.`
  const rows = [
    ...refusedBy.map(({ cluster, alias, trouble }) => [alias ?? cluster, trouble.said, trouble.advice ?? '-']),
    ...notAsked.map(({ cluster, alias, said: answer }) => [
      alias ?? cluster,
      answer,
      'It is asked on: gatehouse cluster show',
    ]),
  ]
  if (rows.length === 0) return said
  return `${said}\nThese clusters do not take it yet:\n\n${table(['CLUSTER', 'SAID', 'WHAT TO DO'], rows)}`
}

export async function retireKey(kid: string, options: ClientOptions, context: CliContext): Promise<number> {
  const { api } = await connect(options, context)
  await api.call('POST', `/keys/${encodeURIComponent(kid)}/retire`)
  const output = await createOutput(options, context)
  output.tell({
    json: { kid, state: 'retired' },
    words: () =>
      `The key ${kid} is trusted no more at Gatehouse. To have every cluster refuse its tokens now: gatehouse revoke key ${kid}`,
  })
  return exitCodes.done
}
