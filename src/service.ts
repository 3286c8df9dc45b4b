import { availableParallelism } from 'node:os'
import { aistoreTokenProfile } from './adapters/aistore/acl.ts'
import { createAistoreDialect } from './adapters/aistore/dialect/dialect.ts'
import { authorizers, createDrivers, grantRules, grantWords } from './adapters/index.ts'
import { createOutbound } from './adapters/outbound.ts'
import { takeOverAuthn } from './authn-import.ts'
import type { Config } from './config.ts'
import { createAccess } from './core/access/access.ts'
import { createExplain } from './core/access/explain.ts'
import { createAccessExport } from './core/access/export.ts'
import { createPasswords } from './core/access/passwords.ts'
import { createRoleDiffs } from './core/access/role-diff.ts'
import { createRefusals } from './core/audit/refusals.ts'
import type { Clock } from './core/clock.ts'
import { createClusters } from './core/clusters/clusters.ts'
import { createKeyRing } from './core/keys/key-ring.ts'
import type { Sealer } from './core/keys/sealer.ts'
import type { Logger } from './core/logger.ts'
import { completeRestore } from './core/recovery/restore.ts'
import { createRevocations } from './core/revocation/revocations.ts'
import { createRoles } from './core/roles/roles.ts'
import { serviceActor } from './core/sessions/actor.ts'
import { createAuthenticator } from './core/sessions/authenticator.ts'
import { createLoginLimits, createNoLoginLimits } from './core/sessions/login-limits.ts'
import { createSessions } from './core/sessions/sessions.ts'
import { createRuntimeSettings, effectiveSharedSecret } from './core/settings/runtime-settings.ts'
import { createTokenIssuer } from './core/tokens/token-issuer.ts'
import { createTokenVerifier } from './core/tokens/token-verifier.ts'
import { createPasswordHasher } from './core/users/password-hasher.ts'
import { createUsers } from './core/users/users.ts'
import { createResync } from './delivery/resync.ts'
import { createDelivery } from './delivery/worker.ts'
import { createApp } from './http/app.ts'
import { readCertificate } from './http/certificate.ts'
import { createClientAddress } from './http/client-address.ts'
import { type Listener, listen } from './http/listen.ts'
import { createRunOnce } from './http/once.ts'
import { openOperations } from './http/operations.ts'
import { createStatuses } from './http/routes/cluster-statuses.ts'
import { createNativeApi } from './http/routes/native-api.ts'
import { createRoutes } from './http/routes/routes.ts'
import { createMetrics } from './metrics.ts'
import { placeOfProcess } from './process-place.ts'
import { createKeyFile } from './store/key-file.ts'
import { openStore } from './store/open-store.ts'
import { findPlaces } from './store/places.ts'
import type { Store } from './store/store.ts'
import { superviseWorkers } from './supervisor.ts'
import { version } from './version.ts'
import { createAuditWatch } from './workers/audit-watch.ts'
import { createClusterProbe } from './workers/cluster-probe.ts'
import { createKeyRotation } from './workers/key-rotation.ts'
import { createPurge } from './workers/purge.ts'

export interface Service {
  /** Opens the port; answers where. */
  listen(): Promise<{ readonly url: string; readonly port: number }>
  /** The administrator made at this start, if one was made without a given password. */
  readonly generatedAdministrator: { readonly name: string; readonly password: string } | undefined
  /** Resolves when each cluster is in step or waits for its next attempt, the earliest of which is answered. */
  settled(): Promise<Date | undefined>
  /** Stops taking requests, lets those in flight end (at most `drainMs`), ends the workers, closes the store. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

export interface ServiceDeps {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  /** Called when the log level is changed at run time. */
  readonly setLogLevel: (level: number) => void
}

/** Verified tokens that are kept; a token and its claims take about 2 KB. */
const verifiedTokensKept = 10_000
const loginLimitsAdvice =
  'LOGIN LIMITS ARE OFF: anybody may guess passwords as fast as this machine can hash. Remove GATEHOUSE_LOGIN_LIMITS=off.'
const defaultDrainMs = 10_000
/** Looks are short and many: more at once would only take memory. */
const looksAtOnce = 64

/**
 * Builds every part by hand, in order, and joins them. Nothing listens yet; workers run from here on.
 * @throws KeyFileError, StoreOpenError, BackupError, AuthnDatabaseError: a sentence for people
 */
