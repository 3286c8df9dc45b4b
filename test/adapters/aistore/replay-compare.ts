/** Comparing an answer with a recorded one by what it means: members and values, accidents replaced by placeholders. */

export interface Difference {
  /** Where: `status`, `headers.Content-Type`, `body.message`, `token.claims.sub`, `calls.length`, `must …`. */
  readonly path: string
  readonly recorded: unknown
  readonly got: unknown
}

export interface Places {
  readonly base: string
  readonly stub: string
}

const jwt = /eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g

/** What stands in for a member whatever its value; null is left as it is. */
const byMember: Readonly<Record<string, unknown>> = {
  remote_addr: '<addr>',
  filepath: '<path>',
  dir: '<path>',
  server_crt: '<path>',
  server_key: '<path>',
  port: 0,
  kid: '<b64>',
  n: '<b64>',
  public_key: '<pem>',
  exp: 0,
  iat: 0,
}

function normalizeText(text: string, { base, stub }: Places): string {
  return text
    .replaceAll(stub, '<stub>')
    .replaceAll(base, '<base>')
    .replaceAll(jwt, '<jwt>')
    .replaceAll(/expires in [^)]*/g, 'expires in <dur>')
    .replaceAll(/failed to unmarshal .*/gs, 'failed to unmarshal <detail>')
}

/** The value with accidents replaced by the records' placeholders. Go's decoder texts are cut to their first words. */
export function normalize(value: unknown, places: Places): unknown {
  if (typeof value === 'string') return normalizeText(value, places)
  if (Array.isArray(value)) return value.map((entry) => normalize(entry, places))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name in byMember && member !== null ? byMember[name] : normalize(member, places),
    ]),
  )
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(list: readonly unknown[]): unknown[] {
  return [...list].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

/** Every place where `got` lacks or changes what was recorded; members beyond the record are no difference. */
export function compare(path: string, recorded: unknown, got: unknown, isUnordered = false): Difference[] {
  if (Array.isArray(recorded) && Array.isArray(got) && recorded.length === got.length) {
    const [left, right] = isUnordered ? [sorted(recorded), sorted(got)] : [recorded, got]
    return left.flatMap((entry, index) => compare(`${path}[${index}]`, entry, right[index]))
  }
  if (isObject(recorded) && isObject(got)) {
    return Object.keys(recorded).flatMap((name) => compare(`${path}.${name}`, recorded[name], got[name]))
  }
  return JSON.stringify(recorded) === JSON.stringify(got) ? [] : [{ path, recorded, got }]
}
