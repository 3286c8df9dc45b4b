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
  readonly outbound: { readonly timeoutMs: number; readonly isTlsVerified: boolean }
  /** Read only while there are no users. */
  readonly firstAdministrator: { readonly name: string; readonly password: string | undefined }
  /** Whether clusters and roles are shown to everybody, as AIStore's AuthN does. */
  readonly hasOpenReads: boolean
  readonly delivery: {
    /** How long a revocation's answer waits for clusters that are up. */
    readonly budgetMs: number
    /** Time limit of one push. */
    readonly timeoutMs: number
    /** Pauses after the 1st, 2nd, … failure; the last one repeats. */
    readonly retryMs: readonly number[]
    readonly parallel: number
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