export async function createService(deps: ServiceDeps): Promise<Service> {
  const { config } = deps
  // Before anything is made: a certificate that can't be read must not cost the one sight of a new password.
  if (config.net.tls) await readCertificate(config.net.tls)
  const { store, sealer } = await openStore({
    places: findPlaces(config),
    externalUrl: config.net.externalUrl,
    program: version,
    clock: deps.clock,
    log: deps.log,
  })
  try {
    // Before the key ring makes a key, and before the first administrator is made.
    await takeOverAuthn({ config, store, deed: { by: serviceActor, at: deps.clock.now() } }, deps.log)
    return await assemble(deps, store, sealer)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function assemble(
  { config, clock, log, setLogLevel }: ServiceDeps,
  store: Store,
  sealer: Sealer,
): Promise<Service> {
  const {
    users: userStore,
    roles: roleStore,
    clusters: clusterStore,
    tokens,
    revocations: changeLog,
    revisions,
  } = store
  const keyFile = createKeyFile(config.signingKey.file)
  await completeRestore({ restores: store.restores, keyFile, clock, log })
  const ring = await createKeyRing({
    keyFile,
    keys: store.keys,
    sealer,
    leadMs: config.signingKey.leadMs,
    bits: config.signingKey.bits,
    isExternal: config.signingKey.isExternal,
    passphrase: config.signingKey.passphrase,
    sharedSecret: await effectiveSharedSecret(store.settings, config),
    clock,
    log,
  })
  const settings = await createRuntimeSettings({ store: store.settings, config, ring, setLogLevel, clock, log })

  const metrics = createMetrics({ version, read: takeReadings })
  const issuer = metrics.countTokens(createTokenIssuer({ ring, tokens, sealer, issuer: config.net.externalUrl, clock }))
  const verifier = createTokenVerifier({ ring, clock, cacheSize: verifiedTokensKept })
  const authenticator = createAuthenticator({ verifier, tokens, issuer: config.net.externalUrl, clock })
  const { loginLocks } = store
  const limits = config.isLoginLimited
    ? createLoginLimits({ locks: loginLocks, clock, log })
    : createNoLoginLimits({ locks: loginLocks })
  if (!config.isLoginLimited) log.warn({ event: 'login_limits.off', advice: loginLimitsAdvice })
  const isBcryptExpected = await userStore.hasBcryptHash()
  const hasher = createPasswordHasher({ concurrency: availableParallelism(), isBcryptExpected })
  const refusals = createRefusals({ audit: store.audit, clock, log })
  const sessions = metrics.countLogins(
    createSessions({
      users: userStore,
      clusters: clusterStore,
      locks: store.locks,
      hasher,
      limits,
      issuer,
      settings,
      refusals,
      clock,
      log,
      revisions,
    }),
  )

  const outbound = createOutbound({ ...config.outbound, clock })
  const drivers = createDrivers({ outbound, ring, issuer, clock, timeoutMs: config.outbound.timeoutMs })
  const delivery = createDelivery({
    cursors: store.cursors,
    revocations: changeLog,
    drivers,
    clock,
    log,
    config: { ...config.delivery, place: await placeOfProcess() },
    random: Math.random,
    observe: metrics.delivery,
  })
  const { propagation } = delivery
  const { budgetMs } = config.delivery
  const users = createUsers({ users: userStore, hasher, clock, propagation, budgetMs })
  const roles = createRoles({ roles: roleStore, clock, propagation, budgetMs })
  const revocations = createRevocations({
    revocations: changeLog,
    locks: store.locks,
    verifier,
    sealer,
    propagation,
    budgetMs,
    clock,
  })
  const { cursors, probes } = store
  const resync = createResync({ cursors, probes, wake: delivery.wake, clock })
  const clusterProbe = createClusterProbe({
    probes,
    cursors,
    drivers,
    wake: delivery.wake,
    clock,
    log,
    config: {
      ...config.probe,
      timeoutMs: config.delivery.timeoutMs,
      parallel: Math.min(config.delivery.parallel, looksAtOnce),
    },
  })
  const rotation = createKeyRotation({
    ring,
    keys: store.keys,
    clusters: clusterStore,
    drivers,
    probes,
    clock,
    log,
    config: { maximumLifetimeMs: config.maximumTokenLifetimeMs, isExternal: config.signingKey.isExternal },
  })
  const clusters = createClusters({
    clusters: clusterStore,
    revocations: changeLog,
    drivers,
    wake: delivery.wake,
    clock,
    log,
  })
  const generatedAdministrator = await users.ensureFirstAdministrator(config.firstAdministrator)

  const dialect = createAistoreDialect({
    authenticator,
    sessions,
    users,
    roles,
    roleStore,
    clusters,
    clusterStore,
    revocations,
    settings,
    rotation,
    ring,
    revisions,
    refusals,
    clock,
    file: config.authnFile,
    externalUrl: config.net.externalUrl,
    hasOpenReads: config.hasOpenReads,
    isNarrowingRevoked: config.isNarrowingRevoked,
  })
  const supervisor = superviseWorkers(
    [
      delivery.worker,
      clusterProbe,
      rotation.worker,
      createPurge({
        tokens,
        roles: roleStore,
        revocationActs: store.revocationActs,
        loginLocks,
        once: store.once,
        audit: store.audit,
        auditRetentionMs: config.auditRetentionMs,
        clock,
        log,
      }),
      createAuditWatch({ audit: store.audit, refusals, clock, log }),
    ],
    {
      clock,
      log,
    },
  )
  let listener: Listener | undefined
  let operations: Promise<Listener | undefined> | undefined
  let isDraining = false
  const ending = new AbortController()
  const notReady = async () => whatIsMissing()
  const statuses = createStatuses({
    cursors: store.cursors,
    probes: store.probes,
    revocations: changeLog,
    progressOf: delivery.progressOf,
    clock,
  })
  const explain = createExplain({
    ...store,
    acts: store.revocationActs,
    authorizers,
    verifier,
    sealer,
    enforcementOf: async (clusterId) => (await store.probes.get(clusterId))?.report,
    progressOf: delivery.progressOf,
    clock,
  })
  const passwords = createPasswords({ hasher, sealer, clock })
  const access = createAccess({
    ...store,
    grantRules,
    rolesWith: (cluster) => clusters.rolesWith({ ...cluster, annotations: {}, registeredAt: clock.now() }),
    vetting: clusters,
    passwords,
    propagation,
    budgetMs,
    wake: delivery.wake,
    clock,
    log,
  })
  const routes = createRoutes({
    access,
    accessExport: createAccessExport({ ...store, grantRules }),
    passwords,
    roleDiffs: createRoleDiffs({ ...store, grantRules }),
    explain,
    grantRules,
    sessions,
    revocations,
    users,
    profile: aistoreTokenProfile,
    userSearch: store.userSearch,
    roles,
    roleSearch: store.roleSearch,
    // One kind of cluster there is.
    wordsOf: () => grantWords.aistore,
    grantWords,
    settings,
    runOnce: createRunOnce({ once: store.once, clock }),
    clusters: clusterStore,
    registry: clusters,
    tokenSearch: store.tokenSearch,
    statuses,
    resync,
    acts: store.revocationActs,
    locks: store.locks,
    limits,
    loginLocks,
    verifier,
    keys: store.keys,
    ring,
    rotation,
    audit: store.audit,
    clock,
  })
  const api = createNativeApi({ routes, authenticator, refusals, version })
  const addressOf = createClientAddress(config.trustedProxies)
  const app = createApp({ log, dialect, api, observe: metrics.request, addressOf, notReady })

  async function takeReadings() {
    const [clusters, statusOf, logLength, auditHead] = await Promise.all([
      clusterStore.list(),
      statuses.all(),
      store.cursors.logLength(clock.now()),
      store.audit.head(),
    ])
    const known = clusters.flatMap(({ id, alias }) => {
      const status = statusOf.get(id)
      return status === undefined ? [] : [{ id, alias, status }]
    })
    return { clusters: known, logLength, auditHead, workers: supervisor.health() }
  }

  async function whatIsMissing(): Promise<string | undefined> {
    if (isDraining) return 'shutting down'
    const stopped = supervisor.health().find((worker) => !worker.isRunning)
    if (stopped) return `the worker ${stopped.name} is not running`
    try {
      await changeLog.lastSequence()
    } catch {
      return 'the database does not answer'
    }
    return undefined
  }

  return {
    generatedAdministrator,
    settled: delivery.settled,
    async listen() {
      const { host, port, tls, headersTimeoutMs } = config.net
      operations = openOperations({
        ...config,
        log,
        clock,
        renderMetrics: metrics.render,
        notReady,
        giveUp: ending.signal,
      })
      if (config.operations?.isRequired) await operations
      listener = await listen({ fetch: app.fetch, host, port, tls, headersTimeoutMs, log, clock })
      const name = host?.includes(':') ? `[${host}]` : (host ?? 'localhost')
      const url = `${tls ? 'https' : 'http'}://${name}:${listener.port}`
      return { url, port: listener.port }
    },
    async close({ drainMs = defaultDrainMs } = {}) {
      isDraining = true
      ending.abort()
      await listener?.close({ drainMs })
      await (await operations?.catch(() => undefined))?.close({ drainMs: 0 })
      await supervisor.stop()
      await outbound.close()
      await store.close()
    },
  }
}
