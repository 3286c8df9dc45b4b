/** JSON Schema, as far as the OpenAPI document uses it, in words. */
import { code, prose, table } from './markdown.ts'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

/** The schema of a body, whatever its content type; undefined where there is no body. */
export function schemaOf(
  content: Readonly<Record<string, { readonly schema: Schema }>> | undefined,
): Schema | undefined {
  return Object.values(content ?? {})[0]?.schema
}

/** For instance "array of [Cluster](#cluster)", "integer, 1 to 1000, default `100`" or "object (`id`: string)". */
export function presentType(schema: Schema): string {
  const { $ref, type, format, enum: words, items, anyOf, oneOf, allOf } = schema
  if ($ref !== undefined) return presentReference($ref)
  const parts = anyOf ?? oneOf
  if (parts !== undefined) return parts.map(presentType).join(' or ')
  if (allOf !== undefined) return allOf.map(presentType).join(' and ')
  if (words !== undefined) return words.map((word) => code(String(word))).join(', ') + presentDefault(schema)
  if (schema.const !== undefined) return code(JSON.stringify(schema.const))
  if (items !== undefined) return `array of ${presentType(items)}`
  const { additionalProperties: values } = schema
  if (schema.properties === undefined && typeof values === 'object') return `object of ${presentType(values)}`
  const members = Object.entries(schema.properties ?? {})
  if (members.length > 0) {
    return `object (${members.map(([member, its]) => `${code(member)}: ${presentType(its)}`).join('; ')})`
  }
  const name = [type ?? 'any'].flat().join(' or ')
  return `${name}${format === undefined ? '' : ` (${format})`}${presentBounds(schema)}${presentDefault(schema)}`
}

function presentReference(reference: string): string {
  const name = reference.split('/').at(-1) ?? ''
  return `[${name}](#${name.toLowerCase()})`
}

function presentBounds({ minimum, maximum, minLength, maxLength }: Schema): string {
  const isRange = minimum !== undefined && maximum !== undefined
  const isWide = maximum !== undefined && maximum >= Number.MAX_SAFE_INTEGER
  if (isRange && !isWide) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined && minimum > -Number.MAX_SAFE_INTEGER) return `, at least ${minimum}`
  if (minLength !== undefined && maxLength !== undefined) return `, ${minLength} to ${maxLength} characters`
  return maxLength === undefined ? '' : `, at most ${maxLength} characters`
}

function presentDefault(schema: Schema): string {
  return schema.default === undefined ? '' : `, default ${code(JSON.stringify(schema.default))}`
}

export function presentMembers(schema: Schema): string {
  const members = Object.entries(schema.properties ?? {})
  if (members.length === 0) return presentType(schema)
  return table(
    ['member', 'type', 'meaning'],
    members.map(([name, member]) => [
      code(name) + (schema.required?.includes(name) ? '' : ' (may be missing)'),
      presentType(member),
      prose(member.description ?? ''),
    ]),
  )
}
