/**
 * Permission bits and how a cluster uses them: contract section 1.8, from NVIDIA/aistore `api/apc/access.go` and
 * `cmn/tok/token.go` (main, 5.0).
 */

export const bits = {
  get: 0n,
  headObject: 1n,
  put: 2n,
  append: 3n,
  deleteObject: 4n,
  moveObject: 5n,
  promote: 6n,
  updateObject: 7n,
  headBucket: 8n,
  listObjects: 9n,
  patch: 10n,
  setBucketAcl: 11n,
  listBuckets: 12n,
  showCluster: 13n,
  createBucket: 14n,
  destroyBucket: 15n,
  moveBucket: 16n,
  admin: 17n,
} as const

export type Bit = keyof typeof bits

export interface ClusterAcl {
  readonly id?: string
  readonly perm?: string
}

export interface BucketAcl {
  readonly bck?: {
    readonly name?: string
    readonly provider?: string
    readonly namespace?: { readonly uuid?: string; readonly name?: string }
  }
  readonly perm?: string
}

export interface Bucket {
  readonly name: string
  readonly provider: string
}

const firstClusterBit = 12n

function grants(perm: string | undefined, bit: bigint): boolean {
  return (BigInt(perm ?? '0') & (1n << bit)) !== 0n
}

/**
 * Whether the claims allow `wanted` on this cluster. Bits 12 and up need the cluster's ACL (its own entry, else the
 * entry with an empty id); the others are decided by the bucket's entry alone where there is one, else by the
 * cluster's. The first matching entry wins.
 */
export function isAllowed(
  claims: {
    readonly admin: boolean
    readonly clusters: readonly ClusterAcl[]
    readonly buckets: readonly BucketAcl[]
  },
  uuid: string,
  wanted: Bit,
  bucket?: Bucket,
): boolean {
  if (claims.admin) return true
  const bit = bits[wanted]
  const ofCluster =
    claims.clusters.find((acl) => acl.id === uuid) ?? claims.clusters.find((acl) => (acl.id ?? '') === '')
  if (bit >= firstClusterBit || bucket === undefined) return grants(ofCluster?.perm, bit)
  const ofBucket = claims.buckets.find(
    ({ bck }) => bck?.namespace?.uuid === uuid && bck.name === bucket.name && bck.provider === bucket.provider,
  )
  return grants((ofBucket ?? ofCluster)?.perm, bit)
}
