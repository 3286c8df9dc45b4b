import type { Cluster } from '../core/clusters/cluster.ts'
import type { ClusterStatus } from '../core/clusters/cluster-status.ts'
import type { ProbeReport } from '../core/clusters/probe.ts'
import type { KeyRecord } from '../core/keys/key-store.ts'

/** A file or folder that secrets lie in. */
export interface FileFacts {
  readonly what: string
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly owner: number
  readonly isFolder: boolean
  /** It is usual that a group may read it. */
  readonly mayBeGroupReadable: boolean
}

export interface FolderFacts {
  readonly path: string
  readonly files: readonly FileFacts[]
  /** Owner of the data folder; undefined where there is none. */
  readonly owner: number | undefined
  readonly freeBytes: number | undefined
  readonly databaseBytes: number
  /** What an interrupted program has left in it. */
  readonly leftovers: readonly string[]
  readonly fileSystem: 'local' | 'network' | 'memory' | 'container layer' | 'unknown'
}

export type MasterKeyFacts =
  | { readonly kind: 'present'; readonly from: string; readonly opensDatabase: boolean | undefined }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'unusable'; readonly reason: string }

export type DatabaseFacts =
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'unusable'; readonly reason: string; readonly isTooNew: boolean }
  | {
      readonly kind: 'open'
      /** What SQLite finds wrong; undefined where nothing is. */
      readonly damage: string | undefined
      /** Every page and reference was looked at. */
      readonly isFullCheck: boolean
      readonly pendingMigrations: readonly string[]
      readonly logBytes: number
      /** The latest instant at which something was written, by the clock of who wrote it. */
      readonly lastWrittenAt: Date | undefined
    }

/** Undefined under a shared secret. */
export interface SigningKeyFacts {
  readonly path: string
  readonly isExternal: boolean
  /** The id of the key in the file; undefined where that can't be read. */
  readonly kid: string | undefined
  /** Why it can't be read; undefined where it can, or is not there. */
  readonly reason: string | undefined
  readonly isThere: boolean
  readonly records: readonly KeyRecord[]
}

export interface CertificateFacts {
  /** Where it was seen: a file or a URL. */
  readonly where: string
  readonly expiresAt: Date | undefined
  /** Why it can't be used, or is not trusted; undefined where it is fine. */
  readonly reason: string | undefined
}

export interface ServiceFacts {
  /** Undefined where that can't be told. */
  readonly isRunning: boolean | undefined
  /** What /readyz says on the port itself; undefined where it was not asked. */
  readonly ready: { readonly isReady: boolean; readonly said: string } | undefined
  readonly external: ExternalFacts | undefined
  readonly certificate: CertificateFacts | undefined
}

/** What answers at the external URL. */
export type ExternalFacts =
  | { readonly kind: 'silent'; readonly said: string }
  | { readonly kind: 'other'; readonly said: string }
  | { readonly kind: 'discovery'; readonly issuer: string; readonly kids: readonly string[] | undefined }

export interface ClusterFacts {
  readonly cluster: Cluster
  /** As the service has it in the store. */
  readonly status: ClusterStatus
  /** As it was found just now; undefined where it was not asked. */
  readonly report: ProbeReport | undefined
  /** Its clock less ours, in milliseconds, to the second; undefined where it gave none. */
  readonly clockAheadMs: number | undefined
  readonly certificates: readonly CertificateFacts[]
}
