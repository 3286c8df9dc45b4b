/**
 * Bodies that AIStore's clients send, as Go's decoder takes them: unknown members are ignored, null leaves a member
 * empty, booleans are JSON booleans, permissions are decimal strings of 64 bits (contract 1.1, 1.3 to 1.7).
 */
import { z } from 'zod'
import { type GoJson, GoJsonError, GoNumber, parseGoJson } from './dialect/go-json.ts'

const goText = z.string('expected a string')

const goString = goText.nullish().transform((value) => value ?? '')

const goBoolean = z
  .boolean('expected true or false')
  .nullish()
  .transform((value) => value ?? false)

/** Nanoseconds; null where the member is absent or null. */
const goDurationNumber = z
  .custom<GoNumber>((value) => value instanceof GoNumber && /^-?\d+$/.test(value.text), 'expected an integer')
  .nullish()
  .transform((value) => (value ? Number(value.text) : null))

const maximumPermission = 2n ** 64n - 1n

const goPermission = goText
  .regex(/^(0|[1-9]\d{0,19})$/, 'expected an unsigned 64-bit number in decimal, as a string')
  .refine((text) => BigInt(text) <= maximumPermission, 'overflows 64 bits')
  .nullish()

/** A list whose null entries are dropped; null where it is absent or null. */
function goList<T extends z.ZodType>(entry: T) {
  return z
    .array(entry.nullable(), 'expected a list')
    .nullish()
    .transform((list) => (list ? list.filter((item): item is NonNullable<typeof item> => item !== null) : null))
}

/** An object by its members' names. A number is an object to JavaScript, as it keeps its text, but to nobody else. */
function plainObject(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  return value instanceof GoNumber ? value.text : value
}

/** `null` is no entry. */
const goEntry = <T extends z.ZodRawShape>(shape: T) => z.preprocess(plainObject, z.object(shape, 'expected an object'))

/** `null` is an object with nothing in it. */
const goObject = <T extends z.ZodRawShape>(shape: T) => z.preprocess((value) => value ?? new Map(), goEntry(shape))

/** `null` is no object at all. */
const maybeObject = <T extends z.ZodRawShape>(shape: T) =>
  z.preprocess((value) => plainObject(value ?? undefined), z.object(shape, 'expected an object').optional())

const clusterMembers = {
  id: goString,
  alias: goString,
  urls: goList(goText),
  perm: goPermission,
}

const bucketMembers = {
  bck: goObject({
    name: goString,
    provider: goString,
    namespace: goObject({ uuid: goString, name: goString }),
  }),
  perm: goPermission,
}

const roleMembers = {
  name: goString,
  desc: goString,
  clusters: goList(goEntry(clusterMembers)),
  buckets: goList(goEntry(bucketMembers)),
  admin: goBoolean,
}

/** Entries of a role one by one, for who keeps the good ones beside bad ones. */
export const ClusterEntry = goEntry(clusterMembers)
export const BucketEntry = goEntry(bucketMembers)

export const LoginBody = goObject({ password: goString, expires_in: goDurationNumber })
export const UserBody = goObject({ id: goString, pass: goString, roles: goList(goEntry({ name: goString })) })
export const RoleBody = goObject(roleMembers)
export const ClusterBody = goObject(clusterMembers)
export const TokenBody = goObject({ token: goString })

/** Absent and null members are undefined, since an empty secret is an error and an absent one is not. */
const maybeString = goText.nullish().transform((value) => value ?? undefined)

export const DaemonBody = goObject({
  auth: maybeObject({ secret: maybeString, expiration_time: maybeString }),
  log: maybeObject({ level: maybeString }),
})

/** A body that does not decode; the message names the member. */
export class UndecodableBodyError extends Error {
  override readonly name = 'UndecodableBodyError'
}

/** @throws UndecodableBodyError */
export function decodeBody<T extends z.ZodType>(schema: T, text: string): z.output<T> {
  let value: GoJson
  try {
    value = parseGoJson(text)
  } catch (error) {
    if (error instanceof GoJsonError) throw new UndecodableBodyError(error.message, { cause: error })
    throw error
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : ''
  throw new UndecodableBodyError(`${where}${issue?.message ?? 'not the expected shape'}`)
}
