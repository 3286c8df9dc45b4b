import { type AistoreDialectDeps, createAistoreDialect } from '../../src/adapters/aistore/dialect/dialect.ts'
import { presentDocument } from '../../src/http/openapi.ts'
import { createRoutes, type RouteDeps } from '../../src/http/routes/routes.ts'
import { version } from '../../src/version.ts'
import { code, paragraphs, prose, sentence, table } from './markdown.ts'
import { presentMembers, presentType, type Schema, schemaOf } from './schema.ts'
import { standIn } from './stand-in.ts'

interface Operation {
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly 'x-permission': string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & { readonly description: string }>>
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const root = '/api/v1'

export async function presentApi(): Promise<string> {
  const document = (await presentDocument(createRoutes(standIn<RouteDeps>()), version)) as unknown as Document
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${root}${path}`,
      operation,
    })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  return paragraphs(
    '# HTTP API',
    `The native API stands at \`${root}\`. A running service hands out the same as an OpenAPI 3.1 document at
\`${root}/openapi.json\`, without a log-in. A token goes along as \`Authorization: Bearer TOKEN\`. Times are ISO 8601 in UTC;
failures are problem details (RFC 9457) with the [codes](errors.md) of which each has one. What a route needs is a
[permission](permissions.md), *self* (anybody who is logged in) or *none*.`,
    table(
      ['route', 'needs', 'does'],
      operations.map(({ name, operation }) => [code(name), operation['x-permission'], prose(operation.summary)]),
    ),
    ...tags.flatMap((tag) => [
      `## ${tag}`,
      ...operations.filter(({ operation }) => operation.tags[0] === tag).map(presentOperation),
    ]),
    '## Shapes',
    ...Object.entries(document.components.schemas).map(([name, schema]) =>
      paragraphs(`### ${name}`, sentence(schema.description ?? ''), presentMembers(schema)),
    ),
    presentOtherRoutes(),
  )
}

function presentOperation({ name, operation }: { readonly name: string; readonly operation: Operation }): string {
  const { summary, description = '', parameters = [], requestBody, responses } = operation
  const statuses = Object.entries(responses)
  const good = statuses.filter(([status]) => status < '300')
  const refusals = statuses.filter(([status]) => status >= '300').map(([status]) => status)
  const body = schemaOf(requestBody?.content)
  return paragraphs(
    `### ${name}`,
    [sentence(summary), sentence(description), `Needs: ${presentNeed(operation['x-permission'])}.`]
      .filter(Boolean)
      .join(' '),
    table(
      ['parameter', 'in', 'type', 'meaning'],
      parameters.map(({ name: parameter, in: place, required, schema }) => [
        code(parameter) + (required ? '' : ' (may be missing)'),
        place,
        presentType(schema),
        prose(schema.description ?? ''),
      ]),
    ),
    body === undefined
      ? ''
      : body.$ref === undefined
        ? `Body:\n\n${presentMembers(body)}`
        : `Body: ${presentType(body)}.`,
    ...good.map(([status, answer]) => {
      const schema = schemaOf(answer.content)
      return `Answers ${status}${schema === undefined ? '' : `, ${presentType(schema)}`}: ${sentence(answer.description)}`
    }),
    `May refuse with ${refusals.join(', ')}.`,
  )
}

function presentNeed(permission: string): string {
  return permission.includes(':') ? code(permission) : `*${permission}*`
}

function presentOtherRoutes(): string {
  const { access } = createAistoreDialect(standIn<AistoreDialectDeps>())
  return paragraphs(
    '## AIStore',
    "AIStore's own API, as its server AuthN has it and as the `ais` command line and the SDK call it, and what it needs here:",
    table(
      ['route', 'needs', 'does'],
      access.map(({ method, path, need, what }) => [code(`${method} ${path}`), need, prose(what)]),
    ),
    '## Health',
    '`/healthz` answers 200 while the process does, `/readyz` while it can do its work (else 503 and the reason); neither\nneeds a token. They and [`/metrics`](metrics.md) are on the operations listener too.',
  )
}
