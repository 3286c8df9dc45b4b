/**
 * Durations and sizes in the forms that Go programs read and write (contract section 4.1), since AIStore's
 * configuration file, environment and clients use them.
 */

const nsPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  // Micro sign and Greek mu: both are in use.
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const nsPerMs = 1_000_000n
const maxInt64 = 2n ** 63n - 1n

const durationTerm = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y

/**
 * Milliseconds of a duration in Go's form: `90s`, `1h30m`, `1.5h`, `300ms`, `-5m`, `0`. Undefined where the text is not
 * one (no unit, a space, days) or where it doesn't fit 64-bit nanoseconds. Fractions of a millisecond are kept.
 */
export function parseGoDuration(text: string): number | undefined {
  const isNegative = text.startsWith('-')
  const rest = /^[+-]/.test(text) ? text.slice(1) : text
  if (rest === '0') return 0
  if (rest === '') return undefined

  let ns = 0n
  let at = 0
  while (at < rest.length) {
    durationTerm.lastIndex = at
    const term = durationTerm.exec(rest)
    if (!term) return undefined
    const [whole, integer = '', fraction = '', unit = ''] = term
    const perUnit = nsPerUnit[unit]
    if (perUnit === undefined || integer + fraction === '') return undefined
    ns += BigInt(integer || '0') * perUnit + (BigInt(fraction || '0') * perUnit) / 10n ** BigInt(fraction.length)
    if (ns > maxInt64) return undefined
    at += whole.length
  }
  const ms = Number(ns / nsPerMs) + Number(ns % nsPerMs) / 1e6
  return isNegative && ms !== 0 ? -ms : ms
}

/**
 * A duration in Go's normal form as AIStore writes it: a trailing `0s` after minutes is cut (`24h0m`, `30m`, `1m30s`,
 * `300ms`, `0s`).
 */
export function formatGoDuration(ms: number): string {
  const isNegative = ms < 0
  const wholeMs = Math.trunc(Math.abs(ms))
  const ns = BigInt(wholeMs) * nsPerMs + BigInt(Math.round((Math.abs(ms) - wholeMs) * 1e6))
  return (isNegative && ns > 0n ? '-' : '') + formatNanoseconds(ns)
}

function formatNanoseconds(ns: bigint): string {
  if (ns === 0n) return '0s'
  if (ns < 1_000n) return `${ns}ns`
  if (ns < nsPerMs) return `${decimal(ns, 3)}\u00b5s`
  if (ns < 1_000_000_000n) return `${decimal(ns, 6)}ms`

  const hours = ns / 3_600_000_000_000n
  const minutes = (ns / 60_000_000_000n) % 60n
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`
  if (hours === 0n && minutes === 0n) return seconds
  const head = hours === 0n ? `${minutes}m` : `${hours}h${minutes}m`
  return seconds === '0s' ? head : head + seconds
}

/** `value / 10^places` in decimal, without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places)
  const fraction = (value % scale).toString().padStart(places, '0').replace(/0+$/, '')
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`
}

const bytesPerUnit: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
}

/**
 * Bytes of a size in AIStore's form: digits, then `KiB`, `KB`, `K` (and M, G, T), `B` or nothing, in any case; all are
 * powers of 1024. A fraction is allowed before a unit (`1.5MiB`). Empty = 0. Undefined where the text is not a size.
 */
export function parseGoSize(text: string): number | undefined {
  if (text === '') return 0
  const match = /^\s*([+-]?\d*(?:\.\d*)?)\s*(?:([KMGT])(?:I?B)?|B?)\s*$/.exec(text.toUpperCase())
  if (!match) return undefined
  const [, digits = '', unit = ''] = match
  if (!/\d/.test(digits) || (unit === '' && digits.includes('.'))) return undefined
  const bytes = Math.trunc(Number(digits) * (bytesPerUnit[unit] ?? Number.NaN))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A size as AIStore writes it, rounded to a whole unit: 4194304 -> `4MiB`, 1572864 -> `2MiB`, 100 -> `100B`. */
export function formatGoSize(bytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K']) {
    const perUnit = bytesPerUnit[unit] ?? 1
    if (bytes >= perUnit) return `${roundHalfToEven(bytes / perUnit)}${unit}iB`
  }
  return `${bytes}B`
}

/** As Go prints a number with no decimals. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
