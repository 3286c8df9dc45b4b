/** The types of the independent client (openapi-fetch), made from the document by openapi-typescript and checked in. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { projectRoot } from '../processes.ts'

export const typesFile = join(projectRoot, 'test', 'clients', 'openapi', 'native-api.d.ts')

const marker = 'Document: sha256:'

/** What tells a document from another one; the version of the program is not part of it. */
export function digestOf({ info, ...document }: Readonly<Record<string, unknown>>): string {
  const { version, ...rest } = info as Readonly<Record<string, unknown>>
  return createHash('sha256')
    .update(JSON.stringify({ ...document, info: rest }))
    .digest('hex')
}

export function withDigest(types: string, digest: string): string {
  return `// Made by test/clients/openapi/run.sh --write; not to be edited. ${marker}${digest}\n${types}`
}

export function digestIn(types: string): string | undefined {
  return new RegExp(`${marker}([0-9a-f]{64})`).exec(types)?.[1]
}
