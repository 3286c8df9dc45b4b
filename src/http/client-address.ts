/** Which client a request comes from, where proxies stand between that are trusted to say so. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'

/** Answers the client's address; null where the connection is gone already. */
export type ClientAddressOf = (incoming: IncomingMessage) => string | null

/** More hops than any honest chain has. */
const maximumHops = 32

/**
 * @param trusted addresses and ranges (`10.0.0.0/8`, `fd00::/8`) of proxies whose X-Forwarded-For is believed. The list in
 *   that header is read from its end: the first address that is no trusted proxy is the client. Whatever stands before it
 *   anybody may have written.
 */
export function createClientAddress(trusted: readonly string[]): ClientAddressOf {
  const peerOf = ({ socket }: IncomingMessage) => plainAddress(socket.remoteAddress)
  if (trusted.length === 0) return peerOf
  const list = new BlockList()
  for (const range of trusted) {
    const [address = '', bits] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  const isTrusted = (address: string) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

  return (incoming) => {
    const peer = peerOf(incoming)
    if (peer === null || !isTrusted(peer)) return peer
    let client = peer
    for (const hop of hopsOf(incoming)) {
      // What is no address was not written by a proxy that we trust.
      if (hop === undefined) break
      client = hop
      if (!isTrusted(hop)) break
    }
    return client
  }
}

/** From the nearest to the farthest; undefined where the entry is no address. */
function hopsOf({ headers }: IncomingMessage): readonly (string | undefined)[] {
  const header = headers['x-forwarded-for']
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  return text.split(',').slice(-maximumHops).reverse().map(parseHop)
}

/** An address, with a port behind it or not (`192.0.2.1:4711`, `[2001:db8::1]:443`). */
function parseHop(text: string): string | undefined {
  const hop = text.trim()
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+(?:\.\d+){3})(?::\d+)?$/.exec(hop)?.[1] ?? hop
  const address = plainAddress(bare)
  return address !== null && isAddress(address) ? address : undefined
}

function isAddress(text: string): boolean {
  return isIPv6(text) || /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text)
}

/** IPv4 as such, also where a socket shows it as IPv6. */
function plainAddress(address: string | undefined): string | null {
  if (address === undefined) return null
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
