/**
 * BuntDB's file: an append-only log of commands in Redis' protocol (contract section 4.3; tidwall/buntdb, readLoad).
 *
 * BuntDB itself cuts off a torn last record and refuses a file that is damaged further up. Here the damaged bytes are named
 * and reading goes on at the next whole record.
 */
import { AuthnDatabaseError } from './authn-database-error.ts'

export interface LogFile {
  readonly size: number
  /** Relative expiries count from it. */
  readonly modifiedAt: Date
  /** Reads `length` bytes from `position` on; answers how many there were. */
  read(into: Buffer, offset: number, length: number, position: number): number
}

/** `key` and `value` are good until the next event is asked for. */
export type LogEvent =
  | { readonly does: 'set'; readonly at: number; readonly key: Buffer; readonly value: Buffer }
  | { readonly does: 'delete'; readonly at: number; readonly key: Buffer }
  | { readonly does: 'flush'; readonly at: number }
  /** Bytes that are no record, between others or at the end. */
  | { readonly does: 'damage'; readonly at: number; readonly until: number }
  /** The last record, of which the file holds the beginning alone. */
  | { readonly does: 'torn'; readonly at: number; readonly until: number }

interface Part {
  readonly at: number
  readonly length: number
}

type Parsed =
  | { readonly is: 'record'; readonly parts: readonly Part[]; readonly end: number }
  | { readonly is: 'torn' | 'bad' }

const torn: Parsed = { is: 'torn' }
const bad: Parsed = { is: 'bad' }

const chunkBytes = 1 << 20
/** Mark, digits, CR, LF. */
const longestHeader = 16
const maximumParts = 5
/** Larger than anything that AuthN writes; a damaged length is not taken at its word. */
const maximumRecordBytes = 256 << 20

const cr = 13
const lf = 10
const star = 42
const dollar = 36

/**
 * Reads the log from its start to its end as of when it was opened. Memory: the largest record and a megabyte.
 * @throws AuthnDatabaseError where the file is cut off meanwhile
 */
export function* readBuntdbLog(file: LogFile, now: Date): Generator<LogEvent> {
  const window = createWindow(file)
  let at = 0
  for (;;) {
    at = skipNuls(window, at)
    if (at >= file.size) return
    const parsed = parseRecord(window, at)
    const event = parsed.is === 'record' ? toEvent(window, at, parsed, file, now) : undefined
    if (parsed.is === 'record' && event !== undefined) {
      if (event !== 'nothing') yield event
      at = parsed.end
      continue
    }
    const next = findRecord(window, at + 1)
    if (next === undefined && parsed.is === 'torn') {
      yield { does: 'torn', at, until: file.size }
      return
    }
    yield { does: 'damage', at, until: next ?? file.size }
    at = next ?? file.size
  }
}

/** What of the file is in memory: it moves forward, and grows to the largest record. */
interface Window {
  readonly size: number
  bytes: Buffer
  /** Where in the file `bytes` begins, and how many of them are filled. */
  start: number
  filled: number
  /** Where in `bytes` the file's byte `at` lies, with `length` bytes from there on unless the file ends before. */
  locate(at: number, length: number): number
}

function createWindow(file: LogFile): Window {
  const window: Window = {
    size: file.size,
    bytes: Buffer.allocUnsafe(Math.min(chunkBytes, file.size)),
    start: 0,
    filled: 0,
    locate(at, length) {
      const { start, filled } = window
      const isThere = at >= start && Math.min(at + length, file.size) <= start + filled
      if (!isThere) load(at, length)
      return at - window.start
    },
  }

  function load(at: number, length: number): void {
    const { bytes, start, filled } = window
    const kept = at >= start && at < start + filled ? bytes.subarray(at - start, filled) : Buffer.alloc(0)
    const wanted = Math.min(Math.max(length, chunkBytes), file.size - at)
    if (wanted > bytes.length) window.bytes = Buffer.allocUnsafe(Math.max(wanted, bytes.length * 2))
    kept.copy(window.bytes, 0)
    window.start = at
    window.filled = kept.length
    while (window.filled < wanted) {
      const count = file.read(window.bytes, window.filled, wanted - window.filled, at + window.filled)
      if (count === 0)
        throw new AuthnDatabaseError('the database became shorter while it was read: stop AuthN, and try again')
      window.filled += count
    }
  }

  return window
}

