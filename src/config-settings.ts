/**
 * Every setting of Gatehouse, one row each: how it is called in `authn.json`, in the environment and on the command
 * line, what it is when nobody sets it, and what is checked. Reading, `--help`, `gatehouse config` and the reference
 * document all come from this table.
 */
import type { Source } from './config.ts'
import { boolean, duration, durations, integer, type Kind, path, quotedInteger, size, text } from './config-kinds.ts'

export interface Setting<T, D extends T | undefined = T | undefined> {
  /** How it is shown. Where AIStore has a name for it, that name. */
  readonly name: string
  /** Dotted path of its member in `authn.json`. */
  readonly member?: string
  readonly env?: string
  /** Name of the flag, without the dashes. */
  readonly flag?: string
  readonly kind: Kind<T>
  /** The value where nobody sets it. Undefined: none, or worked out from others as `defaultNote` says. */
  readonly initial: D
  readonly defaultNote?: string
  /** `rule` completes "<what> must be …". */
  readonly check?: { readonly rule: string; holds(value: T, source: Source): boolean }
  readonly description: string
  readonly isSecret?: true
  /** Can be changed while the service runs; such a change is kept in the store. */
  readonly isRuntime?: true
  /** In the file, 0 stands for the default (Go's zero value). */
  readonly isZeroUnset?: true
  /** Read and shown for AIStore's sake, without any effect here. */
  readonly isUnused?: true
  /** The environment beats the flag, as AIStore has it. */
  readonly isEnvironmentFirst?: true
  /** Setting the variable to nothing is a mistake, not "not set". */
  readonly isEmptyRefused?: true
}

const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const kib = 1024
const gib = kib ** 3

