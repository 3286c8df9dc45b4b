/**
 * Refusals in the audit trail: logins that failed, and what somebody may not do. They change nothing, and strangers can
 * cause as many as they like; so those that repeat are counted in one row, and there is an end to how many rows there are.
 */
import type { Clock } from '../clock.ts'
import { isDomainError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Logger } from '../logger.ts'
import { bareActor, type Origin } from '../sessions/actor.ts'
import { type AuditEntry, type AuditTarget, cleanText } from './audit.ts'
import type { AuditStore } from './audit-store.ts'

export interface Refusal {
  readonly action: 'login.refused' | 'permission.denied'
  /** Who it says it is. */
  readonly subject: string
  readonly origin: Origin
  readonly target: AuditTarget | null
  /** One of a fixed few words. */
  readonly why: string
}

export interface Refusals {
  /** Costs next to nothing, and never fails. */
  note(refusal: Refusal): void
  /** Writes what has been counted: where a window has ended, or all. */
  flush(which: 'ended' | 'all'): Promise<void>
}

/** So long refusals of one kind (who, from where, what, why) are counted before a row says how many. */
const windowMs = 60_000
/** Rows that may be written at once, and how soon there may be one more; what goes beyond is counted in a row for all. */
const roomAtMost = 500
const roomEveryMs = 6_000

const longestName = 64
const others = '(others)'

interface Counted {
  readonly refusal: Refusal
  /** When its window began. */
  openedAt: number
  /** Not in a row yet. */
  count: number
  since: number
  last: number
  /** Of a row for all: how many for which reason. */
  readonly reasons: Map<string, number> | null
}

/** A row to be written: what it says, and when. */
export interface PlannedRefusal {
  readonly refusal: Refusal
  readonly entry: AuditEntry
  readonly at: Date
}

/** The counting itself, without clock and store. */
export interface RefusalCounter {
  /** What is to be written at once: the first of its kind, where there is room. */
  count(refusal: Refusal, at: Date): PlannedRefusal | undefined
  /** What is to be written now. */
  take(which: 'ended' | 'all', now: Date): readonly PlannedRefusal[]
}

export function createRefusalCounter(): RefusalCounter {
  const counted = new Map<string, Counted>()
  const rest = new Map<string, Counted>()
  let room = roomAtMost
  let roomAt: number | undefined

  function takeRoom(now: number): boolean {
    const passed = Math.max(0, now - (roomAt ?? now))
    room = Math.min(roomAtMost, room + passed / roomEveryMs)
    roomAt = now
    if (room < 1) return false
    room -= 1
    return true
  }

  function countAmongOthers(refusal: Refusal, count: number, since: number, last: number): void {
    const { action, origin, why } = refusal
    const key = `${action} ${origin.via}`
    const known = rest.get(key) ?? openOthers(refusal, since)
    rest.set(key, known)
    known.count += count
    known.since = Math.min(known.since, since)
    known.last = Math.max(known.last, last)
    known.reasons?.set(why, (known.reasons.get(why) ?? 0) + count)
  }

  /** The row of a window that has ended; the next window begins with it, or there is none where nothing was counted. */
  function close(key: string, each: Counted, now: number): PlannedRefusal | undefined {
    if (each.count === 0) {
      counted.delete(key)
      return undefined
    }
    if (!takeRoom(now)) {
      countAmongOthers(each.refusal, each.count, each.since, each.last)
      counted.delete(key)
      return undefined
    }
    const planned = planRepeated(each)
    each.openedAt = now
    each.count = 0
    return planned
  }

  return {
    count(given, at) {
      const refusal = cleaned(given)
      const key = keyOf(refusal)
      const now = at.getTime()
      const known = counted.get(key)
      if (known !== undefined) {
        if (known.count === 0) known.since = now
        known.count += 1
        known.last = now
        return undefined
      }
      if (!takeRoom(now)) {
        countAmongOthers(refusal, 1, now, now)
        return undefined
      }
      counted.set(key, { refusal, openedAt: now, count: 0, since: now, last: now, reasons: null })
      return { refusal, entry: toEntry(refusal, { why: refusal.why }), at }
    },

    take(which, now) {
      const ms = now.getTime()
      // A clock that was set back ends a window as well.
      const isEnded = ({ openedAt }: Counted) => which === 'all' || Math.abs(ms - openedAt) >= windowMs
      const ended = [...counted].filter(([, each]) => isEnded(each))
      const planned = ended.flatMap(([key, each]) => close(key, each, ms) ?? [])
      const collected = [...rest].filter(([, each]) => isEnded(each))
      for (const [key] of collected) rest.delete(key)
      return [...planned, ...collected.map(([, each]) => planRepeated(each))]
    },
  }
}

function cleaned({ action, subject, origin, target, why }: Refusal): Refusal {
  const name = target && { ...target, name: cleanText(target.name, longestName) }
  return { action, subject: cleanText(subject, longestName), origin, target: name, why }
}

function keyOf({ action, subject, origin, target, why }: Refusal): string {
  return JSON.stringify([action, subject, origin.via, origin.address, target?.kind, target?.name, why])
}

function openOthers({ action, origin, why }: Refusal, at: number): Counted {
  const refusal = { action, subject: others, origin: { ...origin, address: null }, target: null, why }
  return { refusal, openedAt: at, count: 0, since: at, last: at, reasons: new Map() }
}

/** What was counted belongs to many requests. */
function planRepeated({ refusal, count, since, last, reasons }: Counted): PlannedRefusal {
  const details = reasons === null ? { why: refusal.why } : { why: 'various', counts: Object.fromEntries(reasons) }
  const entry = { ...toEntry(refusal, details), repeats: count, since: new Date(since) }
  const origin = { ...refusal.origin, requestId: null }
  return { refusal: { ...refusal, origin }, entry, at: new Date(last) }
}

function toEntry({ action, target }: Refusal, details: JsonObject): AuditEntry {
  return { action, target, outcome: 'refused', details }
}

/** Whom an error denies something for want of a permission, and of which one; undefined where it denies nobody. */
export function denialIn(error: unknown): Pick<Refusal, 'action' | 'subject' | 'why'> | undefined {
  const action = 'permission.denied'
  if (isDomainError(error, 'permission_denied')) {
    const { subject, permission, needs } = error.details
    return { action, subject, why: permission ?? needs }
  }
  if (!isDomainError(error, 'beyond_authority')) return undefined
  const { subject, permission } = error.details
  return { action, subject, why: `${permission}, beyond what is held` }
}

export function createRefusals(deps: {
  readonly audit: Pick<AuditStore, 'append'>
  readonly clock: Clock
  readonly log: Logger
}): Refusals {
  const { audit, clock, log } = deps
  const counter = createRefusalCounter()

  async function write({ refusal, entry, at }: PlannedRefusal): Promise<void> {
    const { subject, origin, action } = refusal
    try {
      await audit.append(entry, { by: bareActor(subject, origin), at })
    } catch (error) {
      log.error({ event: 'audit.refusal_lost', action, repeats: entry.repeats ?? 1, error })
    }
  }

  return {
    note(refusal) {
      const planned = counter.count(refusal, clock.now())
      // Nobody waits for it: who is refused is told as fast as ever.
      if (planned !== undefined) void write(planned)
    },
    async flush(which) {
      await Promise.all(counter.take(which, clock.now()).map(write))
    },
  }
}
