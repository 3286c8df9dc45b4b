import type { ClusterStore } from '../clusters/cluster-store.ts'
import type { Role } from '../roles/role.ts'
import type { RoleStore } from '../roles/role-store.ts'
import type { AccessStore } from './access-store.ts'
import { type AccessDocument, everyCluster, type GrantEntry, type RoleEntry, type UserEntry } from './document.ts'
import { clusterNames, type RulesByKind } from './reading.ts'

/** What is there, as a document: applying it changes nothing. Users come in pages, all else with the first. */
export interface ExportedPage {
  readonly document: AccessDocument
  /** The name after which the next page starts; null on the last one. */
  readonly next: string | null
}

export interface AccessExport {
  page(page: { readonly after?: string | undefined; readonly limit: number }): Promise<ExportedPage>
}

export interface ExportDeps {
  readonly access: Pick<AccessStore, 'usersAfter'>
  readonly clusters: Pick<ClusterStore, 'list'>
  readonly roles: Pick<RoleStore, 'list'>
  readonly grantRules: RulesByKind
}

/** No secret is in it; the order is always the same: by id, by name. */
export function createAccessExport({ access, clusters, roles, grantRules }: ExportDeps): AccessExport {
  async function presentDirectory(): Promise<Pick<AccessDocument, 'clusters' | 'roles'>> {
    const registered = await clusters.list()
    const names = clusterNames(registered, grantRules)
    const aliases = new Map(registered.map(({ id, alias }) => [id, alias ?? id]))
    const nameOf = (id: string) => (id === '' ? everyCluster : (aliases.get(id) ?? id))

    function presentRole({ name, description, grants }: Role): RoleEntry {
      const normalized = names.rulesOf('').normalize(grants, names.resolve)
      const entries = normalized.map(({ clusterId, resource, permissions }): GrantEntry => {
        const rules = names.rulesOf(clusterId)
        const bucket = resource === null ? {} : { bucket: rules.presentResource(resource) }
        return { cluster: nameOf(clusterId), ...bucket, permissions: rules.words.present(permissions) }
      })
      return { name, ...(description && { description }), ...(entries.length > 0 && { grants: entries }) }
    }

    return {
      clusters: registered.map(({ id, kind, alias, urls }) => ({
        id,
        kind,
        ...(alias !== null && { alias }),
        ...(urls.length > 0 && { urls }),
      })),
      roles: (await roles.list()).filter(({ isBuiltIn }) => !isBuiltIn).map(presentRole),
    }
  }

  return {
    async page({ after, limit }) {
      const users = await access.usersAfter({ ...(after !== undefined && { after }), limit: limit + 1 })
      const shown = users.slice(0, limit)
      const entries = shown.map(
        ({ name, roleNames, isDisabled }): UserEntry => ({
          name,
          ...(roleNames.length > 0 && { roles: roleNames }),
          ...(isDisabled && { isDisabled }),
        }),
      )
      const directory = after === undefined ? await presentDirectory() : {}
      const next = users.length > limit ? (shown.at(-1)?.name ?? null) : null
      return { document: { apiVersion: 'gatehouse/v1', ...directory, users: entries }, next }
    },
  }
}
