/**
 * Configuration: flag > environment > set at run time (kept in the store) > file > default. The only reader of
 * process.env.
 */
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type AuthnJson, readAuthnJson } from './authn-json.ts'
import { checkContradictions } from './config-contradictions.ts'
import { ConfigError } from './config-error.ts'
import { type FlagValues, type ResolvedSettings, resolveConfigPath, resolveSettings } from './config-resolve.ts'

/** Where a setting's value came from; earlier beats later. `runtime` values live in the store. */
export type Source = 'flag' | 'environment' | 'runtime' | 'file' | 'default'

export interface Config {
  /** Folder of the database, the master key and (by default) the RSA key. */
  readonly dataDir: string
  /** `gatehouse.db` in dataDir, or `:memory:` (tests). */
  readonly databaseFile: string
  /** 32 bytes, base64, from GATEHOUSE_MASTER_KEY; undefined = the file below, made at first start. */
  readonly masterKey: string | undefined
  readonly masterKeyFile: string
  readonly sharedSecret: { readonly value: string; readonly source: Source }
  readonly tokenLifetime: { readonly ms: number; readonly source: Source }
  readonly maximumTokenLifetimeMs: number
  readonly signingKey: {
    readonly bits: number
    /** external = never made or rotated by us. */
    readonly isExternal: boolean
    readonly file: string
    readonly passphrase: string | undefined
    /** How long a new key is published before it signs. */
    readonly leadMs: number
  }
  readonly logLevel: { readonly value: number; readonly source: Source }
  readonly net: {
    /** Interface to listen on; undefined = all. */
    readonly host: string | undefined
    /** 0 = any free one (tests). */
    readonly port: number
    readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined
    /** `iss` and base of the discovery document, character for character. */
    readonly externalUrl: string
    readonly headersTimeoutMs: number
  }
  /** Where metrics and health are told; undefined = nowhere. */
  readonly operations:
    | {
        readonly host: string
        /** 0 = any free one. */
        readonly port: number
        /** Somebody has asked for it: not being able to open it is a failure. */
        readonly isRequired: boolean
      }
    | undefined
  readonly outbound: {
    readonly timeoutMs: number
    readonly isTlsVerified: boolean
    /** Files of authorities (PEM) beside Node's own; `machineFile` undefined = where the machine keeps them. */
    readonly authorities?: { readonly machineFile: string | undefined; readonly extraFile: string | undefined }
  }
  /** Read only while there are no users. */
  readonly firstAdministrator: { readonly name: string; readonly password: string | undefined }
  /** Whether clusters and roles are shown to everybody, as AIStore's AuthN does. */
  readonly hasOpenReads: boolean
  /** Whether narrowing a role, or taking one away, by AIStore's protocol revokes the tokens that then say too much. */
  readonly isNarrowingRevoked: boolean
  /** Off only for benchmarks. */
  readonly isLoginLimited: boolean
  /** Addresses and ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  /** How long rows of the audit trail are kept; 0 = for ever. */
  readonly auditRetentionMs: number
  readonly delivery: {
    /** How long a revocation's answer waits for clusters that are up. */
    readonly budgetMs: number
    /** Time limit of one push. */
    readonly timeoutMs: number
    /** Pauses after the 1st, 2nd, … failure; the last one repeats. */
    readonly retryMs: readonly number[]
    readonly parallel: number
  }
  readonly probe: {
    /** Between two looks at a cluster. */
    readonly everyMs: number
    /** Everything that still matters is sent again at least so often. */
    readonly resyncEveryMs: number
  }
  /** What `GET /v1/daemon` of the AIStore dialect shows beside the above: the file's values after defaults. */
  readonly authnFile: {
    readonly publicKey: string | null
    readonly rsaKeyBits: number
    readonly signingKey: { readonly bits: number; readonly mode: string }
    readonly db: { readonly type: string; readonly filepath: string }
    readonly log: {
      readonly dir: string
      readonly maxSizeBytes: number
      readonly maxTotalBytes: number
      readonly flushIntervalMs: number
    }
    readonly net: {
      readonly externalUrl: string
      readonly certificateFile: string
      readonly keyFile: string
      readonly port: number
      readonly isHttps: boolean
    }
    readonly defaultTimeoutMs: number
  }
}

export interface ConfigInput {
  /** Values of flags by name without dashes (`data-dir`); a flag that stands alone is `true`. */
  readonly flags?: FlagValues
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where relative paths start. */
  readonly cwd?: string
}