export const settings = {
  configPath: row({
    name: 'config',
    env: 'AIS_AUTHN_CONF_DIR',
    flag: 'config',
    kind: path,
    initial: undefined,
    defaultNote: 'none: everything has its default',
    isEnvironmentFirst: true,
    description: 'the configuration file, or the folder that holds authn.json (the variable beats the flag)',
  }),
  dataDir: row({
    name: 'data_dir',
    env: 'GATEHOUSE_DATA_DIR',
    flag: 'data-dir',
    kind: path,
    initial: undefined,
    defaultNote: 'the folder of auth.db.filepath, else of the configuration file, else ~/.gatehouse',
    description: 'the folder of the database, the master key and the signing key',
  }),
  masterKey: row({
    name: 'master_key',
    env: 'GATEHOUSE_MASTER_KEY',
    kind: text,
    initial: undefined,
    defaultNote: 'taken from the master key file',
    isSecret: true,
    check: { rule: '32 bytes in base64', holds: is32BytesInBase64 },
    description: 'the key that seals stored tokens and secrets, 32 bytes in base64',
  }),
  masterKeyFile: row({
    name: 'master_key_file',
    env: 'GATEHOUSE_MASTER_KEY_FILE',
    flag: 'master-key-file',
    kind: path,
    initial: undefined,
    defaultNote: 'master.key in the data folder',
    description: 'the file of the master key; made at the first start where it is missing',
  }),
  secret: row({
    name: 'auth.secret',
    member: 'auth.secret',
    env: 'AIS_AUTHN_SECRET_KEY',
    kind: text,
    initial: '',
    isSecret: true,
    isRuntime: true,
    description: 'a secret shared with the clusters: tokens are signed with it (HS256) instead of an RSA key',
  }),
  tokenLifetime: row({
    name: 'auth.expiration_time',
    member: 'auth.expiration_time',
    env: 'GATEHOUSE_TOKEN_LIFETIME',
    flag: 'token-lifetime',
    kind: duration,
    initial: 24 * hourMs,
    isRuntime: true,
    isZeroUnset: true,
    check: { rule: 'at least 1m', holds: (ms) => ms >= minuteMs },
    description: 'how long a token lives where the login asks for nothing else',
  }),
  maximumTokenLifetime: row({
    name: 'auth.max_token_age',
    member: 'auth.max_token_age',
    env: 'GATEHOUSE_MAXIMUM_TOKEN_LIFETIME',
    flag: 'maximum-token-lifetime',
    kind: duration,
    initial: 90 * 24 * hourMs,
    isZeroUnset: true,
    check: { rule: 'at least 1m', holds: (ms) => ms >= minuteMs },
    description: 'the longest life that a login may ask for',
  }),
  publicKey: row({
    name: 'auth.public_key',
    member: 'auth.public_key',
    kind: text,
    initial: undefined,
    isUnused: true,
    description: 'shown in the configuration, otherwise unused',
  }),
  rsaKeyBits: row({
    name: 'auth.rsa_key_bits',
    member: 'auth.rsa_key_bits',
    kind: integer,
    initial: 0,
    isZeroUnset: true,
    check: { rule: '2048 to 16384', holds: (bits) => bits === 0 || isKeySize(bits) },
    description: 'the former name of auth.signing_key.bits, used where that one is not set',
  }),
  signingKeyBits: row({
    name: 'auth.signing_key.bits',
    member: 'auth.signing_key.bits',
    kind: integer,
    initial: undefined,
    defaultNote: 'auth.rsa_key_bits, else 2048',
    isZeroUnset: true,
    check: { rule: '2048 to 16384', holds: isKeySize },
    description: 'the size of a new RSA signing key',
  }),
  signingKeyMode: row({
    name: 'auth.signing_key.mode',
    member: 'auth.signing_key.mode',
    kind: text,
    initial: '',
    check: { rule: 'empty or "external"', holds: (mode) => mode === '' || mode === 'external' },
    description: '"external": the signing key is brought by somebody else, never made or rotated here',
  }),
  privateKeyFile: row({
    name: 'private_key_file',
    env: 'AIS_AUTHN_PRIVATE_KEY_FILE',
    flag: 'private-key-file',
    kind: path,
    initial: undefined,
    defaultNote: 'authn_rsa.key beside the configuration file, else in the data folder',
    description: 'the file of the RSA signing key (PKCS#8)',
  }),
  privateKeyPassphrase: row({
    name: 'private_key_passphrase',
    env: 'AIS_AUTHN_PRIVATE_KEY_PASS',
    kind: text,
    initial: undefined,
    defaultNote: 'none: the file is not encrypted',
    isSecret: true,
    isEmptyRefused: true,
    description: 'the passphrase under which the file of the signing key is encrypted',
  }),
  databaseType: row({
    name: 'auth.db.type',
    member: 'auth.db.type',
    kind: text,
    initial: '',
    isUnused: true,
    check: { rule: 'empty or "BuntDB"', holds: (type) => type === '' || type === 'BuntDB' },
    description: "the kind of AIStore AuthN's own database",
  }),
  databasePath: row({
    name: 'auth.db.filepath',
    member: 'auth.db.filepath',
    kind: text,
    initial: '',
    description: "AIStore AuthN's own database; its folder is the default of data_dir",
  }),
  logDir: row({
    name: 'log.dir',
    member: 'log.dir',
    env: 'AIS_AUTHN_LOG_DIR',
    kind: text,
    initial: '',
    isUnused: true,
    description: 'log files of AIStore AuthN; Gatehouse logs to standard output',
  }),
  logLevel: row({
    name: 'log.level',
    member: 'log.level',
    env: 'GATEHOUSE_LOG_LEVEL',
    flag: 'log-level',
    kind: quotedInteger,
    initial: 3,
    isRuntime: true,
    check: { rule: '0 to 5', holds: (level) => level >= 0 && level <= 5 },
    description: '0 and 1: errors and warnings; 2 and 3: normal; 4 and 5: verbose',
  }),
  logMaxSize: row({
    name: 'log.max_size',
    member: 'log.max_size',
    kind: size,
    initial: 4 * kib ** 2,
    isZeroUnset: true,
    isUnused: true,
    check: { rule: '1KiB to 1GiB', holds: (bytes) => bytes >= kib && bytes <= gib },
    description: 'size of one log file of AIStore AuthN',
  }),
  logMaxTotal: row({
    name: 'log.max_total',
    member: 'log.max_total',
    kind: size,
    initial: 64 * kib ** 2,
    isZeroUnset: true,
    isUnused: true,
    description: 'size of all log files of AIStore AuthN, at least twice log.max_size',
  }),
  logFlushInterval: row({
    name: 'log.flush_interval',
    member: 'log.flush_interval',
    kind: duration,
    initial: 30 * secondMs,
    isZeroUnset: true,
    isUnused: true,
    check: { rule: 'at least 10s', holds: (ms) => ms >= 10 * secondMs },
    description: 'how often AIStore AuthN writes its log files out',
  }),
  externalUrl: row({
    name: 'net.external_url',
    member: 'net.external_url',
    env: 'AIS_AUTHN_EXTERNAL_URL',
    flag: 'external-url',
    kind: text,
    initial: undefined,
    defaultNote: 'http://localhost:<port>, or https://… with net.http.use_https',
    check: { rule: 'an http or https URL with a host, without user, query or fragment', holds: isBaseUrl },
    description: 'where clusters and clients reach Gatehouse; the issuer of its tokens, character for character',
  }),
  certificateFile: row({
    name: 'net.http.server_crt',
    member: 'net.http.server_crt',
    env: 'AIS_SERVER_CRT',
    flag: 'tls-certificate',
    kind: path,
    initial: '',
    description: 'the certificate (PEM, with its chain); read again when it changes',
  }),
  keyFile: row({
    name: 'net.http.server_key',
    member: 'net.http.server_key',
    env: 'AIS_SERVER_KEY',
    flag: 'tls-key',
    kind: path,
    initial: '',
    description: "the certificate's private key (PEM); read again when it changes",
  }),
  port: row({
    name: 'net.http.port',
    member: 'net.http.port',
    env: 'AIS_AUTHN_PORT',
    flag: 'port',
    kind: integer,
    initial: 52001,
    isZeroUnset: true,
    check: { rule: '1024 to 65535 (or 0 for any free one, as a flag or in the environment)', holds: isPort },
    description: 'the port to listen on',
  }),
  isHttps: row({
    name: 'net.http.use_https',
    member: 'net.http.use_https',
    env: 'AIS_AUTHN_USE_HTTPS',
    flag: 'https',
    kind: boolean,
    initial: false,
    description: 'serve HTTPS instead of HTTP',
  }),
  host: row({
    name: 'net.host',
    env: 'GATEHOUSE_HOST',
    flag: 'host',
    kind: text,
    initial: undefined,
    defaultNote: 'all interfaces',
    description: 'the interface to listen on',
  }),
  headersTimeout: row({
    name: 'net.read_header_timeout',
    env: 'AIS_READ_HEADER_TIMEOUT',
    kind: duration,
    initial: 16 * secondMs,
    check: { rule: '1s to 1h', holds: (ms) => ms >= secondMs && ms <= hourMs },
    description: 'how long a client may take to send the headers of a request',
  }),
  outboundTimeout: row({
    name: 'timeout.default_timeout',
    member: 'timeout.default_timeout',
    kind: duration,
    initial: 30 * secondMs,
    isZeroUnset: true,
    check: { rule: 'at least 1s', holds: (ms) => ms >= secondMs },
    description: 'time limit of a call to a cluster that somebody waits for',
  }),
  isVerifySkipped: row({
    name: 'skip_verify_crt',
    env: 'AIS_AUTHN_SKIP_VERIFY_CRT',
    kind: boolean,
    initial: false,
    description: "take any certificate from a cluster (for tests: whoever stands between reads the service's tokens)",
  }),
  administratorName: row({
    name: 'administrator.name',
    env: 'AIS_AUTHN_SU_NAME',
    kind: text,
    initial: 'admin',
    description: 'the name of the first administrator; read only while there are no users',
  }),
  administratorPassword: row({
    name: 'administrator.password',
    env: 'AIS_AUTHN_SU_PASS',
    kind: text,
    initial: undefined,
    defaultNote: 'made at random and printed once',
    isSecret: true,
    description: 'the password of the first administrator; read only while there are no users',
  }),
  hasOpenReads: row({
    name: 'open_reads',
    env: 'AIS_AUTHN_OPEN_READS',
    flag: 'open-reads',
    kind: boolean,
    initial: false,
    description: 'show clusters and roles to everybody without a token, as AIStore AuthN does',
  }),
  deliveryBudget: row({
    name: 'delivery.budget',
    env: 'GATEHOUSE_REVOCATION_BUDGET',
    flag: 'revocation-budget',
    kind: duration,
    initial: 250,
    check: { rule: '0s to 1m', holds: (ms) => ms >= 0 && ms <= minuteMs },
    description: 'how long the answer to a revocation waits for the clusters that are up',
  }),
  deliveryTimeout: row({
    name: 'delivery.timeout',
    env: 'GATEHOUSE_DELIVERY_TIMEOUT',
    flag: 'delivery-timeout',
    kind: duration,
    initial: 10 * secondMs,
    check: { rule: '100ms to 5m', holds: (ms) => ms >= 100 && ms <= 5 * minuteMs },
    description: 'time limit of one push of revocations to a cluster',
  }),
  deliveryRetry: row({
    name: 'delivery.retry',
    env: 'GATEHOUSE_DELIVERY_RETRY',
    flag: 'delivery-retry',
    kind: durations,
    initial: [500, 1000, 2000, 5000, 10_000, 15_000, 30_000],
    check: { rule: 'pauses of 10ms to 1h', holds: (list) => list.every((ms) => ms >= 10 && ms <= hourMs) },
    description: 'pauses after the first, second, … failed push; the last one repeats for ever',
  }),
  deliveryParallel: row({
    name: 'delivery.parallel',
    env: 'GATEHOUSE_DELIVERY_PARALLEL',
    flag: 'delivery-parallel',
    kind: integer,
    initial: 256,
    check: { rule: '1 to 10000', holds: (count) => count >= 1 && count <= 10_000 },
    description: 'how many clusters are pushed to at once',
  }),
}

export type SettingKey = keyof typeof settings
/** A row whose type of value doesn't matter. */
export type AnySetting = Setting<unknown>

/** The table in its order. */
export const settingRows = Object.entries<AnySetting>(settings) as readonly (readonly [SettingKey, AnySetting])[]

/** The type of a setting's value once it is read. */
export type ValueOf<S> = S extends Setting<infer T, infer D> ? T | D : never

function row<T, const D extends T | undefined>(setting: Setting<T, D>): Setting<T, D> {
  return setting
}

function is32BytesInBase64(given: string): boolean {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(given) && Buffer.from(given, 'base64').length === 32
}

function isKeySize(bits: number): boolean {
  return bits >= 2048 && bits <= 16_384
}

function isPort(port: number, source: Source): boolean {
  return (port >= 1024 && port <= 65_535) || (port === 0 && source !== 'file')
}

function isBaseUrl(given: string): boolean {
  if (!/^https?:\/\/[^\s]+$/i.test(given) || !URL.canParse(given)) return false
  const url = new URL(given)
  return url.hostname !== '' && url.username === '' && url.password === '' && !/[?#]/.test(given)
}