/** A file system may leave zeros where a write was lost; BuntDB passes over them between records. */
function skipNuls(window: Window, from: number): number {
  let at = from
  while (at < window.size) {
    let index = window.locate(at, 1)
    const { bytes, filled } = window
    while (index < filled && bytes[index] === 0) {
      index += 1
      at += 1
    }
    if (index < filled) return at
  }
  return at
}

function parseRecord(window: Window, at: number): Parsed {
  const head = parseHeader(window, at, at, star)
  if (typeof head === 'string') return head === 'torn' ? torn : bad
  if (head.number > maximumParts) return bad
  const parts: Part[] = []
  let end = at + head.bytes
  while (parts.length < head.number) {
    const size = parseHeader(window, at, end, dollar)
    if (typeof size === 'string') return size === 'torn' ? torn : bad
    const part = { at: end + size.bytes, length: size.number }
    end = part.at + part.length + 2
    if (end - at > maximumRecordBytes) return bad
    if (end > window.size) return torn
    const last = window.locate(at, end - at) + end - at - 1
    if (window.bytes[last - 1] !== cr || window.bytes[last] !== lf) return bad
    parts.push(part)
  }
  return { is: 'record', parts, end }
}

/** The mark, a number, CR and LF, at `at`. The window keeps all bytes from `from` on, where the record begins. */
function parseHeader(
  window: Window,
  from: number,
  at: number,
  mark: number,
): { readonly number: number; readonly bytes: number } | 'torn' | 'bad' {
  const first = window.locate(from, at - from + longestHeader) + at - from
  const left = window.size - at
  let number = 0
  for (let count = 0; count < longestHeader; count += 1) {
    if (count >= left) return 'torn'
    const byte = window.bytes[first + count] ?? 0
    if (count === 0 ? byte === mark : byte >= 48 && byte <= 57) {
      if (count > 0) number = number * 10 + byte - 48
      continue
    }
    if (count < 2 || byte !== cr) return 'bad'
    if (count + 1 >= left) return 'torn'
    return window.bytes[first + count + 1] === lf ? { number, bytes: count + 2 } : 'bad'
  }
  return 'bad'
}

/** Undefined where the command is none of BuntDB's. */
function toEvent(
  window: Window,
  at: number,
  { parts, end }: Extract<Parsed, { is: 'record' }>,
  { modifiedAt }: LogFile,
  now: Date,
): LogEvent | 'nothing' | undefined {
  const first = window.locate(at, end - at) - at
  const [name, key, value, unit, amount] = parts.map((part) =>
    window.bytes.subarray(first + part.at, first + part.at + part.length),
  )
  if (name === undefined) return 'nothing'
  const command = name.length > 7 ? '' : name.toString('latin1').toLowerCase()
  if (command === 'flushdb' && parts.length === 1) return { does: 'flush', at }
  if (key === undefined) return undefined
  if (command === 'del' && parts.length === 2) return { does: 'delete', at, key }
  if (command !== 'set' || value === undefined) return undefined
  if (unit === undefined) return { does: 'set', at, key, value }
  const expiresAtMs = expiryOf(unit, amount, modifiedAt)
  if (expiresAtMs === undefined) return undefined
  return expiresAtMs > now.getTime() ? { does: 'set', at, key, value } : { does: 'delete', at, key }
}

/** `ex` counts seconds from when the file was written, `ae` names the second. */
function expiryOf(unit: Buffer, amount: Buffer | undefined, modifiedAt: Date): number | undefined {
  const text = amount?.toString('latin1') ?? ''
  if (!/^\d{1,15}$/.test(text)) return undefined
  const name = unit.toString('latin1').toLowerCase()
  if (name === 'ex') return modifiedAt.getTime() + Number(text) * 1000
  return name === 'ae' ? Number(text) * 1000 : undefined
}

/** Where the next whole record begins. */
function findRecord(window: Window, from: number): number | undefined {
  let at = from
  while (at < window.size) {
    const index = window.locate(at, 1)
    const found = window.bytes.subarray(index, window.filled).indexOf(star)
    if (found === 0 && parseRecord(window, at).is === 'record') return at
    at += found > 0 ? found : found === 0 ? 1 : window.filled - index
  }
  return undefined
}
