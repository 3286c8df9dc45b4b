import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type ConfigInput, clientSettings, loadConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { settingRows } from '../src/config-settings.ts'

const secret = randomBytes(12).toString('hex')

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
}

/** A configuration folder with this authn.json. */
function folderWith(content: unknown): string {
  const made = folder()
  writeFileSync(join(made, 'authn.json'), typeof content === 'string' ? content : JSON.stringify(content))
  return made
}

function load({ flags = {}, env = {}, cwd = '/' }: ConfigInput = {}) {
  return loadConfig({ flags, env: { HOME: '/home/somebody', ...env }, cwd })
}

function loadFile(content: unknown, env: ConfigInput['env'] = {}) {
  return load({ flags: { config: folderWith(content) }, env })
}

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    const { message } = error as ConfigError
    expect(message).not.toContain('\n')
    return message
  }
  throw new Error('it was not refused')
}

describe('where nothing is set', () => {
  test('every setting has its default', () => {
    expect(load()).toEqual({
      dataDir: '/home/somebody/.gatehouse',
      databaseFile: '/home/somebody/.gatehouse/gatehouse.db',
      masterKey: undefined,
      masterKeyFile: '/home/somebody/.gatehouse/master.key',
      sharedSecret: { value: '', source: 'default' },
      tokenLifetime: { ms: 86_400_000, source: 'default' },
      maximumTokenLifetimeMs: 7_776_000_000,
      signingKey: {
        bits: 2048,
        isExternal: false,
        file: '/home/somebody/.gatehouse/authn_rsa.key',
        passphrase: undefined,
        leadMs: 0,
      },
      logLevel: { value: 3, source: 'default' },
      net: {
        host: undefined,
        port: 52001,
        tls: undefined,
        externalUrl: 'http://localhost:52001',
        headersTimeoutMs: 16_000,
      },
      operations: { host: '127.0.0.1', port: 52_002, isRequired: false },
      outbound: {
        timeoutMs: 30_000,
        isTlsVerified: true,
        authorities: { machineFile: undefined, extraFile: undefined },
      },
      firstAdministrator: { name: 'admin', password: undefined },
      hasOpenReads: false,
      isNarrowingRevoked: false,
      isLoginLimited: true,
      trustedProxies: [],
      auditRetentionMs: 365 * 86_400_000,
      delivery: {
        budgetMs: 250,
        timeoutMs: 10_000,
        retryMs: [500, 1000, 2000, 5000, 10_000, 15_000, 30_000],
        parallel: 256,
      },
      probe: { everyMs: 10_000, resyncEveryMs: 600_000 },
      authnFile: {
        publicKey: null,
        rsaKeyBits: 0,
        signingKey: { bits: 2048, mode: '' },
        db: { type: '', filepath: '' },
        log: { dir: '', maxSizeBytes: 4_194_304, maxTotalBytes: 67_108_864, flushIntervalMs: 30_000 },
        net: { externalUrl: '', certificateFile: '', keyFile: '', port: 52001, isHttps: false },
        defaultTimeoutMs: 30_000,
      },
    })
  })

  test('variables that are set to nothing count as not set', () => {
    const empty = Object.fromEntries(
      settingRows
        .filter(([, { env, isEmptyRefused }]) => env !== undefined && !isEmptyRefused)
        .map(([, { env }]) => [env ?? '', '']),
    )
    expect(load({ env: empty })).toEqual(load())
  })

  test('an empty authn.json, or one of nulls and zeros, changes only where the data lies', () => {
    const zeros = {
      auth: {
        secret: '',
        expiration_time: '0',
        max_token_age: '0s',
        public_key: null,
        rsa_key_bits: 0,
        signing_key: { bits: 0, mode: '' },
        db: { type: '', filepath: '' },
      },
      log: { dir: '', level: '', max_size: '0', max_total: '', flush_interval: '0s' },
      net: { external_url: '', http: { server_crt: '', server_key: '', port: 0, use_https: false } },
      timeout: null,
    }
    for (const content of [{}, zeros]) {
      const { dataDir, databaseFile, masterKeyFile, signingKey, ...config } = loadFile(content)
      expect(load()).toMatchObject({ ...config, signingKey: { ...signingKey, file: expect.any(String) } })
      expect([dataDir, databaseFile, masterKeyFile, signingKey.file].join()).toContain('gatehouse-config-')
    }
  })
})

