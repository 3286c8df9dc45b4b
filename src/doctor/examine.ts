import { createOutbound, type Outbound } from '../adapters/outbound.ts'
import { type Config, type ConfigInput, loadSettings } from '../config.ts'
import { presentSettings, type SettingRow } from '../config-present.ts'
import { settingRows } from '../config-settings.ts'
import type { Clock } from '../core/clock.ts'
import { checkClusters } from './checks/clusters.ts'
import { checkConfiguration } from './checks/configuration.ts'
import { checkFiles } from './checks/files.ts'
import { checkService } from './checks/reach.ts'
import { checkDatabase, checkMasterKey, checkSigningKey } from './checks/store.ts'
import { type Finding, findingsOf } from './finding.ts'
import { gatherClusters } from './gather/clusters.ts'
import { gatherFiles } from './gather/files.ts'
import { gatherService } from './gather/reach.ts'
import { gatherStore, type StoreFacts } from './gather/store.ts'

export interface Examination {
  readonly config: Config
  readonly settings: readonly SettingRow[]
  /** In the order of `areas`. */
  readonly findings: readonly Finding[]
}

export interface ExamineOptions {
  readonly input: ConfigInput
  /** Every page, index and reference of the database. */
  readonly isFull: boolean
  /** Ask nothing over the network. */
  readonly isOffline: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Looks at everything and changes nothing. @throws ConfigError: without a configuration there is nothing to look at */
export async function examine({ input, isFull, isOffline, clock, signal }: ExamineOptions): Promise<Examination> {
  const { config, settings: resolved } = loadSettings(input)
  const now = clock.now()
  const facts = await gatherStore(config, isFull)
  const settings = presentSettings(resolved, facts.storedSettings)
  const outbound = createOutbound({ ...config.outbound, clock })
  const local = createOutbound({ ...config.outbound, isTlsVerified: false, clock })
  try {
    const net = isOffline ? undefined : { outbound, local, clock, signal }
    const secret = settings.find(({ name }) => name === 'auth.secret')
    const [folder, service, clusters] = await Promise.all([
      gatherFiles(config, {
        configFile: resolved.configPath.value,
        hasSecretInFile: secret?.source === 'file' && secret.value !== '',
        now,
      }),
      gatherService(config, net),
      gatherClusters(config, facts, net, now),
    ])
    const records = facts.signingKey?.records.filter(({ state }) => state !== 'retired')
    const findings = [
      ...checkConfiguration({
        config,
        settings,
        sharedSecret: facts.sharedSecret,
        shadowed: findShadowed(facts, settings),
        hasUsers: facts.store !== undefined,
        clusterUrls: clusters?.flatMap(({ cluster }) => cluster.urls) ?? [],
      }),
      ...checkFiles(folder),
      ...checkDatabase(facts.database, now),
      ...checkMasterKey(facts.masterKey, facts.database.kind !== 'missing'),
      ...checkSigningKey(facts.signingKey),
      ...checkService(
        { service, externalUrl: config.net.externalUrl, publishedKids: records?.map(({ kid }) => kid) },
        now,
      ),
      ...checkClusters(clusters, now),
      ...(clusters === undefined ? sayUnseen(facts) : []),
    ]
    return { config, settings, findings }
  } finally {
    await closeAll([outbound, local], facts)
  }
}

async function closeAll(clients: readonly Outbound[], { store }: StoreFacts): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
  await store?.close()
}

function findShadowed({ storedSettings }: StoreFacts, settings: readonly SettingRow[]) {
  return settingRows.flatMap(([, { name, runtimeName }]) => {
    const row = settings.find((known) => known.name === name)
    const isStored = storedSettings.some((stored) => stored.name === runtimeName)
    const isBeaten = row?.source === 'flag' || row?.source === 'environment'
    return isStored && isBeaten && row !== undefined ? [{ name, by: row.origin }] : []
  })
}

function sayUnseen({ database }: StoreFacts): readonly Finding[] {
  if (database.kind === 'missing') return []
  const says = 'clusters were not looked at: the store can not be read as it is'
  return [findingsOf('clusters').warning('unseen', says, 'Mend what is said of database and keys, and run this again.')]
}
