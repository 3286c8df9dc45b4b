import { z } from 'zod'
import { Instant, orNull } from './common.ts'

const reasons = [
  'key_mismatch',
  'wrong_mode',
  'not_authorized',
  'unreachable',
  'timed_out',
  'not_a_cluster',
  'failing',
] as const

/** What is wrong with a cluster and what to do. */
export const Trouble = z
  .object({
    reason: z.enum(reasons),
    said: z.string().meta({ description: "The cluster's own words, or the network's" }),
    advice: z.string().nullable().meta({ description: 'What an operator can do' }),
  })
  .meta({ id: 'Trouble' })

const ProxyShape = z
  .object({
    id: z.string().nullable(),
    url: z.string(),
    isPrimary: z.boolean(),
    canary: z.enum(['knows', 'forgot', 'silent', 'distrusts', 'out_of_reach']).meta({
      description:
        'What it made of a token that is revoked on purpose: `knows` refused it as revoked; `forgot` took it, so its list is gone; `silent` gave no usable answer; `distrusts` refused it for another reason; `out_of_reach`: no single proxy of this cluster can be reached from here, and a registered URL stands for them',
    }),
    said: z.string().nullable(),
    silentSince: Instant.nullable().meta({
      description: 'Since when it has given no usable answer; null where it does',
    }),
  })
  .meta({ id: 'Proxy', description: 'One proxy of a cluster, as the last probe found it' })

const clusterStates = [
  'in_step',
  'behind',
  'spreading',
  'resyncing',
  'retrying',
  'refused',
  'unknown',
  'no_urls',
] as const

export const ClusterState = z.enum(clusterStates).meta({
  description:
    '`in_step`: it has everything, and every proxy that can be asked has shown it; `behind`: changes are on their way; `spreading`: its primary has the list, another proxy not yet; `resyncing`: everything is being sent again; `retrying`: it could not be told, and is asked again by itself; `refused`: it will not take what it is told until somebody does something; `unknown`: it has everything, but not every proxy has shown it (`trouble` says which, since when and why); `no_urls`: no URL is registered, so it hears of no revocation',
})

export const ClusterBody = z
  .object({
    id: z.string(),
    alias: z.string().nullable(),
    kind: z.string(),
    urls: z.array(z.string()),
    registeredAt: Instant,
    state: ClusterState,
    behind: z.int().meta({ description: 'Revocations that still matter and that it has not acknowledged' }),
    behindSince: Instant.nullable(),
    lagSeconds: z.number(),
    trouble: orNull(Trouble),
    attempts: z.int().meta({ description: 'Failures in a row' }),
    nextAttemptAt: Instant.nullable(),
    lastAcknowledgedAt: Instant.nullable(),
    probedAt: Instant.nullable(),
    lastRestartSeenAt: Instant.nullable().meta({
      description: 'When a proxy was last seen to have forgotten the list',
    }),
    inStepSince: Instant.nullable(),
    isKeyTrusted: z.boolean().nullable().meta({ description: 'null = could not be told' }),
    isAuthenticationOn: z.boolean().nullable().meta({ description: 'null = could not be told' }),
    reportedId: z.string().nullable().meta({ description: 'The id that the cluster itself gives' }),
    isEveryProxyAsked: z.boolean().meta({ description: 'false = the registered URLs stand for single proxies' }),
    proxies: z.array(ProxyShape),
  })
  .meta({ id: 'Cluster' })

const alias = z.string().min(1).max(256)
const urls = z
  .array(z.string().min(1).max(2048))
  .min(1)
  .max(100)
  .meta({ description: 'Where its proxies can be reached, tried in this order' })

export const NewClusterBody = z
  .strictObject({
    id: z.string().min(1).max(256).meta({ description: 'The id that the cluster itself gives (`ais show cluster`)' }),
    kind: z.enum(['aistore']).optional().meta({ default: 'aistore' }),
    alias: alias.optional().meta({ description: 'A short name for people' }),
    urls,
  })
  .meta({ id: 'NewCluster' })

export const ClusterPatch = z
  .strictObject({
    alias: z.union([alias, z.null()]).optional().meta({ description: 'null takes it away' }),
    urls: urls.optional(),
  })
  .meta({ id: 'ClusterPatch', description: 'What is absent stays as it is (RFC 7396)' })

export type ClusterBody = z.output<typeof ClusterBody>
export type TroubleBody = z.output<typeof Trouble>
