import type { AuditTarget } from '../../core/audit/audit.ts'
import type { LoginLock, LoginLockStore, LoginLockTarget } from '../../core/sessions/login-lock-store.ts'
import type { SqliteParts } from './parts.ts'

interface LoginLockRow {
  readonly key: number
  readonly kind: LoginLockTarget['kind']
  readonly name: string
  readonly address: string
  readonly until: number
  readonly failures: number
  readonly at: number
}

export function createLoginLockStore({ client, read, write, audit }: SqliteParts): LoginLockStore {
  const holding = client
    .prepare<[string, string, string], number>(
      'SELECT until FROM login_locks WHERE name = ? AND address = ? AND kind = ?',
    )
    .pluck()
  const put = client.prepare<[string, string, string, number, number, number]>(
    `INSERT INTO login_locks (kind, name, address, until, failures, at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (name, address, kind) DO UPDATE SET
       until = max(until, excluded.until), failures = excluded.failures, at = excluded.at`,
  )
  const list = client.prepare<[number, number], LoginLockRow>(
    'SELECT key, kind, name, address, until, failures, at FROM login_locks WHERE until > ? ORDER BY until DESC LIMIT ?',
  )
  const liftName = client.prepare<[string]>('DELETE FROM login_locks WHERE name = ?')
  const liftAddress = client.prepare<[string]>('DELETE FROM login_locks WHERE address = ?')
  const purge = client.prepare<[number, number]>(
    'DELETE FROM login_locks WHERE key IN (SELECT key FROM login_locks WHERE until < ? ORDER BY until LIMIT ?)',
  )

  return {
    holding: (targets, now) =>
      read(() => {
        const ends = targets.map((target) => holding.get(...columnsOf(target), target.kind) ?? 0)
        const last = Math.max(0, ...ends)
        return last > now.getTime() ? new Date(last) : undefined
      }),

    put: ({ target, until, failures }, deed) =>
      write(() => {
        put.run(target.kind, ...columnsOf(target), until.getTime(), failures, deed.at.getTime())
        const where = target.kind === 'user_at_address' ? { address: target.address } : {}
        const details = { until: until.toISOString(), failures, ...where }
        audit.append({ action: 'login.locked', target: subjectOf(target), details }, deed)
      }),

    list: ({ now, limit }) => read(() => list.all(now.getTime(), limit).map(toLock)),

    lift: (target, deed) =>
      write(() => {
        const { changes: locks } = 'name' in target ? liftName.run(target.name) : liftAddress.run(target.address)
        if (locks > 0) audit.append({ action: 'login.unlocked', target: subjectOf(target), details: { locks } }, deed)
        return locks
      }),

    purge: (before, limit) => write(() => purge.run(before.getTime(), limit).changes),
  }
}

function subjectOf(target: { readonly name: string } | { readonly address: string }): AuditTarget {
  return 'name' in target ? { kind: 'user', name: target.name } : { kind: 'address', name: target.address }
}

function columnsOf(target: LoginLockTarget): [name: string, address: string] {
  return ['name' in target ? target.name : '', 'address' in target ? target.address : '']
}

function toLock({ key, kind, name, address, until, failures, at }: LoginLockRow): LoginLock {
  const target: LoginLockTarget =
    kind === 'user' ? { kind, name } : kind === 'address' ? { kind, address } : { kind, name, address }
  return { id: key, target, until: new Date(until), failures, at: new Date(at) }
}
