/** `gatehouse audit verify`: is the audit trail what was written? */
import { loadConfig } from '../../config.ts'
import type { AuditVerification } from '../../core/audit/audit-store.ts'
import type { AuditHeadBody, AuditRowBody, AuditVerificationBody } from '../../http/routes/shapes/audit.ts'
import type { Api } from '../api.ts'
import { RefusedError, UsageError } from '../client-errors.ts'
import { type ClientOptions, connect } from '../connection.ts'
import type { CliContext } from '../context.ts'
import { exitCodes } from '../failures.ts'
import type { LocalOptions } from '../local-store.ts'
import { createOutput } from '../output.ts'
import { createProgress } from '../progress.ts'

export interface VerifyOptions extends ClientOptions, Omit<LocalOptions, 'masterKeyFile'> {
  readonly head?: string
  readonly local?: true
}

/** A trail to be checked: that of a server, or that of a database file. */
interface Trail {
  readonly length: number
  step(after: number | undefined): Promise<AuditVerificationBody>
  /** Undefined where there is no such row. */
  hashOf(id: number): Promise<string | undefined>
}

interface Verdict {
  readonly isWhole: boolean
  readonly first: number
  readonly last: number
  readonly head: string
  readonly fault: { readonly id: number; readonly what: string } | null
}

export async function verifyAudit(options: VerifyOptions, context: CliContext): Promise<number> {
  const known = options.head === undefined ? undefined : readHead(options.head)
  if (!options.local) {
    const { api } = await connect(options, context)
    return judge(await trailOfServer(api), known, options, context)
  }
  const { openAuditFile } = await import('../../store/sqlite/audit-file.ts')
  const { config, dataDir } = options
  const flags = { ...(config !== undefined && { config }), ...(dataDir !== undefined && { 'data-dir': dataDir }) }
  const { databaseFile } = loadConfig({ flags })
  const file = openAuditFile(databaseFile)
  const step = async (after: number | undefined) => file.verify(after === undefined ? {} : { after })
  try {
    return await judge({ length: file.length, step, hashOf: async (id) => file.hashOf(id) }, known, options, context)
  } finally {
    file.close()
  }
}

async function trailOfServer(api: Api): Promise<Trail> {
  const { id: length } = await api.call<AuditHeadBody>('GET', '/audit/head')
  return {
    length,
    step: (after) => api.call('GET', `/audit/verify${after === undefined ? '' : `?after=${after}`}`),
    async hashOf(id) {
      try {
        return (await api.call<AuditRowBody>('GET', `/audit/${id}`)).hash
      } catch (error) {
        if (error instanceof RefusedError && error.status === 404) return undefined
        throw error
      }
    },
  }
}

async function judge(trail: Trail, known: KnownHead | undefined, options: VerifyOptions, context: CliContext) {
  const followed = await follow(trail, options, context)
  const verdict = known === undefined || !followed.isWhole ? followed : await compare(trail, known, followed)
  const output = await createOutput(options, context)
  const words = () => presentVerdict(verdict, known)
  output.tell({ json: verdict, words, quiet: [verdict.head] })
  return verdict.isWhole ? exitCodes.done : exitCodes.auditBroken
}

async function follow(trail: Trail, options: VerifyOptions, context: CliContext): Promise<Verdict> {
  const progress = createProgress('rows checked', trail.length, options, context)
  let first: number | undefined
  let after: number | undefined
  for (;;) {
    const { checked, head, isAtEnd, fault }: AuditVerification = await trail.step(after)
    first ??= head.id - checked + 1
    after = head.id
    progress.advance(head.id)
    const ends = { first, last: head.id, head: `${head.id}:${head.hash}` }
    if (fault !== null) return { isWhole: false, ...ends, fault }
    if (isAtEnd) return { isWhole: true, ...ends, fault: null }
  }
}

interface KnownHead {
  readonly id: number
  readonly hash: string
}

/** @throws UsageError */
function readHead(text: string): KnownHead {
  const [, id, hash] = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text) ?? []
  if (id === undefined || hash === undefined) {
    throw new UsageError(
      '--head must be a number and a hash (12:ab34…), as an earlier `gatehouse audit verify` has shown',
    )
  }
  return { id: Number(id), hash: hash.toLowerCase() }
}

/** Whoever can write to the database can chain it anew; a head that was kept elsewhere tells. @throws UsageError */
async function compare(trail: Trail, { id, hash }: KnownHead, verdict: Verdict): Promise<Verdict> {
  if (id > verdict.last) return { ...verdict, isWhole: false, fault: { id: verdict.last, what: 'cut' } }
  const found = id === 0 ? hash : await trail.hashOf(id)
  if (found === undefined) {
    throw new UsageError(`row ${id} is older than what is kept (from ${verdict.first} on): compare with a later head`)
  }
  return found === hash ? verdict : { ...verdict, isWhole: false, fault: { id, what: 'rewritten' } }
}

function presentVerdict({ isWhole, first, last, head, fault }: Verdict, known: KnownHead | undefined): string {
  if (isWhole) {
    const rows = last < first ? 'there is no row' : `rows ${first} to ${last} are what was written`
    const compared = known === undefined ? '' : ` Row ${known.id} has the hash that you have kept.`
    return `The audit trail is whole: ${rows}.${compared}\nHead: ${head}\nKeep the head elsewhere: with it, \`gatehouse audit verify --head\` tells later whether the trail was cut or rewritten.`
  }
  const what = fault === null ? '' : (faults[fault.what]?.(fault.id) ?? fault.what)
  const held = last < first ? 'No row before that could be checked.' : `Rows ${first} to ${last} follow each other.`
  return `The audit trail is BROKEN: ${what}. ${held}\nKeep the database as it is, and compare it with a backup and with exports of the trail.`
}

const faults: Readonly<Record<string, (id: number) => string>> = {
  altered: (id) => `row ${id} or the one before it is not what was written`,
  missing: (id) => `rows right before row ${id} are missing`,
  cut: (id) => `rows after row ${id} are missing`,
  checkpoint: () => 'the row that says which rows were purged is missing or is not what was written',
  rewritten: (id) => `row ${id} has another hash than the one that you have kept`,
}
