import type { Config } from '../src/config.ts'
import type { Clock } from '../src/core/clock.ts'
import type { AistoreClusterOptions, Trust } from './stand-ins/aistore.ts'

export interface TestServiceOptions {
  /** `file` survives restart(); default `memory`. */
  readonly store?: 'memory' | 'file'
  /** Default RS256. */
  readonly algorithm?: 'RS256' | 'HS256'
  readonly clock?: Clock
  readonly hasOpenReads?: boolean
  readonly administrator?: string
  readonly delivery?: Partial<Config['delivery']>
  /** Any other member of the configuration. */
  readonly config?: Partial<Config>
  /** Started and registered under these names. */
  readonly clusters?: readonly (string | TestClusterOptions)[]
}

export interface TestClusterOptions extends Partial<Omit<AistoreClusterOptions, 'trust' | 'clock'>> {
  readonly alias: string
  /** Default: `shared_secret` with HS256, else `discovery`. */
  readonly trust?: Trust['kind']
}
