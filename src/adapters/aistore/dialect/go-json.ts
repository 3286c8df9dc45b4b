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

/** Parses the first JSON value of `text`. @throws GoJsonError */
export function parseGoJson(text: string): GoJson {
  let at = 0

  function fail(expected: string): never {
    if (at >= text.length) throw new GoJsonError(at === 0 || text.trim() === '' ? 'EOF' : 'unexpected end of JSON')
    throw new GoJsonError(`expected ${expected}, but found ${JSON.stringify(text[at])} at byte ${at}`)
  }

  function skipSpace() {
    while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at += 1
  }

  function literal<T>(word: string, value: T): T {
    if (!text.startsWith(word, at)) fail(word)
    at += word.length
    return value
  }

  function string(): string {
    const end = stringEnd(text, at)
    if (end < 0) {
      at = text.length
      fail('the end of a string')
    }
    const raw = text.slice(at, end)
    at = end
    try {
      return JSON.parse(raw) as string
    } catch {
      throw new GoJsonError('invalid escape or control character in a string')
    }
  }

  function number(): GoNumber {
    const match = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at, at + 400))
    if (!match) fail('a number')
    at += match[0].length
    return new GoNumber(match[0])
  }

  function list(depth: number): GoJson[] {
    const items: GoJson[] = []
    at += 1
    skipSpace()
    if (text[at] === ']') {
      at += 1
      return items
    }
    for (;;) {
      items.push(value(depth))
      skipSpace()
      if (text[at] === ']') break
      if (text[at] !== ',') fail('"," or "]"')
      at += 1
    }
    at += 1
    return items
  }

  function object(depth: number): Map<string, GoJson> {
    const members = new Map<string, GoJson>()
    at += 1
    skipSpace()
    if (text[at] === '}') {
      at += 1
      return members
    }
    for (;;) {
      skipSpace()
      if (text[at] !== '"') fail('a member name')
      const name = string().toLowerCase()
      skipSpace()
      if (text[at] !== ':') fail('":"')
      at += 1
      members.set(name, value(depth))
      skipSpace()
      if (text[at] === '}') break
      if (text[at] !== ',') fail('"," or "}"')
      at += 1
    }
    at += 1
    return members
  }

  function value(depth: number): GoJson {
    if (depth > maximumDepth) throw new GoJsonError(`nested deeper than ${maximumDepth} levels`)
    skipSpace()
    switch (text[at]) {
      case '{':
        return object(depth + 1)
      case '[':
        return list(depth + 1)
      case '"':
        return string()
      case 't':
        return literal('true', true)
      case 'f':
        return literal('false', false)
      case 'n':
        return literal('null', null)
      default:
        return number()
    }
  }

  return value(0)
}

/** Index just behind the closing quote of the string that opens at `from`; -1 if it never closes. */
function stringEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at += 1
    else if (code === 0x22) return at + 1
  }
  return -1
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
