/** A case of each error, so that the reference can show what is said. An error without one doesn't compile. */
import type { ErrorCode, ErrorDetails } from '../../src/core/errors.ts'

const at = new Date('2026-05-01T12:00:00Z')

export const errorExamples: { readonly [C in ErrorCode]: ErrorDetails[C] } = {
  token_required: {},
  token_invalid: { reason: 'not signed by a key of Gatehouse' },
  token_expired: {},
  token_revoked: {},
  permission_denied: { needs: 'administrator', permission: 'tokens:revoke', subject: 'ana', expiresAt: at },
  invalid_credentials: {},
  locked: { name: 'ana', until: at },
  field_missing: { field: 'name', what: 'user name' },
  field_invalid: { field: 'name', what: 'user name', value: 'a/b', rule: 'may not hold a slash' },
  lifetime_invalid: { bound: 'minimum', maximumMs: 86_400_000 },
  user_exists: { name: 'ana' },
  user_not_found: { name: 'ana' },
  user_protected: { name: 'admin', act: 'delete' },
  last_administrator: { name: 'admin', act: 'change_roles' },
  role_exists: { name: 'photographer' },
  role_not_found: { name: 'photographer' },
  roles_unknown: { names: ['photographer'] },
  role_protected: { name: 'Admin', act: 'update' },
  cluster_exists: { id: 'S0anxTa23', foundId: 'S0anxTa23' },
  cluster_not_found: { name: 'lake' },
  alias_taken: { alias: 'lake', clusterId: 'S0anxTa23' },
  cluster_refused: {
    clusterId: 'S0anxTa23',
    where: 'http://lake:51080',
    reason: 'unreachable',
    said: 'the connection was refused',
    advice: 'Check that the cluster runs.',
  },
  setting_invalid: { setting: 'auth.expiration_time', reason: 'must be at least 1m' },
  setting_fixed: { setting: 'log.level', source: 'GATEHOUSE_LOG_LEVEL' },
  token_not_found: { name: '5e0f8c1a' },
  key_not_found: { kid: 'Zc1dGwJ0' },
  lock_not_found: { id: 4 },
  key_unavailable: { reason: 'signing' },
  too_busy: { retryAfterSeconds: 2 },
  storage_failed: { reason: 'the disk is full' },
}
