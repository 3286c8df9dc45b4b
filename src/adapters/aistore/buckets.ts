/** Buckets as people write them: `name`, `ais://name`, `s3://name`, `ais://#namespace/name`; and as grants hold them. */
import { DomainError } from '../../core/errors.ts'
import { canonicalProvider } from './acl.ts'

export interface BucketName {
  readonly provider: string
  readonly namespace: string
  readonly name: string
}

/** Those that clusters have, by the names that they compare with. */
export const providers: readonly string[] = ['ais', 'aws', 'azure', 'gcp', 'oci', 'ht']

const maximumLength = 4096

const plain = /^(?:([a-z0-9]+):\/\/)?(?:#([^/\s\p{Cc}]*)\/)?([^/\s#@[\p{Cc}]+)\/?$/iu

/**
 * Providers get the names that clusters compare with; without one it is `ais`. A name that breaks AIStore's own rules, or
 * another provider, can be written as the JSON list of provider, name and namespace: nobody gets there by a slip.
 * @throws DomainError field_invalid
 */
export function parseBucket(text: string, field = 'bucket'): BucketName {
  if (text.length <= maximumLength) {
    const parts = text.startsWith('[') ? parseParts(text) : undefined
    if (parts !== undefined) return parts
    const [, written = '', namespace = '', name] = plain.exec(text) ?? []
    const provider = canonicalProvider(written.toLowerCase())
    if (name !== undefined && providers.includes(provider)) return { provider, namespace, name }
  }
  const rule = `must be a name, or like ais://name, s3://name, ais://#namespace/name, of one of the providers ${providers.join(', ')}`
  throw new DomainError('field_invalid', { field, what: 'bucket', value: text.slice(0, 64), rule })
}

function parseParts(text: string): BucketName | undefined {
  try {
    const parts: unknown = JSON.parse(text)
    if (!Array.isArray(parts) || parts.length !== 3 || !parts.every((part) => typeof part === 'string'))
      return undefined
    const [provider, name, namespace] = parts as [string, string, string]
    return { provider: canonicalProvider(provider), namespace, name }
  } catch {
    return undefined
  }
}

/** Nothing is lost: what is parsed from it is the same bucket. */
export function presentBucket(bucket: BucketName): string {
  const provider = canonicalProvider(bucket.provider)
  const { namespace, name } = bucket
  const text = `${provider}://${namespace === '' ? '' : `#${namespace}/`}${name}`
  const [, readProvider, readNamespace = '', readName] = plain.exec(text) ?? []
  const isPlain = readProvider === provider && providers.includes(provider)
  if (isPlain && readNamespace === namespace && readName === name) return text
  return JSON.stringify([provider, name, namespace])
}

/** The resource of a grant (acl.ts). */
export function bucketOfResource(resource: string): BucketName {
  const [provider = '', name = '', namespace = ''] = JSON.parse(resource) as string[]
  return { provider, namespace, name }
}
