/**
 * The store: everything that Gatehouse remembers, behind the ports that core/ and delivery/ define.
 *
 * This folder owns how it is kept (one folder per backend) and the two secrets that live outside of it: the private key's
 * file and the master key. It holds no rule that a port's description doesn't state. A backend's proof is
 * test/store/conformance.ts.
 */
import type { AccessStore } from '../core/access/access-store.ts'
import type { AuditStore } from '../core/audit/audit-store.ts'
import type { ClusterStore } from '../core/clusters/cluster-store.ts'
import type { KeyStore } from '../core/keys/key-store.ts'
import type { OnceStore } from '../core/once.ts'
import type { RestoreStore } from '../core/recovery/restore.ts'
import type { Revisions } from '../core/revisions.ts'
import type { LockStore } from '../core/revocation/lock-store.ts'
import type { RevocationActStore } from '../core/revocation/revocation-acts.ts'
import type { RevocationStore } from '../core/revocation/revocation-store.ts'
import type { RoleSearch } from '../core/roles/role-search.ts'
import type { RoleStore } from '../core/roles/role-store.ts'
import type { LoginLockStore } from '../core/sessions/login-lock-store.ts'
import type { SettingsStore } from '../core/settings/settings-store.ts'
import type { TokenSearch } from '../core/tokens/token-search.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { ExportStore } from '../core/transfer/export.ts'
import type { ImportStore } from '../core/transfer/import.ts'
import type { UserSearch } from '../core/users/user-search.ts'
import type { UserStore } from '../core/users/user-store.ts'
import type { CursorStore } from '../delivery/cursor-store.ts'
import type { ProbeStore } from '../delivery/probe-store.ts'

export interface Store {
  readonly users: UserStore
  readonly userSearch: UserSearch
  readonly roles: RoleStore
  readonly roleSearch: RoleSearch
  readonly clusters: ClusterStore
  readonly access: AccessStore
  readonly tokens: TokenStore
  readonly tokenSearch: TokenSearch
  readonly revocations: RevocationStore
  readonly revocationActs: RevocationActStore
  readonly locks: LockStore
  readonly loginLocks: LoginLockStore
  readonly keys: KeyStore
  readonly settings: SettingsStore
  readonly once: OnceStore
  readonly cursors: CursorStore
  readonly probes: ProbeStore
  readonly restores: RestoreStore
  readonly audit: AuditStore
  readonly imports: ImportStore
  readonly exports: ExportStore
  readonly revisions: Revisions
  /** Writes what was asked for already, then lets go. Later writes are refused with storage_failed. */
  close(): Promise<void>
}