describe('authn.json', () => {
  const whole = {
    auth: {
      secret,
      expiration_time: '1h30m',
      max_token_age: '1.5h',
      public_key: 'text',
      rsa_key_bits: 4096,
      signing_key: { bits: 3072 },
      db: { type: 'BuntDB', filepath: '/srv/ais/authn.db' },
    },
    log: { dir: '/var/log/ais', level: '5', max_size: '1mb', max_total: '2M', flush_interval: '10s' },
    net: {
      external_url: 'https://authn.example:8443/base/',
      http: { server_crt: '/certs/tls.crt', server_key: '/certs/tls.key', port: 8443, use_https: true },
    },
    timeout: { default_timeout: '1s' },
  }

  test('every member arrives, durations and sizes in the forms of Go', () => {
    expect(loadFile(whole)).toMatchObject({
      dataDir: '/srv/ais',
      sharedSecret: { value: secret, source: 'file' },
      tokenLifetime: { ms: 5_400_000, source: 'file' },
      maximumTokenLifetimeMs: 5_400_000,
      signingKey: { bits: 3072, isExternal: false },
      logLevel: { value: 5, source: 'file' },
      net: {
        port: 8443,
        tls: { certificateFile: '/certs/tls.crt', keyFile: '/certs/tls.key' },
        externalUrl: 'https://authn.example:8443/base/',
      },
      outbound: { timeoutMs: 1000 },
      authnFile: {
        publicKey: 'text',
        rsaKeyBits: 4096,
        signingKey: { bits: 3072, mode: '' },
        db: { type: 'BuntDB', filepath: '/srv/ais/authn.db' },
        log: { dir: '/var/log/ais', maxSizeBytes: 1_048_576, maxTotalBytes: 2_097_152, flushIntervalMs: 10_000 },
        net: { port: 8443, isHttps: true, certificateFile: '/certs/tls.crt', keyFile: '/certs/tls.key' },
        defaultTimeoutMs: 1000,
      },
    })
  })

  test('the former name of the key size counts where the present one is not set', () => {
    const config = loadFile({ auth: { rsa_key_bits: 4096 } })
    expect(config.signingKey.bits).toBe(4096)
    expect(config.authnFile.signingKey.bits).toBe(4096)
  })

  test('log level 0 is a level, not "not set"', () => {
    expect(loadFile({ log: { level: '0' } }).logLevel).toMatchObject({ value: 0, source: 'file' })
  })

  test('the environment does not show in what the daemon configuration answers', () => {
    const config = loadFile(whole, { AIS_AUTHN_PORT: '9000', AIS_SERVER_CRT: '/other.crt' })
    expect(config.net).toMatchObject({ port: 9000, tls: { certificateFile: '/other.crt' } })
    expect(config.authnFile.net).toMatchObject({ port: 8443, certificateFile: '/certs/tls.crt' })
  })

  const refused: readonly [title: string, content: unknown, ...says: string[]][] = [
    ['an unknown section', { auht: {} }, 'unknown member auht'],
    ['an unknown member', { auth: { rsa: {} } }, 'unknown member auth.rsa'],
    ['another spelling', { auth: { Secret: '' } }, 'unknown member auth.Secret', 'is auth.secret meant?'],
    ['a dotted name', { 'auth.secret': 'x' }, 'unknown member auth.secret'],
    ['a member in the wrong place', { port: 1 }, 'unknown member port', 'is net.http.port meant?'],
    ['a member below a value', { log: { level: { x: 1 } } }, 'log.level', 'JSON string'],
    ['a section that is a value', { net: { http: 'x' } }, 'net.http', 'object'],
    ['a log level without quotes', { log: { level: 3 } }, 'log.level', 'JSON string'],
    ['a port in quotes', { net: { http: { port: '52001' } } }, 'net.http.port', 'JSON number'],
    ['a duration as a number', { timeout: { default_timeout: 30 } }, 'timeout.default_timeout', 'JSON string'],
    ['days', { auth: { expiration_time: '1d' } }, 'auth.expiration_time', 'duration', '"1d"'],
    ['a bare number of time', { log: { flush_interval: '40' } }, 'log.flush_interval', 'duration'],
    ['a size that is none', { log: { max_size: '4 parsecs' } }, 'log.max_size', 'size'],
    ['a life under a minute', { auth: { expiration_time: '59s' } }, 'auth.expiration_time', 'at least 1m'],
    ['a maximum under a minute', { auth: { max_token_age: '59s' } }, 'auth.max_token_age', 'at least 1m'],
    [
      'a life above the maximum',
      { auth: { expiration_time: '48h', max_token_age: '24h' } },
      'auth.expiration_time (48h0m)',
      'auth.max_token_age (24h0m)',
    ],
    ['a default life above the maximum', { auth: { max_token_age: '1h' } }, 'auth.expiration_time (24h0m)'],
    ['a short key', { auth: { signing_key: { bits: 1024 } } }, 'auth.signing_key.bits', '2048'],
    ['a short key by its former name', { auth: { rsa_key_bits: 1024 } }, 'auth.rsa_key_bits', '2048'],
    ['an unknown key mode', { auth: { signing_key: { mode: 'hsm' } } }, 'auth.signing_key.mode', 'external'],
    ['another database', { auth: { db: { type: 'redis' } } }, 'auth.db.type', 'BuntDB'],
    ['a log level of 6', { log: { level: '6' } }, 'log.level', '0 to 5'],
    ['a log level in words', { log: { level: 'debug' } }, 'log.level', 'whole number'],
    ['tiny log files', { log: { max_size: '1023' } }, 'log.max_size', '1KiB to 1GiB'],
    ['huge log files', { log: { max_size: '2GiB', max_total: '8GiB' } }, 'log.max_size', '1KiB to 1GiB'],
    ['room for one log file', { log: { max_size: '4M', max_total: '7M' } }, 'log.max_total', 'twice log.max_size'],
    ['hasty flushing', { log: { flush_interval: '9s' } }, 'log.flush_interval', 'at least 10s'],
    ['a short time limit', { timeout: { default_timeout: '999ms' } }, 'timeout.default_timeout', 'at least 1s'],
    ['a low port', { net: { http: { port: 1023 } } }, 'net.http.port', '1024 to 65535'],
    ['a high port', { net: { http: { port: 65536 } } }, 'net.http.port', '1024 to 65535'],
    ['half a port', { net: { http: { port: 8080.5 } } }, 'net.http.port', 'whole number'],
    ['a URL without a scheme', { net: { external_url: 'authn.example' } }, 'net.external_url', 'http or https URL'],
    ['another scheme', { net: { external_url: 'ftp://authn.example' } }, 'net.external_url', 'http or https URL'],
    ['a URL without a host', { net: { external_url: 'http://' } }, 'net.external_url', 'http or https URL'],
    ['a query in the URL', { net: { external_url: 'http://h/?a=b' } }, 'net.external_url', 'query'],
    ['HTTPS without anything', { net: { http: { use_https: true } } }, 'certificate', 'private key', 'use_https'],
    ['HTTPS without a key', { net: { http: { use_https: true, server_crt: '/c' } } }, 'private key'],
    ['an external key under a secret', { auth: { secret, signing_key: { mode: 'external' } } }, 'external', 'secret'],
    ['a list', [], 'JSON object'],
    ['text that is not JSON', '{\n "auth": {\n }', 'not valid JSON'],
  ]
  test.each(refused)('%s is refused in one line that says what is wrong', (_title, content, ...says) => {
    const message = refusal(() => loadFile(content))
    for (const said of says) expect(message).toContain(said)
    expect(message).not.toContain(secret)
  })

  test('a file that is not JSON is refused without showing what stands in it', () => {
    expect(refusal(() => loadFile(`{"auth":{"secret":"${secret}",}}`))).not.toContain(secret)
    expect(refusal(() => loadFile(`${secret}`))).not.toContain(secret.slice(0, 6))
  })

  test('a secret of the wrong type is refused without showing it', () => {
    expect(refusal(() => loadFile({ auth: { secret: [secret] } }))).not.toContain(secret)
  })

  test('a missing file is named, also where its folder is given', () => {
    const empty = folder()
    expect(refusal(() => load({ flags: { config: empty } }))).toContain(join(empty, 'authn.json'))
    expect(refusal(() => load({ flags: { config: '/nowhere/x.json' } }))).toContain('/nowhere/x.json')
  })

  test('a file that only can be read is enough', () => {
    const made = folderWith({ log: { level: '1' } })
    chmodSync(join(made, 'authn.json'), 0o400)
    expect(load({ flags: { config: join(made, 'authn.json') } }).logLevel.value).toBe(1)
  })
})

