/**
 * What may leave the process in a log line: everything except secrets. They are known by the name of their member, and
 * tokens by their looks wherever they stand. Parts are expected not to log secrets at all; this is the second lock.
 */

const mask = '[redacted]'
const maxDepth = 6
const maxItems = 50
const maxText = 8192
const maxNames = 2000

const secretName =
  /^pass(?:wd)?$|(?:tokens?|jwts?|passwords?|passwordhash|passphrases?|secrets?|credentials?|authorization|cookies?|(?:private|master|api)keys?)$/
const names = new Map<string, boolean>()

/** Whether a member of this name holds a secret, in whatever case and with whatever dashes it is written. */
export function isSecretName(name: string): boolean {
  const known = names.get(name)
  if (known !== undefined) return known
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const isSecret = secretName.test(plain)
  if (names.size < maxNames) names.set(name, isSecret)
  return isSecret
}

/** The text without tokens and without the credentials of URLs. */
export function scrubText(text: string): string {
  let scrubbed = text.length > maxText ? `${text.slice(0, maxText)}…` : text
  if (scrubbed.includes('eyJ')) scrubbed = scrubbed.replace(/eyJ[\w-]{5,}(?:\.[\w-]*)*/g, mask)
  if (scrubbed.includes('@')) scrubbed = scrubbed.replace(/:\/\/[^\s/]+@/g, `://${mask}@`)
  if (scrubbed.includes('earer ')) scrubbed = scrubbed.replace(/\b([Bb]earer) +[^\s"']+/g, `$1 ${mask}`)
  return scrubbed
}

/** A copy that can be written as JSON: secrets masked, errors as name, message, stack and cause, long lists cut. */
export function redactEntry(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactMembers(entry, 0)
}

function redactMembers(from: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  const to: Record<string, unknown> = {}
  for (const name in from) {
    const value = from[name]
    const type = typeof value
    // A number or a truth value under such a name counts or tells about secrets; it isn't one.
    if (type === 'number' || type === 'boolean' || value === null || value === undefined) to[name] = value
    else if (isSecretName(name)) to[name] = mask
    else to[name] = type === 'string' ? scrubText(value as string) : redactValue(value, depth + 1)
  }
  return to
}

function redactValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return scrubText(value)
    case 'bigint':
      return value.toString()
    case 'function':
    case 'symbol':
      return undefined
    case 'object':
      return value === null ? null : redactObject(value, depth)
    default:
      return value
  }
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Error) return redactError(value, depth)
  if (depth > maxDepth) return '[deep]'
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => redactValue(item, depth + 1))
    return value.length > maxItems ? [...items, `[${value.length - maxItems} more]`] : items
  }
  return redactMembers(value as Readonly<Record<string, unknown>>, depth)
}

/** Only members that are known to be harmless are taken over: an error may carry the request that failed. */
function redactError(error: Error, depth: number): unknown {
  if (depth > maxDepth) return '[deep]'
  const { code, details, cause, errors } = error as Error & Readonly<Record<'code' | 'details' | 'errors', unknown>>
  return {
    name: error.name,
    message: scrubText(error.message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof details === 'object' && details !== null ? { details: redactValue(details, depth + 1) } : {}),
    ...(error.stack === undefined ? {} : { stack: scrubText(error.stack) }),
    ...(cause === undefined ? {} : { cause: redactValue(cause, depth + 1) }),
    ...(Array.isArray(errors) ? { errors: redactValue(errors, depth + 1) } : {}),
  }
}
