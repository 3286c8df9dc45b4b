/** Buckets as people write them: `name`, `ais://name`, `s3://name`, `ais://#namespace/name`; and as grants hold them. */
import { DomainError } from '../../core/errors.ts'
import { canonicalProvider } from './acl.ts'

export interface BucketName {
  readonly provider: string
  readonly namespace: string
  readonly name: string
}

const maximumLength = 512

/**
 * Providers get the names that clusters compare with; without one it is `ais`.
 * @throws DomainError field_invalid
 */
export function parseBucket(text: string, field = 'bucket'): BucketName {
  const found = /^(?:([a-z0-9]+):\/\/)?(?:#([^/\s\p{Cc}]*)\/)?([^/\s#@\p{Cc}]+)\/?$/iu.exec(text)
  const [, provider = '', namespace = '', name] = found ?? []
  if (name === undefined || text.length > maximumLength) {
    const rule = 'must be a name, or like ais://name, s3://name, ais://#namespace/name'
    throw new DomainError('field_invalid', { field, what: 'bucket', value: text.slice(0, 64), rule })
  }
  return { provider: canonicalProvider(provider.toLowerCase()), namespace, name }
}

export function presentBucket({ provider, namespace, name }: BucketName): string {
  return `${canonicalProvider(provider)}://${namespace === '' ? '' : `#${namespace}/`}${name}`
}

/** The resource of a grant (acl.ts). */
export function bucketOfResource(resource: string): BucketName {
  const [provider = '', name = '', namespace = ''] = JSON.parse(resource) as string[]
  return { provider, namespace, name }
}
