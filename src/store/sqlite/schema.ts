/**
 * The tables as drizzle sees them. migrations/ is what makes them: a change goes there first, then here.
 * Indexes and constraints stand only there.
 */
import { blob, customType, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClusterKind } from '../../core/clusters/cluster.ts'
import type { ProbeReport } from '../../core/clusters/probe.ts'
import type { RefusalReason } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { KeyState, PublicJwk } from '../../core/keys/key-store.ts'
import type { ChangeKind } from '../../core/revocation/change.ts'
import type { RevocationAct } from '../../core/revocation/selector.ts'
import type { BuiltInRole } from '../../core/sessions/actor.ts'

const instant = <N extends string>(name: N) => integer(name, { mode: 'timestamp_ms' })
const flag = <N extends string>(name: N) => integer(name, { mode: 'boolean' })
const sealed = <N extends string>(name: N) => blob(name, { mode: 'buffer' })
const json = <N extends string>(name: N) => text(name, { mode: 'json' })

/** As JSON, its instants as JSON writes them. Reports of earlier versions have none. */
const probeReport = customType<{ data: ProbeReport; driverData: string }>({
  dataType: () => 'text',
  toDriver: (report) => JSON.stringify(report),
  fromDriver(text) {
    const report: ProbeReport = JSON.parse(text)
    const revive = (at: Date | null | undefined) => (at ? new Date(at) : null)
    return {
      ...report,
      proxies: report.proxies.map((proxy) => ({ ...proxy, silentSince: revive(proxy.silentSince) })),
    }
  },
})

export const users = sqliteTable('users', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  passwordHash: text('password_hash').notNull(),
  /** The bcrypt hash that came with an import and that log-in has replaced; null where there is none. */
  sealedFormerHash: sealed('sealed_former_hash'),
  isBuiltIn: flag('is_built_in').notNull(),
  disabledAt: instant('disabled_at'),
  tokensNotBefore: instant('tokens_not_before').notNull(),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

export const roles = sqliteTable('roles', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  description: text('description').notNull(),
  isAdministrator: flag('is_administrator').notNull(),
  isBuiltIn: flag('is_built_in').notNull(),
  annotations: json('annotations').$type<JsonObject>().notNull(),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
  /** Set = the role is gone for everybody; the rows that refer to it are purged later. */
  deletedAt: instant('deleted_at'),
  /** What holders may do at Gatehouse itself; null = nothing. */
  ownRole: text('own_role').$type<BuiltInRole>(),
  ownClusterId: text('own_cluster_id'),
})

export const roleGrants = sqliteTable(
  'role_grants',
  {
    roleKey: integer('role_key').notNull(),
    position: integer('position').notNull(),
    clusterId: text('cluster_id').notNull(),
    resource: text('resource'),
    permissions: text('permissions').notNull(),
    annotations: json('annotations').$type<JsonObject>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.roleKey, table.position] })],
)

export const userRoles = sqliteTable(
  'user_roles',
  {
    userKey: integer('user_key').notNull(),
    position: integer('position').notNull(),
    roleKey: integer('role_key').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userKey, table.position] })],
)

