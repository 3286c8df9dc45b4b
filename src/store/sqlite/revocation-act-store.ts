import { and, asc, desc, eq, lt, sql } from 'drizzle-orm'
import type { Holding, RevocationActStore, TokenStatus } from '../../core/revocation/revocation-acts.ts'
import type { RevocationAct } from '../../core/revocation/selector.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { SqliteParts } from './parts.ts'
import { changes, clusterCursors, clusters, revocations, tokens } from './schema.ts'

export function createRevocationActStore(parts: SqliteParts, acknowledgements: Acknowledgements): RevocationActStore {
  const { client, read, snapshot, write } = parts
  const { get, list } = prepareActs(parts)
  const holdings = prepareHoldings(parts)
  const findToken = prepareTokens(parts)
  const purgeActs = client.prepare<[number, number]>(
    'DELETE FROM revocations WHERE key IN (SELECT key FROM revocations WHERE expires_at < ? ORDER BY expires_at LIMIT ?)',
  )

  return {
    list: (page) => read(() => list(page)),
    get: (id) => read(() => get(id)),

    progress: (id) =>
      snapshot(() => {
        const act = get(id)
        return act && holdings(act.lastSequence)
      }),

    token: (which) =>
      snapshot((): TokenStatus | undefined => {
        const found = findToken(which)
        if (found === undefined) return undefined
        const { revocationKey, recordedAt, sequence, ...token } = found
        const act = revocationKey === null ? undefined : get(revocationKey)
        if (act === undefined || sequence === null || recordedAt === null) return { ...token, revocation: null }
        return { ...token, revocation: { act, at: recordedAt, sequence, holdings: holdings(sequence) } }
      }),

    purge: (before, limit) =>
      write(() => {
        const acts = purgeActs.run(before.getTime(), limit).changes
        return acts < limit ? acts + acknowledgements.thin(limit - acts) : acts
      }),
  }
}

const actColumns = {
  id: revocations.key,
  selector: revocations.selector,
  actor: revocations.actor,
  reason: revocations.reason,
  at: revocations.recordedAt,
  tokens: revocations.tokens,
  lastSequence: revocations.lastSequence,
  expiresAt: revocations.expiresAt,
}

function prepareActs({ db }: SqliteParts) {
  const older = lt(revocations.key, sql.placeholder('after'))
  const page = (where: typeof older | undefined) =>
    db
      .select(actColumns)
      .from(revocations)
      .where(where)
      .orderBy(desc(revocations.key))
      .limit(sql.placeholder('limit'))
      .prepare()
  const all = page(older)
  // Written out, since SQLite takes the index on a part of the rows only where it sees the very condition.
  const beyondText = page(and(older, sql.raw(`scope <> 'text'`)))
  const one = db
    .select(actColumns)
    .from(revocations)
    .where(eq(revocations.key, sql.placeholder('id')))
    .prepare()
  return {
    get(id: number): RevocationAct | undefined {
      const row = one.get({ id })
      return row && toAct(row)
    },
    list({
      after = Number.MAX_SAFE_INTEGER,
      limit,
      isByTextLeftOut = false,
    }: Parameters<RevocationActStore['list']>[0]) {
      return (isByTextLeftOut ? beyondText : all).all({ after, limit }).map(toAct)
    },
  }
}

/** JSON has no instants. */
function toAct(row: RevocationAct): RevocationAct {
  if (row.selector.by !== 'issued_before') return row
  return { ...row, selector: { by: 'issued_before', at: new Date(row.selector.at) } }
}

/** Which clusters hold everything up to a sequence. */
function prepareHoldings({ db }: SqliteParts) {
  const sequence = sql.placeholder('sequence')
  const all = db
    .select({
      clusterId: clusters.id,
      alias: clusters.alias,
      acknowledged: clusterCursors.acknowledged,
      resyncFrom: clusterCursors.resyncFrom,
      lastReason: clusterCursors.lastReason,
      lastSaid: clusterCursors.lastSaid,
      nextAttemptAt: clusterCursors.nextAttemptAt,
      since: sql<number | null>`(SELECT a.at FROM cluster_acknowledgements a
        WHERE a.cluster_id = ${clusters.id} AND a.sequence >= ${sequence} ORDER BY a.sequence LIMIT 1)`,
    })
    .from(clusters)
    .innerJoin(clusterCursors, eq(clusterCursors.clusterId, clusters.id))
    .orderBy(asc(clusters.id))
    .prepare()
  return (upTo: number): readonly Holding[] =>
    all.all({ sequence: upTo }).map((row) => {
      const { clusterId, alias, acknowledged, resyncFrom, lastReason, lastSaid, nextAttemptAt } = row
      const isHeld = acknowledged >= upTo && (resyncFrom === null || resyncFrom >= upTo)
      const since = isHeld && upTo > 0 && row.since !== null ? new Date(row.since) : null
      const failure = lastReason === null ? null : { reason: lastReason, said: lastSaid ?? '', nextAttemptAt }
      return { clusterId, alias, isHeld, since, isResyncing: resyncFrom !== null, failure }
    })
}

function prepareTokens({ db }: SqliteParts) {
  const select = (column: typeof tokens.jti | typeof tokens.fingerprint) =>
    db
      .select({
        jti: tokens.jti,
        session: tokens.session,
        subject: tokens.subject,
        kid: tokens.kid,
        audience: tokens.audience,
        origin: tokens.origin,
        issuedAt: tokens.issuedAt,
        expiresAt: tokens.expiresAt,
        revocationKey: changes.revocationKey,
        recordedAt: changes.recordedAt,
        sequence: changes.sequence,
      })
      .from(tokens)
      .leftJoin(changes, eq(changes.tokenKey, tokens.key))
      .where(eq(column, sql.placeholder('value')))
      .limit(1)
      .prepare()
  const byJti = select(tokens.jti)
  const byFingerprint = select(tokens.fingerprint)
  return (which: Parameters<RevocationActStore['token']>[0]) =>
    'jti' in which ? byJti.get({ value: which.jti }) : byFingerprint.get({ value: which.fingerprint })
}