describe('flags and environment', () => {
  const key = randomBytes(32).toString('base64')
  const each: readonly [variable: string, value: string, expected: object][] = [
    ['AIS_AUTHN_LOG_DIR', '/logs', {}],
    ['AIS_AUTHN_PORT', '1024', { net: { port: 1024, externalUrl: 'http://localhost:1024' } }],
    ['AIS_AUTHN_PORT', '0', { net: { port: 0 } }],
    ['AIS_AUTHN_EXTERNAL_URL', 'HTTP://Authn.example/', { net: { externalUrl: 'HTTP://Authn.example/' } }],
    ['AIS_AUTHN_SECRET_KEY', secret, { sharedSecret: { value: secret, source: 'environment' } }],
    ['AIS_AUTHN_PRIVATE_KEY_FILE', 'keys/rsa', { signingKey: { file: '/keys/rsa' } }],
    ['AIS_AUTHN_PRIVATE_KEY_PASS', secret, { signingKey: { passphrase: secret } }],
    ['AIS_AUTHN_SU_NAME', 'root', { firstAdministrator: { name: 'root' } }],
    ['AIS_AUTHN_SU_PASS', secret, { firstAdministrator: { password: secret } }],
    ['AIS_AUTHN_SKIP_VERIFY_CRT', 'yes', { outbound: { isTlsVerified: false } }],
    ['SSL_CERT_FILE', '/etc/ca.pem', { outbound: { authorities: { machineFile: '/etc/ca.pem' } } }],
    ['NODE_EXTRA_CA_CERTS', '/etc/ca.pem', { outbound: { authorities: { extraFile: '/etc/ca.pem' } } }],
    ['AIS_READ_HEADER_TIMEOUT', '1m', { net: { headersTimeoutMs: 60_000 } }],
    ['AIS_AUTHN_OPEN_READS', 'on', { hasOpenReads: true }],
    ['GATEHOUSE_REVOKE_NARROWED', 'on', { isNarrowingRevoked: true }],
    ['GATEHOUSE_LOGIN_LIMITS', 'off', { isLoginLimited: false }],
    ['GATEHOUSE_TRUSTED_PROXIES', '10.0.0.0/8, fd00::1', { trustedProxies: ['10.0.0.0/8', 'fd00::1'] }],
    ['GATEHOUSE_AUDIT_RETENTION', '48h', { auditRetentionMs: 172_800_000 }],
    ['GATEHOUSE_DATA_DIR', 'data', { dataDir: '/data', databaseFile: '/data/gatehouse.db' }],
    ['GATEHOUSE_MASTER_KEY', key, { masterKey: key }],
    ['GATEHOUSE_MASTER_KEY_FILE', '/run/master', { masterKeyFile: '/run/master' }],
    ['GATEHOUSE_HOST', '127.0.0.1', { net: { host: '127.0.0.1' } }],
    ['GATEHOUSE_OPS_HOST', '::1', { operations: { host: '::1', port: 52_002, isRequired: true } }],
    ['GATEHOUSE_OPS_PORT', '0', { operations: { port: 0, isRequired: true } }],
    ['GATEHOUSE_OPS_PORT', 'off', { operations: undefined }],
    ['GATEHOUSE_LOG_LEVEL', '4', { logLevel: { value: 4, source: 'environment' } }],
    ['GATEHOUSE_TOKEN_LIFETIME', '5m', { tokenLifetime: { ms: 300_000, source: 'environment' } }],
    ['GATEHOUSE_MAXIMUM_TOKEN_LIFETIME', '48h', { maximumTokenLifetimeMs: 172_800_000 }],
    ['GATEHOUSE_REVOCATION_BUDGET', '0', { delivery: { budgetMs: 0 } }],
    ['GATEHOUSE_DELIVERY_TIMEOUT', '2s', { delivery: { timeoutMs: 2000 } }],
    ['GATEHOUSE_DELIVERY_RETRY', '1s, 5s', { delivery: { retryMs: [1000, 5000] } }],
    ['GATEHOUSE_DELIVERY_PARALLEL', '8', { delivery: { parallel: 8 } }],
    ['GATEHOUSE_PROBE_EVERY', '30s', { probe: { everyMs: 30_000 } }],
    ['GATEHOUSE_RESYNC_EVERY', '1h', { probe: { resyncEveryMs: 3_600_000 } }],
    ['GATEHOUSE_KEY_LEAD', '45s', { signingKey: { leadMs: 45_000 } }],
  ]
  test.each(each)('%s=%s is read', (variable, value, expected) => {
    expect(load({ env: { [variable]: value } })).toMatchObject(expected)
  })

  test('every variable of the table is read by a test', () => {
    const tested = new Set([...each.map(([name]) => name), 'AIS_AUTHN_CONF_DIR'])
    const ofHttps = ['AIS_AUTHN_USE_HTTPS', 'AIS_SERVER_CRT', 'AIS_SERVER_KEY']
    const all = settingRows.map(([, { env }]) => env).filter((env) => env !== undefined)
    expect(all.filter((env) => !tested.has(env) && !ofHttps.includes(env))).toEqual([])
    expect(new Set(all).size).toBe(all.length)
  })

  test('HTTPS is switched on by the environment, with the issuer that follows', () => {
    const env = { AIS_AUTHN_USE_HTTPS: 't', AIS_SERVER_CRT: 'tls.crt', AIS_SERVER_KEY: 'tls.key' }
    expect(load({ env, cwd: '/certs' }).net).toMatchObject({
      tls: { certificateFile: '/certs/tls.crt', keyFile: '/certs/tls.key' },
      externalUrl: 'https://localhost:52001',
    })
    expect(refusal(() => load({ env: { AIS_AUTHN_USE_HTTPS: 'T' } }))).toContain('AIS_AUTHN_USE_HTTPS')
  })

  test.each([
    ['1 t T true TRUE True y yes YES on', true],
    ['0 f F false FALSE n no No off', false],
  ])('%s are %s', (words, expected) => {
    for (const word of words.split(' ')) {
      expect(load({ env: { AIS_AUTHN_OPEN_READS: word } }).hasOpenReads, word).toBe(expected)
    }
  })

  const refused: readonly [variable: string, value: string, ...says: string[]][] = [
    ['AIS_AUTHN_PORT', 'http', 'AIS_AUTHN_PORT', 'whole number', '"http"'],
    ['AIS_AUTHN_PORT', '80', 'AIS_AUTHN_PORT', '1024 to 65535'],
    ['AIS_AUTHN_USE_HTTPS', 'maybe', 'AIS_AUTHN_USE_HTTPS', 'true or false'],
    ['AIS_READ_HEADER_TIMEOUT', '16', 'AIS_READ_HEADER_TIMEOUT', 'duration'],
    ['AIS_AUTHN_PRIVATE_KEY_PASS', '', 'AIS_AUTHN_PRIVATE_KEY_PASS', 'empty'],
    ['GATEHOUSE_MASTER_KEY', secret, 'GATEHOUSE_MASTER_KEY', '32 bytes in base64'],
    ['GATEHOUSE_DELIVERY_RETRY', '1s,,2s', 'GATEHOUSE_DELIVERY_RETRY', 'durations'],
    ['GATEHOUSE_DELIVERY_RETRY', '0', 'GATEHOUSE_DELIVERY_RETRY', '10ms'],
    ['GATEHOUSE_DELIVERY_TIMEOUT', '1ms', 'GATEHOUSE_DELIVERY_TIMEOUT', '100ms'],
    ['GATEHOUSE_REVOCATION_BUDGET', '-1s', 'GATEHOUSE_REVOCATION_BUDGET', '0s to 1m'],
    ['GATEHOUSE_DELIVERY_PARALLEL', '0', 'GATEHOUSE_DELIVERY_PARALLEL', '1 to 10000'],
  ]
  test.each(refused)('%s=%s is refused by its name', (variable, value, ...says) => {
    const message = refusal(() => load({ env: { [variable]: value } }))
    for (const said of says) expect(message).toContain(said)
    expect(message).not.toContain(secret)
  })

  test('a flag beats the environment, the environment the file, the file the default', () => {
    const config = folderWith({ net: { http: { port: 3000 } } })
    const env = { AIS_AUTHN_PORT: '4000' }
    expect(load({ flags: { config, port: '5000' }, env }).net.port).toBe(5000)
    expect(load({ flags: { config }, env }).net.port).toBe(4000)
    expect(load({ flags: { config } }).net.port).toBe(3000)
  })

  test('a flag that stands alone is a yes', () => {
    expect(load({ flags: { 'open-reads': true } }).hasOpenReads).toBe(true)
    expect(load({ flags: { 'open-reads': 'no' }, env: { AIS_AUTHN_OPEN_READS: '1' } }).hasOpenReads).toBe(false)
  })

  test('AIS_AUTHN_CONF_DIR beats the flag', () => {
    const [one, other] = [1, 2].map((level) => folderWith({ log: { level: String(level) } }))
    const env = { AIS_AUTHN_CONF_DIR: other }
    expect(load({ flags: { config: one }, env }).logLevel.value).toBe(2)
    expect(load({ flags: { config: one } }).logLevel.value).toBe(1)
  })

  test('AIS_SKIP_VERIFY_CRT, AIS_AUTHN_TTL and AIS_AUTHN_LOG_LEVEL are not for the server', () => {
    const env = { AIS_SKIP_VERIFY_CRT: '1', AIS_AUTHN_TTL: '1h', AIS_AUTHN_LOG_LEVEL: '5' }
    expect(load({ env })).toEqual(load())
  })

  test('a master key that is given twice is refused', () => {
    const env = { GATEHOUSE_MASTER_KEY: key, GATEHOUSE_MASTER_KEY_FILE: '/run/master' }
    expect(refusal(() => load({ env }))).toContain('GATEHOUSE_MASTER_KEY_FILE')
  })
})

