/**
 * The list of revoked tokens of a cluster with several proxies, kept in memory: contract sections 3.4, 3.5 and W4, from
 * NVIDIA/aistore `ais/prxauth.go` and `ais/proxy.go` (main, 5.0), and watched on two real proxies.
 *
 * The primary adds, raises its version (1 at start) and sends the whole list to the others; these take a list only when
 * its version is above their own. A primary that restarts begins again at 1, so the others refuse its lists until it
 * has caught up. Any other proxy that joins is given the primary's list.
 */
export interface RevokedLists {
  /** What a DELETE to any proxy comes to: it is forwarded to the primary. */
  add(tokens: readonly string[]): void
  has(proxy: number, token: string): boolean
  /** How many tokens one proxy holds, and at which version of the list it is. */
  state(proxy: number): { readonly tokens: number; readonly version: number }
  /** That proxy forgets; the primary is proxy 0. */
  restart(proxy: number): void
}

interface Holder {
  version: number
  tokens: Set<string>
  /** Which life of a primary the list comes from. */
  origin: number
}

export function createRevokedLists(proxies: number): RevokedLists {
  const holders: Holder[] = Array.from({ length: proxies }, () => ({
    version: 1,
    tokens: new Set<string>(),
    origin: 0,
  }))
  let lives = 0

  function at(proxy: number): Holder {
    const holder = holders[proxy]
    if (holder === undefined) throw new RangeError(`there is no proxy ${proxy}`)
    return holder
  }

  function takeAll(holder: Holder, from: Holder) {
    if (from.version <= holder.version) return
    holder.version = from.version
    holder.tokens = new Set(from.tokens)
    holder.origin = from.origin
  }

  return {
    add(tokens) {
      const primary = at(0)
      for (const token of tokens) primary.tokens.add(token)
      primary.version += 1
      for (const holder of holders.slice(1)) {
        if (holder.version === primary.version - 1 && holder.origin === primary.origin) {
          // It holds all but the new ones: the same outcome as taking the whole list, without copying it.
          for (const token of tokens) holder.tokens.add(token)
          holder.version = primary.version
        } else takeAll(holder, primary)
      }
    },
    has: (proxy, token) => at(proxy).tokens.has(token),
    state: (proxy) => ({ tokens: at(proxy).tokens.size, version: at(proxy).version }),
    restart(proxy) {
      const holder = at(proxy)
      holder.version = 1
      holder.tokens = new Set()
      lives += 1
      holder.origin = lives
      if (proxy !== 0) takeAll(holder, at(0))
    },
  }
}
