/** Conditional requests (RFC 9110 section 13): entity tags, and what a caller makes a request depend on. */
import { createHash } from 'node:crypto'
import { DomainError } from '../core/errors.ts'
import type { Conditional } from '../core/precondition.ts'

/** `any` = `*`. Tags as they were sent, quotes and all. */
type Tags = 'any' | readonly string[]

export interface Conditions {
  readonly ifMatch: Tags | undefined
  readonly ifNoneMatch: Tags | undefined
}

export function readConditions(header: (name: string) => string | undefined): Conditions {
  return { ifMatch: readTags(header('if-match')), ifNoneMatch: readTags(header('if-none-match')) }
}

/** What is no list of tags matches nothing. */
function readTags(text: string | undefined): Tags | undefined {
  if (text === undefined) return undefined
  if (text.trim() === '*') return 'any'
  return text.match(/(?:W\/)?"[^"]*"/g) ?? []
}

/** A strong tag: another one as soon as anything of the content is another. */
export function etagOf(content: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 27)}"`
}

/** Whether the caller has named it as one it has or knows of; a weak tag stands for a strong one here (section 13.1.2). */
export function isKnown({ ifNoneMatch }: Conditions, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch === 'any' || ifNoneMatch.some((tag) => tag.replace(/^W\//, '') === etag)
}

/**
 * The conditions of a change, to be held against the thing as it is in the transaction of the change.
 * @param what for people, for instance `The role reader`
 */
export function preconditionOf<T>(conditions: Conditions, what: string, tagOf: (current: T) => string): Conditional<T> {
  const { ifMatch, ifNoneMatch } = conditions
  if (ifMatch === undefined && ifNoneMatch === undefined) return {}
  return {
    precondition(current) {
      const tag = current === undefined ? undefined : tagOf(current)
      const isMet = (ifMatch === undefined || isAmong(ifMatch, tag)) && !(tag !== undefined && isKnown(conditions, tag))
      if (!isMet) throw new DomainError('precondition_failed', { what })
    },
  }
}

/** Exactly: a weak tag matches nothing (section 13.1.1). */
function isAmong(tags: Tags, tag: string | undefined): boolean {
  return tag !== undefined && (tags === 'any' || tags.includes(tag))
}