test('data lies where it is said, else beside the old database, else beside the configuration', () => {
  const plain = folderWith({})
  const withDatabase = folderWith({ auth: { db: { filepath: 'db/authn.db' } } })
  const env = { GATEHOUSE_DATA_DIR: '/from/env' }
  expect(load({ flags: { config: withDatabase, 'data-dir': 'here' }, env, cwd: '/w' }).dataDir).toBe('/w/here')
  expect(load({ flags: { config: withDatabase }, env }).dataDir).toBe('/from/env')
  const beside = load({ flags: { config: withDatabase }, cwd: '/w' })
  expect(beside).toMatchObject({ dataDir: '/w/db', masterKeyFile: '/w/db/master.key' })
  expect(beside.signingKey.file).toBe(join(withDatabase, 'authn_rsa.key'))
  expect(load({ flags: { config: plain } })).toMatchObject({
    dataDir: plain,
    databaseFile: join(plain, 'gatehouse.db'),
  })
})

test('a user without a home folder must say where data is to lie', () => {
  vi.stubEnv('HOME', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(refusal(() => loadConfig({ env: {}, cwd: '/' }))).toContain('--data-dir')
  expect(loadConfig({ env: { GATEHOUSE_DATA_DIR: '/data' }, cwd: '/' }).dataDir).toBe('/data')
  expect(clientSettings({}).credentialsFile).toBe('/.config/gatehouse/credentials.json')
})

describe('what the commands that talk to a server are told by the environment', () => {
  const HOME = '/home/somebody'

  test('where nothing is set, files lie where they are looked for', () => {
    expect(clientSettings({ HOME })).toEqual({
      url: undefined,
      token: undefined,
      tokenFile: { path: '/home/somebody/.config/ais/cli/auth.token', isNamed: false },
      caFile: undefined,
      credentialsFile: '/home/somebody/.config/gatehouse/credentials.json',
      isColorOff: false,
    })
  })

  test.each([
    [{ AIS_AUTHN_URL: 'http://a' }, { url: { value: 'http://a', origin: 'AIS_AUTHN_URL' } }],
    [{ AIS_AUTHN_URL: 'http://a', GATEHOUSE_URL: 'http://g' }, { url: { value: 'http://g', origin: 'GATEHOUSE_URL' } }],
    [{ AIS_AUTHN_TOKEN: secret }, { token: secret }],
    [{ AIS_AUTHN_TOKEN: '' }, { token: undefined }],
    [{ AIS_AUTHN_TOKEN_FILE: '/t' }, { tokenFile: { path: '/t', isNamed: true } }],
    [{ AIS_CLIENT_CA: '/ca.pem' }, { caFile: '/ca.pem' }],
    [{ XDG_CONFIG_HOME: '/c' }, { credentialsFile: '/c/gatehouse/credentials.json' }],
    [{ NO_COLOR: '1' }, { isColorOff: true }],
  ])('%j is read', (env, expected) => {
    expect(clientSettings({ HOME, ...env })).toMatchObject(expected)
  })
})