export const clusters = sqliteTable('clusters', {
  id: text('id').primaryKey(),
  kind: text('kind').$type<ClusterKind>().notNull(),
  alias: text('alias'),
  urls: json('urls').$type<readonly string[]>().notNull(),
  annotations: json('annotations').$type<JsonObject>().notNull(),
  sealedCredentials: sealed('sealed_credentials'),
  registeredAt: instant('registered_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

export const clusterCursors = sqliteTable('cluster_cursors', {
  clusterId: text('cluster_id').primaryKey(),
  acknowledged: integer('acknowledged').notNull(),
  resyncFrom: integer('resync_from'),
  resyncUntil: integer('resync_until').notNull(),
  attempts: integer('attempts').notNull(),
  nextAttemptAt: instant('next_attempt_at').notNull(),
  lease: text('lease'),
  leaseUntil: instant('lease_until'),
  lastReason: text('last_reason').$type<RefusalReason>(),
  lastSaid: text('last_said'),
  lastAttemptAt: instant('last_attempt_at'),
  lastAcknowledgedAt: instant('last_acknowledged_at'),
  canarySealed: sealed('canary_sealed'),
  canaryExpiresAt: instant('canary_expires_at'),
  canaryAcknowledgedAt: instant('canary_acknowledged_at'),
  canaryWanted: flag('canary_wanted').notNull(),
})

export const clusterProbes = sqliteTable('cluster_probes', {
  clusterId: text('cluster_id').primaryKey(),
  /** Null until the first look of a worker that knows the interval. */
  nextProbeAt: instant('next_probe_at'),
  probedAt: instant('probed_at'),
  report: probeReport('report'),
  lastRestartSeenAt: instant('last_restart_seen_at'),
  inStepSince: instant('in_step_since'),
})

export const signingKeys = sqliteTable('signing_keys', {
  kid: text('kid').primaryKey(),
  publicJwk: json('public_jwk').$type<PublicJwk>().notNull(),
  state: text('state').$type<KeyState>().notNull(),
  sealedPrivateKey: sealed('sealed_private_key'),
  createdAt: instant('created_at').notNull(),
  activatedAt: instant('activated_at'),
  retiredAt: instant('retired_at'),
  foreignUntil: instant('foreign_until'),
})

export const tokens = sqliteTable('tokens', {
  key: integer('key').primaryKey(),
  fingerprint: sealed('fingerprint').notNull(),
  jti: text('jti'),
  session: text('session'),
  subject: text('subject').notNull(),
  userKey: integer('user_key'),
  kid: text('kid'),
  audience: json('audience').$type<readonly string[]>().notNull(),
  origin: text('origin').$type<'issued' | 'foreign'>().notNull(),
  issuedAt: instant('issued_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  /** Good for every cluster; else those in token_clusters. */
  everywhere: flag('everywhere').notNull(),
  sealedText: sealed('sealed_text').notNull(),
})

export const changes = sqliteTable('changes', {
  sequence: integer('sequence').primaryKey({ autoIncrement: true }),
  kind: text('kind').$type<ChangeKind>().notNull(),
  tokenKey: integer('token_key').notNull(),
  expiresAt: instant('expires_at').notNull(),
  recordedAt: instant('recorded_at').notNull(),
  revocationKey: integer('revocation_key').notNull(),
})

export const revocations = sqliteTable('revocations', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  selector: json('selector').$type<RevocationAct['selector']>().notNull(),
  scope: text('scope').notNull(),
  target: text('target').notNull(),
  actor: text('actor').notNull(),
  reason: text('reason').notNull(),
  recordedAt: instant('recorded_at').notNull(),
  tokens: integer('tokens').notNull(),
  firstSequence: integer('first_sequence').notNull(),
  lastSequence: integer('last_sequence').notNull(),
  expiresAt: instant('expires_at').notNull(),
})

export const locks = sqliteTable('locks', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  userKey: integer('user_key'),
  roleKey: integer('role_key'),
  name: text('name').notNull(),
  until: instant('until').notNull(),
  actor: text('actor').notNull(),
  reason: text('reason').notNull(),
  createdAt: instant('created_at').notNull(),
  liftedAt: instant('lifted_at'),
  liftedBy: text('lifted_by'),
  revocationKey: integer('revocation_key').notNull(),
})

export const settings = sqliteTable('settings', {
  name: text('name').primaryKey(),
  value: text('value'),
  sealed: sealed('sealed'),
  updatedAt: instant('updated_at').notNull(),
})

/** Each time this database was put back from a backup. */
export const restores = sqliteTable('restores', {
  key: integer('key').primaryKey({ autoIncrement: true }),
  backup: text('backup').notNull(),
  backupAt: instant('backup_at').notNull(),
  restoredAt: instant('restored_at').notNull(),
  /** Taken over from the database that it replaced; null where there was none that could be read. */
  carriedRevocations: integer('carried_revocations'),
  /** The key file's content, until it is written. */
  sealedSigningKey: sealed('sealed_signing_key'),
  completedAt: instant('completed_at'),
})
