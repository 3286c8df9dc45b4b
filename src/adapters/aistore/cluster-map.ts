/** The cluster map that every AIStore proxy shows (`GET /v1/daemon?what=smap`, contract section 6.1), and its proxies. */
import { z } from 'zod'

/** Only what is used; `direct_url` is where the proxy says that clients reach it. */
const Node = z.object({
  daemon_id: z.string().max(256),
  public_net: z.object({ direct_url: z.string().max(2048).default('') }).default({ direct_url: '' }),
})
const Smap = z.object({ uuid: z.string().min(1).max(256), proxy_si: Node.nullish(), pmap: z.record(z.string(), Node) })

export interface MapProxy {
  readonly id: string
  /** Scheme, host and port; null where the cluster gives nothing that may be asked. */
  readonly url: string | null
  readonly isPrimary: boolean
}

export interface ClusterMap {
  readonly uuid: string
  /** The primary first. */
  readonly proxies: readonly MapProxy[]
}

/** Undefined where it is not a cluster map. `shownBy` is the registered URL that gave it. */
export function parseClusterMap(text: string, shownBy: string): ClusterMap | undefined {
  const parsed = Smap.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { uuid, pmap, proxy_si: primary } = parsed.data
  const proxies = Object.values(pmap).map(({ daemon_id, public_net }) => ({
    id: daemon_id,
    url: toAskable(public_net.direct_url, shownBy),
    isPrimary: daemon_id === primary?.daemon_id,
  }))
  const rank = ({ isPrimary, id }: MapProxy) => `${isPrimary ? 0 : 1}${id}`
  return { uuid, proxies: proxies.sort((one, other) => (rank(one) < rank(other) ? -1 : 1)) }
}

/** The origin of a URL that a cluster names: of the same scheme as the registered one, and without credentials. */
function toAskable(text: string, shownBy: string): string | null {
  if (!URL.canParse(text)) return null
  const { protocol, username, password, origin } = new URL(text)
  const isPlain = username === '' && password === ''
  return isPlain && protocol === new URL(shownBy).protocol ? origin : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
