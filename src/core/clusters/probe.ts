import type { RefusalReason } from '../errors.ts'

/** What one proxy of a cluster made of the canary, a token of no rights that is revoked on purpose. */
export interface ProxyReport {
  /** The cluster's own name for it; null where only a registered URL was asked. */
  readonly proxyId: string | null
  readonly url: string
  readonly isPrimary: boolean
  /**
   * knows: refused the canary as revoked; forgot: took it, so its list is gone; silent: gave no usable answer, see `said`;
   * distrusts: refused it for another reason than its revocation; out_of_reach: no single proxy of the cluster can be
   * reached from here (as in Kubernetes), and a registered URL that did answer stands for them.
   */
  readonly canary: 'knows' | 'forgot' | 'silent' | 'distrusts' | 'out_of_reach'
  /** For people; null where all is well. */
  readonly said: string | null
  /** The first of the looks in a row at which it was silent; null where it is not, and in what a driver reports. */
  readonly silentSince: Date | null
}

/** Whether every proxy that can be asked has just refused the canary as revoked, and there is one. */
export function isHeldByAll(proxies: readonly ProxyReport[]): boolean {
  return (
    proxies.some(({ canary }) => canary === 'knows') &&
    proxies.every(({ canary }) => canary === 'knows' || canary === 'out_of_reach')
  )
}

/** Proxies that would take a token that is revoked. */
export function hasForgotten({ canary }: ProxyReport): boolean {
  return canary === 'forgot' || canary === 'distrusts'
}

/** What a look at a cluster found. */
export interface ProbeReport {
  /** The cluster's own id; null where it could not be asked. */
  readonly clusterId: string | null
  readonly proxies: readonly ProxyReport[]
  /** False where single proxies can't be reached from here, so that the registered URLs stand for them. */
  readonly isEveryProxyAsked: boolean
  /** Whether it takes tokens signed with our key; null where that could not be told. */
  readonly isKeyTrusted: boolean | null
  /** Whether it asks callers for tokens at all; null where that could not be told. */
  readonly isAuthenticationOn: boolean | null
  /** What is wrong, and what an operator can do about it; null where nothing is. */
  readonly trouble: { readonly reason: RefusalReason; readonly said: string; readonly advice: string } | null
}
