/** What rows of the audit trail show of things: whole where it is short, and never a secret. */
import type { Cluster } from '../clusters/cluster.ts'
import type { JsonObject } from '../json.ts'
import type { Revoked } from '../revocation/selector.ts'
import type { RoleContent } from '../roles/role.ts'

export function userSnapshot(roleNames: readonly string[]): JsonObject {
  return { roles: roleNames }
}

export function roleSnapshot({ description, grants, annotations }: RoleContent): JsonObject {
  return {
    description,
    grants: grants.map(({ clusterId, resource, permissions, annotations: own }) => {
      return { clusterId, resource, permissions, annotations: own }
    }),
    annotations,
  }
}

export function clusterSnapshot({ kind, alias, urls, annotations }: Cluster): JsonObject {
  return { kind, alias, urls, annotations }
}

/** What an act has revoked on the way; nothing where it has revoked nothing. */
export function revocationDetails({ tokens }: Revoked): JsonObject {
  return tokens === 0 ? {} : { tokensRevoked: tokens }
}