export interface LoadedConfig {
  readonly config: Config
  /** Each setting with its source; what follows from others (folders, URL) is filled in. */
  readonly settings: ResolvedSettings
}

/**
 * The configuration, checked. Reads `authn.json`, and nothing else: no folder is made.
 *
 * @throws ConfigError naming the setting that is wrong or the two that contradict each other
 */
export function loadConfig(input: ConfigInput = {}): Config {
  return loadSettings(input).config
}

/** As `loadConfig`, with where each value came from. @throws ConfigError */
export function loadSettings({ flags = {}, env = process.env, cwd = process.cwd() }: ConfigInput = {}): LoadedConfig {
  const configPath = resolveConfigPath({ flags, env })
  const file = configPath === undefined ? undefined : readAuthnJson(resolve(cwd, configPath))
  const given = resolveSettings({ flags, env, file })
  checkContradictions(given)
  const settings = withDerived(given, { file, cwd, home: () => homeFolder(env) })
  const fileOnly = resolveSettings({ flags: {}, env: {}, file })
  return { config: toConfig(settings, fileOnly), settings }
}

/** What the environment tells the commands that talk to a server. */
export interface ClientSettings {
  /** Where the server is, and which variable says so; undefined where none does. */
  readonly url: { readonly value: string; readonly origin: string } | undefined
  /** The token of AIStore's `ais` command. */
  readonly token: string | undefined
  /** A file with a token that `ais` wrote. It need not be there unless it is named by a variable. */
  readonly tokenFile: { readonly path: string; readonly isNamed: boolean }
  /** Certificates (PEM) to trust beside those that Node trusts; undefined where none are named. */
  readonly caFile: string | undefined
  /** Where `gatehouse login` keeps tokens. */
  readonly credentialsFile: string
  /** https://no-color.org */
  readonly isColorOff: boolean
}

/** Names of AIStore's `ais` command are honoured (contract section 5). A variable that is set to nothing counts as not set. */
export function clientSettings(env: NonNullable<ConfigInput['env']> = process.env): ClientSettings {
  // Where it is unknown nothing is found there, and nothing can be kept.
  const home = homeFolder(env) ?? '/'
  const configHome = env.XDG_CONFIG_HOME || join(home, '.config')
  const urlVariable = ['GATEHOUSE_URL', 'AIS_AUTHN_URL'].find((name) => env[name])
  return {
    url: urlVariable === undefined ? undefined : { value: env[urlVariable] ?? '', origin: urlVariable },
    token: env.AIS_AUTHN_TOKEN || undefined,
    tokenFile: {
      path: env.AIS_AUTHN_TOKEN_FILE || join(home, '.config', 'ais', 'cli', 'auth.token'),
      isNamed: Boolean(env.AIS_AUTHN_TOKEN_FILE),
    },
    caFile: env.AIS_CLIENT_CA || undefined,
    credentialsFile: join(configHome, 'gatehouse', 'credentials.json'),
    isColorOff: Boolean(env.NO_COLOR),
  }
}

/** A variable that a document names, for instance for the password of a new user. */
export function namedVariable(name: string, env: NonNullable<ConfigInput['env']> = process.env): string | undefined {
  return env[name]
}

/** Whether a configuration file or folder is named at all. */
export function isConfigNamed({ flags = {}, env = process.env }: ConfigInput = {}): boolean {
  return resolveConfigPath({ flags, env }) !== undefined
}

/** Fills in what follows from other settings; paths become absolute. */
function withDerived(
  given: ResolvedSettings,
  // Asked for only where it is needed.
  { file, cwd, home }: { file: AuthnJson | undefined; cwd: string; home: () => string | undefined },
): ResolvedSettings {
  const configFolder = file && dirname(file.file)
  const databaseFolder = given.databasePath.value && dirname(resolve(cwd, given.databasePath.value))
  const dataDir = given.dataDir.value
    ? resolve(cwd, given.dataDir.value)
    : databaseFolder || configFolder || ownFolder(home())
  const scheme = given.isHttps.value ? 'https' : 'http'
  return {
    ...given,
    configPath: { ...given.configPath, value: file?.file },
    dataDir: { ...given.dataDir, value: dataDir },
    masterKeyFile: {
      ...given.masterKeyFile,
      value: resolve(cwd, given.masterKeyFile.value ?? join(dataDir, 'master.key')),
    },
    signingKeyBits: { ...given.signingKeyBits, value: given.signingKeyBits.value ?? (given.rsaKeyBits.value || 2048) },
    privateKeyFile: {
      ...given.privateKeyFile,
      value: resolve(cwd, given.privateKeyFile.value ?? join(configFolder ?? dataDir, 'authn_rsa.key')),
    },
    certificateFile: { ...given.certificateFile, value: absolute(given.certificateFile.value, cwd) },
    keyFile: { ...given.keyFile, value: absolute(given.keyFile.value, cwd) },
    externalUrl: {
      ...given.externalUrl,
      value: given.externalUrl.value ?? `${scheme}://localhost:${given.port.value}`,
    },
  }
}

