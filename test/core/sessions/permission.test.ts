import { describe, expect, test } from 'vitest'
import { type Authority, builtInRoles } from '../../../src/core/sessions/actor.ts'
import {
  holds,
  permissions,
  permissionsOf,
  permissionsOfRole,
  requirePermission,
  requirePermissionOrSelf,
  requireScope,
  scopeOf,
} from '../../../src/core/sessions/permission.ts'
import { origin } from '../../actors.ts'

const administrator: Authority = { role: 'administrator', clusterId: null }
const operator: Authority = { role: 'operator', clusterId: null }
const auditor: Authority = { role: 'auditor', clusterId: null }
const administratorOf = (clusterId: string): Authority => ({ role: 'cluster_administrator', clusterId })

const expiresAt = new Date(0)
const ann = (...authorities: readonly Authority[]) => ({ subject: 'ann', authorities, origin, expiresAt })

describe('the built-in roles', () => {
  test('an administrator may everything', () => {
    expect([...permissionsOfRole.administrator]).toEqual([...permissions])
  })

  test('an auditor only reads, and everything that an operator reads', () => {
    const isReading = (permission: string) => /:(read|explain)$/.test(permission)
    expect([...permissionsOfRole.auditor].filter((permission) => !isReading(permission))).toEqual([])
    expect([...permissionsOfRole.operator].filter(isReading)).toEqual([...permissionsOfRole.auditor])
  })

  test('only an administrator makes users, takes clusters in, changes settings and applies whole configurations', () => {
    const reserved = ['users:write', 'clusters:register', 'settings:write', 'access:apply'] as const
    for (const role of builtInRoles.filter((name) => name !== 'administrator')) {
      for (const permission of reserved) expect([role, permissionsOfRole[role].has(permission)]).toEqual([role, false])
    }
  })
})

describe('what somebody may do', () => {
  test('is what all roles together allow', () => {
    expect(permissionsOf(ann())).toEqual(new Set())
    const both = permissionsOf(ann(auditor, administratorOf('c1')))
    expect(both).toEqual(new Set([...permissionsOfRole.auditor, ...permissionsOfRole.cluster_administrator]))
  })

  test('reaches as far as the widest role that allows it', () => {
    expect(scopeOf(ann(administratorOf('c1'), administratorOf('c2')), 'roles:write')).toEqual(['c1', 'c2'])
    expect(scopeOf(ann(administratorOf('c1'), auditor), 'roles:write')).toEqual(['c1'])
    expect(scopeOf(ann(administratorOf('c1'), auditor), 'roles:read')).toBe('everywhere')
    expect(scopeOf(ann(administratorOf('c1'), administrator), 'roles:write')).toBe('everywhere')
    expect(scopeOf(ann(auditor), 'roles:write')).toEqual([])
  })

  test('holds another role only where nothing of it is missing, nor anywhere', () => {
    expect(holds(ann(administrator), operator)).toBe(true)
    expect(holds(ann(administrator), administratorOf('c1'))).toBe(true)
    expect(holds(ann(operator), auditor)).toBe(true)
    expect(holds(ann(operator), operator)).toBe(true)
    expect(holds(ann(auditor), operator)).toBe(false)
    expect(holds(ann(operator), administratorOf('c1'))).toBe(false)
    expect(holds(ann(administratorOf('c1')), administratorOf('c1'))).toBe(true)
    expect(holds(ann(administratorOf('c1')), administratorOf('c2'))).toBe(false)
    expect(holds(ann(administratorOf('c1')), auditor)).toBe(false)
    expect(holds(ann(operator, auditor, administratorOf('c1')), administrator)).toBe(false)
  })
})

describe('who lacks a permission', () => {
  const denied = (details: object) =>
    expect.objectContaining({ code: 'permission_denied', details: { subject: 'ann', expiresAt, ...details } })

  test('is refused by its name', () => {
    requirePermission(ann(operator), 'keys:rotate')
    const wanted = denied({ needs: 'administrator', permission: 'keys:rotate' })
    expect(() => requirePermission(ann(auditor), 'keys:rotate')).toThrow(wanted)
  })

  test('may still do it about oneself, where that is said', () => {
    requirePermissionOrSelf(ann(), 'users:read', 'ann')
    requirePermissionOrSelf(ann(auditor), 'users:read', 'bob')
    const wanted = denied({ needs: 'administrator_or_self', permission: 'users:read' })
    expect(() => requirePermissionOrSelf(ann(), 'users:read', 'bob')).toThrow(wanted)
  })

  test('or has it for another cluster only, is told for which', () => {
    requireScope(ann(administratorOf('c1')), 'clusters:resync', { id: 'c1' })
    requireScope(ann(operator), 'clusters:resync', { id: 'c2' })
    const reason = 'it holds that for the cluster c1 only, not for c2'
    const details = { subject: 'ann', permission: 'clusters:resync', reason }
    const wanted = expect.objectContaining({ code: 'beyond_authority', details })
    expect(() => requireScope(ann(administratorOf('c1')), 'clusters:resync', { id: 'c2' })).toThrow(wanted)
  })
})
