import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../src/config.ts'

/** The configuration that tests start from: the defaults, on loopback, in a folder of their own. */
export function testConfig(options: {
  readonly folder: string
  readonly port: number
  readonly databaseFile: string
  readonly sharedSecret: string
  readonly administrator: { readonly name: string; readonly password: string }
  readonly hasOpenReads: boolean
  readonly delivery: Partial<Config['delivery']>
}): Config {
  const { folder, port, sharedSecret } = options
  return {
    dataDir: folder,
    databaseFile: options.databaseFile,
    masterKey: randomBytes(32).toString('base64'),
    masterKeyFile: join(folder, 'master.key'),
    sharedSecret: { value: sharedSecret, source: 'default' },
    tokenLifetime: { ms: 24 * 3_600_000, source: 'default' },
    maximumTokenLifetimeMs: 2160 * 3_600_000,
    signingKey: {
      bits: 2048,
      isExternal: false,
      file: join(folder, 'authn_rsa.key'),
      passphrase: undefined,
      leadMs: 0,
    },
    logLevel: { value: 3, source: 'default' },
    net: {
      host: '127.0.0.1',
      port,
      tls: undefined,
      externalUrl: `http://127.0.0.1:${port}`,
      headersTimeoutMs: 16_000,
    },
    operations: undefined,
    outbound: { timeoutMs: 5_000, isTlsVerified: true },
    firstAdministrator: options.administrator,
    hasOpenReads: options.hasOpenReads,
    isNarrowingRevoked: false,
    isLoginLimited: true,
    trustedProxies: [],
    auditRetentionMs: 365 * 86_400_000,
    delivery: {
      budgetMs: 250,
      timeoutMs: 5_000,
      retryMs: [50, 100, 200, 400, 1_000],
      parallel: 32,
      ...options.delivery,
    },
    // Tests that are not about probes count calls: none comes by itself.
    probe: { everyMs: 3_600_000, resyncEveryMs: 7 * 86_400_000 },
    authnFile: {
      publicKey: null,
      rsaKeyBits: 0,
      signingKey: { bits: 2048, mode: '' },
      db: { type: '', filepath: '' },
      log: { dir: '', maxSizeBytes: 4 << 20, maxTotalBytes: 64 << 20, flushIntervalMs: 30_000 },
      net: { externalUrl: '', certificateFile: '', keyFile: '', port, isHttps: false },
      defaultTimeoutMs: 30_000,
    },
  }
}
