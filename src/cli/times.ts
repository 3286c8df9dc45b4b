/** Instants and durations as people write and read them. */
import { parseGoDuration } from '../core/settings/go-units.ts'
import { UsageError } from './client-errors.ts'

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const

/** For instance `3d 4h`, `12s`; two units at most. */
export function formatAge(ms: number): string {
  if (ms < 1000) return '0s'
  const first = units.findIndex(([size]) => ms >= size)
  let rest = ms
  return units
    .slice(first, first + 2)
    .map(([size, unit]) => {
      const count = Math.floor(rest / size)
      rest -= count * size
      return count === 0 ? '' : `${count}${unit}`
    })
    .filter(Boolean)
    .join(' ')
}

/** How long ago, by this machine's clock; a dash where there is no instant. */
export function formatAgo(instant: string | null, now: Date): string {
  return instant === null ? '-' : `${formatAge(now.getTime() - new Date(instant).getTime())} ago`
}

export function formatUntil(instant: string | null, now: Date): string {
  if (instant === null) return '-'
  const ms = new Date(instant).getTime() - now.getTime()
  return ms <= 0 ? 'now' : `in ${formatAge(ms)}`
}

/** Go's form, and days: `30m`, `12h`, `7d`. Seconds, at least one. @throws UsageError naming the option */
export function readDuration(text: string, option: string): number {
  const days = /^(\d{1,4})d$/.exec(text)?.[1]
  const ms = days === undefined ? parseGoDuration(text) : Number(days) * 86_400_000
  if (ms === undefined || ms < 1000) throw new UsageError(`${option} must be a duration such as 30m, 12h or 7d`)
  return Math.floor(ms / 1000)
}

/** An instant, or how long ago: `2026-05-01`, `2h`, `7d`. @throws UsageError naming the option */
export function readMoment(text: string, option: string): string {
  if (!/^\d[\d.]*[a-zµ]/i.test(text)) return readInstant(text, option)
  return new Date(Date.now() - readDuration(text, option) * 1000).toISOString()
}

/** ISO 8601; without a zone it is the zone of this machine. @throws UsageError naming the argument */
export function readInstant(text: string, argument: string): string {
  const at = text === 'now' ? new Date() : /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN)
  if (Number.isNaN(at.getTime())) {
    throw new UsageError(`${argument} must be an instant such as 2026-05-01, 2026-05-01T12:00:00Z or now`)
  }
  return at.toISOString()
}