function ownFolder(home: string | undefined): string {
  if (home !== undefined) return join(home, '.gatehouse')
  throw new ConfigError('this user has no home folder to keep data in: name one with --data-dir or GATEHOUSE_DATA_DIR')
}

/** Undefined where it is unknown: the user of a container may have no entry. */
function homeFolder(env: NonNullable<ConfigInput['env']>): string | undefined {
  if (env.HOME) return env.HOME
  try {
    return homedir() || undefined
  } catch {
    return undefined
  }
}

function absolute(path: string, cwd: string): string {
  return path === '' ? '' : resolve(cwd, path)
}

function toConfig(from: ResolvedSettings, file: ResolvedSettings): Config {
  const dataDir = from.dataDir.value ?? ''
  return {
    dataDir,
    databaseFile: join(dataDir, 'gatehouse.db'),
    masterKey: from.masterKey.value,
    masterKeyFile: from.masterKeyFile.value ?? '',
    sharedSecret: { value: from.secret.value, source: from.secret.source },
    tokenLifetime: { ms: from.tokenLifetime.value, source: from.tokenLifetime.source },
    maximumTokenLifetimeMs: from.maximumTokenLifetime.value,
    signingKey: {
      bits: from.signingKeyBits.value ?? 2048,
      isExternal: from.signingKeyMode.value === 'external',
      file: from.privateKeyFile.value ?? '',
      passphrase: from.privateKeyPassphrase.value,
      leadMs: from.keyLead.value,
    },
    logLevel: { value: from.logLevel.value, source: from.logLevel.source },
    net: {
      host: from.host.value,
      port: from.port.value,
      tls: from.isHttps.value
        ? { certificateFile: from.certificateFile.value, keyFile: from.keyFile.value }
        : undefined,
      externalUrl: from.externalUrl.value ?? '',
      headersTimeoutMs: from.headersTimeout.value,
    },
    operations: toOperations(from),
    outbound: {
      timeoutMs: from.outboundTimeout.value,
      isTlsVerified: !from.isVerifySkipped.value,
      authorities: { machineFile: from.authorityFile.value, extraFile: from.extraAuthorityFile.value },
    },
    firstAdministrator: { name: from.administratorName.value, password: from.administratorPassword.value },
    hasOpenReads: from.hasOpenReads.value,
    isNarrowingRevoked: from.isNarrowingRevoked.value,
    isLoginLimited: from.isLoginLimited.value,
    trustedProxies: from.trustedProxies.value,
    auditRetentionMs: from.auditRetention.value,
    delivery: {
      budgetMs: from.deliveryBudget.value,
      timeoutMs: from.deliveryTimeout.value,
      retryMs: from.deliveryRetry.value,
      parallel: from.deliveryParallel.value,
    },
    probe: { everyMs: from.probeEvery.value, resyncEveryMs: from.resyncEvery.value },
    authnFile: toAuthnFile(file),
  }
}

function toOperations({ operationsHost: host, operationsPort: port }: ResolvedSettings): Config['operations'] {
  if (port.value === 'off') return undefined
  const isRequired = host.source !== 'default' || port.source !== 'default'
  return { host: host.value, port: port.value, isRequired }
}

function toAuthnFile(file: ResolvedSettings): Config['authnFile'] {
  return {
    publicKey: file.publicKey.value ?? null,
    rsaKeyBits: file.rsaKeyBits.value,
    signingKey: {
      bits: file.signingKeyBits.value ?? (file.rsaKeyBits.value || 2048),
      mode: file.signingKeyMode.value,
    },
    db: { type: file.databaseType.value, filepath: file.databasePath.value },
    log: {
      dir: file.logDir.value,
      maxSizeBytes: file.logMaxSize.value,
      maxTotalBytes: file.logMaxTotal.value,
      flushIntervalMs: file.logFlushInterval.value,
    },
    net: {
      externalUrl: file.externalUrl.value ?? '',
      certificateFile: file.certificateFile.value,
      keyFile: file.keyFile.value,
      port: file.port.value,
      isHttps: file.isHttps.value,
    },
    defaultTimeoutMs: file.outboundTimeout.value,
  }
}
