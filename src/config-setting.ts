/** What one row of the table of settings says, and the checks that need more than a comparison. */
import type { Source } from './config.ts'
import type { Kind } from './config-kinds.ts'

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
  /** Can be changed while the service runs; its name in the store, where such a change is kept. */
  readonly runtimeName?: string
  /** In the file, 0 stands for the default (Go's zero value). */
  readonly isZeroUnset?: true
  /** Read and shown for AIStore's sake, without any effect here. */
  readonly isUnused?: true
  /** The environment beats the flag, as AIStore has it. */
  readonly isEnvironmentFirst?: true
  /** Setting the variable to nothing is a mistake, not "not set". */
  readonly isEmptyRefused?: true
}

export function is32BytesInBase64(given: string): boolean {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(given) && Buffer.from(given, 'base64').length === 32
}

export function isKeySize(bits: number): boolean {
  return bits >= 2048 && bits <= 16_384
}

export function isPort(port: number, source: Source): boolean {
  return (port >= 1024 && port <= 65_535) || (port === 0 && source !== 'file')
}

export function isBaseUrl(given: string): boolean {
  if (!/^https?:\/\/[^\s]+$/i.test(given) || !URL.canParse(given)) return false
  const url = new URL(given)
  return url.hostname !== '' && url.username === '' && url.password === '' && !/[?#]/.test(given)
}

/** Keeps the type of a setting's value. */
export function row<T, const D extends T | undefined>(setting: Setting<T, D>): Setting<T, D> {
  return setting
}
