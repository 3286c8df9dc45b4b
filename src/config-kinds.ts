/**
 * The forms in which settings are written. Text comes in (a flag, an environment variable, a member of `authn.json`),
 * a typed value goes out, and back again for showing.
 */
import { isIP } from 'node:net'
import { formatGoDuration, formatGoSize, parseGoDuration, parseGoSize } from './core/settings/go-units.ts'

export interface Kind<T> {
  /** The form in words; completes "<what> must be …". */
  readonly form: string
  /** Type of the member in `authn.json`. */
  readonly json: 'string' | 'number' | 'boolean'
  /** What stands for the value in the help of a flag. */
  readonly placeholder: string
  /** Undefined where the text isn't of this form. */
  parse(text: string): T | undefined
  show(value: T): string
}

export const text: Kind<string> = {
  form: 'text',
  json: 'string',
  placeholder: 'text',
  parse: (given) => given,
  show: (value) => value,
}

/** Relative paths start from the folder in which the program was started. */
export const path: Kind<string> = { ...text, form: 'a path', placeholder: 'path' }

/** Milliseconds, written as Go writes durations (contract section 4.1). */
export const duration: Kind<number> = {
  form: 'a duration such as 90s, 1h30m or 300ms',
  json: 'string',
  placeholder: 'duration',
  parse: parseGoDuration,
  show: formatGoDuration,
}

/** Bytes, written as AIStore writes sizes; every unit is a power of 1024 (contract section 4.1). */
export const size: Kind<number> = {
  form: 'a size such as 512KiB or 4MiB',
  json: 'string',
  placeholder: 'size',
  parse: parseGoSize,
  show: formatGoSize,
}

export const integer: Kind<number> = {
  form: 'a whole number',
  json: 'number',
  placeholder: 'number',
  parse: parseInteger,
  show: String,
}

export const integerOrOff: Kind<number | 'off'> = {
  form: 'a whole number or "off"',
  json: 'string',
  placeholder: 'number|off',
  parse: (given) => (given.toLowerCase() === 'off' ? 'off' : parseInteger(given)),
  show: String,
}

/** A whole number that stands in quotes in the file, as AIStore writes `log.level`. */
export const quotedInteger: Kind<number> = { ...integer, json: 'string' }

const yes = new Set(['1', 't', 'true', 'y', 'yes', 'on'])
const no = new Set(['0', 'f', 'false', 'n', 'no', 'off', ''])

/** The words that AIStore takes for yes and no, in any case (contract section 4.2). */
export const boolean: Kind<boolean> = {
  form: 'true or false (or yes/no, on/off, 1/0)',
  json: 'boolean',
  placeholder: 'true|false',
  parse(given) {
    const word = given.toLowerCase()
    if (yes.has(word)) return true
    return no.has(word) ? false : undefined
  },
  show: String,
}

export const durations: Kind<readonly number[]> = {
  form: 'durations separated by commas, such as 500ms,1s,5s',
  json: 'string',
  placeholder: 'durations',
  parse(given) {
    const parsed = given.split(',').map((part) => parseGoDuration(part.trim()))
    return parsed.some((ms) => ms === undefined) ? undefined : parsed.filter((ms) => ms !== undefined)
  },
  show: (values) => values.map(formatGoDuration).join(','),
}

/** Addresses and ranges of addresses. */
export const addressRanges: Kind<readonly string[]> = {
  form: 'addresses or ranges separated by commas, such as 10.0.0.0/8,192.0.2.7,fd00::/8',
  json: 'string',
  placeholder: 'ranges',
  parse(given) {
    const ranges = given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
    return ranges.every(isAddressRange) ? ranges : undefined
  },
  show: (values) => values.join(','),
}

function isAddressRange(range: string): boolean {
  const [address = '', bits, ...more] = range.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

function parseInteger(given: string): number | undefined {
  if (!/^-?\d{1,15}$/.test(given)) return undefined
  return Number(given)
}
