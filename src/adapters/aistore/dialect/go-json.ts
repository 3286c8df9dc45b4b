/**
 * JSON as AIStore's Go server reads and writes it (contract 1.1): member names in any case, the last of two equal members
 * wins, whatever follows the first value is ignored, numbers keep their text.
 */

/** A JSON number as it was written, since 1.0 and 1e9 are not integers to Go and 2^64 does not fit a double. */
export class GoNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type GoJson = null | boolean | string | GoNumber | GoJson[] | Map<string, GoJson>

/** What is wrong with a body, for people. */
export class GoJsonError extends Error {
  override readonly name = 'GoJsonError'
}

/** Deeper nesting is refused: no message has more than six levels. */
const maximumDepth = 64

const space = /[ \t\r\n]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** A string, where no control character stands in it: an escape is a backslash and one character more. */
const quoted = /"[^"\\]*(?:\\.[^"\\]*)*"/sy
const literals: readonly (readonly [word: string, value: GoJson])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** Parses the first JSON value of `text`. @throws GoJsonError */
export function parseGoJson(text: string): GoJson {
  let at = 0

  function fail(expected: string): never {
    if (at >= text.length) throw new GoJsonError(text.trim() === '' ? 'EOF' : 'unexpected end of JSON')
    throw new GoJsonError(`expected ${expected}, but found ${JSON.stringify(text[at])} at ${at}`)
  }

  /** The text that the pattern, a sticky one, matches here; undefined where it doesn't. */
  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    if (!pattern.test(text)) return undefined
    const from = at
    at = pattern.lastIndex
    return text.slice(from, at)
  }

  function skipSpace(): void {
    const code = text.charCodeAt(at)
    if (code > 0x20 || at >= text.length) return
    space.lastIndex = at
    space.test(text)
    at = space.lastIndex
  }

  /** Passes the character if it stands here. */
  function pass(char: string): boolean {
    if (text[at] !== char) return false
    at += 1
    return true
  }

  function string(expected: string): string {
    if (text[at] !== '"') fail(expected)
    const raw = take(quoted)
    if (raw === undefined) throw new GoJsonError('unexpected end of JSON in a string')
    try {
      const value = JSON.parse(raw) as string
      // Half a surrogate pair is no character: to Go, and to what is stored in UTF-8.
      return raw.includes('\\u') ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value
    } catch {
      throw new GoJsonError('invalid escape or control character in a string')
    }
  }

  function list(depth: number): GoJson[] {
    const items: GoJson[] = []
    skipSpace()
    if (pass(']')) return items
    for (;;) {
      items.push(value(depth))
      skipSpace()
      if (pass(']')) return items
      if (!pass(',')) fail('"," or "]"')
    }
  }

  function object(depth: number): Map<string, GoJson> {
    const members = new Map<string, GoJson>()
    skipSpace()
    if (pass('}')) return members
    for (;;) {
      skipSpace()
      const name = string('a member name').toLowerCase()
      skipSpace()
      if (!pass(':')) fail('":"')
      members.set(name, value(depth))
      skipSpace()
      if (pass('}')) return members
      if (!pass(',')) fail('"," or "}"')
    }
  }

  function value(depth: number): GoJson {
    if (depth > maximumDepth) throw new GoJsonError(`nested deeper than ${maximumDepth} levels`)
    skipSpace()
    if (text[at] === '"') return string('a string')
    if (pass('{')) return object(depth + 1)
    if (pass('[')) return list(depth + 1)
    const digits = take(number)
    if (digits !== undefined) return new GoNumber(digits)
    for (const [word, meant] of literals) {
      if (!text.startsWith(word, at)) continue
      at += word.length
      return meant
    }
    return fail('a value')
  }

  return value(0)
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** One value as Go's encoder writes it, without the newline: `<`, `>` and `&` are escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => htmlEscapes[char] ?? char)
}
