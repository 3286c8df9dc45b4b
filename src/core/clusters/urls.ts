import { DomainError } from '../errors.ts'

const maximumUrls = 16
const maximumLength = 2048
/** Of one that is refused. */
const maximumShown = 64

/**
 * The URLs of a cluster as they are stored: http or https, no credentials, query or fragment, no slash at the end, each
 * once, in the order given.
 * @throws DomainError field_invalid
 */
export function parseClusterUrls(urls: readonly string[]): readonly string[] {
  const parsed = [...new Set(urls.map(parseClusterUrl))]
  if (parsed.length <= maximumUrls) return parsed
  throw invalid(`${parsed.length} URLs`, `must be at most ${maximumUrls} URLs`)
}

function parseClusterUrl(text: string): string {
  if (text.length > maximumLength) throw invalid(text, `must be at most ${maximumLength} characters`)
  if (!/^https?:\/\/[^\s\\\p{Cc}]+$/iu.test(text) || !URL.canParse(text)) {
    throw invalid(text, 'must be an http:// or https:// URL')
  }
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || authorityOf(text).includes('@')) {
    throw invalid(text, 'must hold no user name or password')
  }
  if (/[?#]/.test(text)) throw invalid(text, 'must have no query and no fragment')
  return text.replace(/\/+$/, '')
}

function authorityOf(text: string): string {
  return text.replace(/^[a-z]+:\/\//i, '').split(/[/?#]/, 1)[0] ?? ''
}

/** Without what may be secret: what stands before an @, and what comes after the path. */
function showable(text: string): string {
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0] ?? ''
  const open = text.includes('@') ? `${scheme}…@${text.slice(text.lastIndexOf('@') + 1)}` : text
  const shown = open.split(/[?#]/, 1)[0] ?? ''
  return shown.length > maximumShown ? `${shown.slice(0, maximumShown)}…` : shown
}

function invalid(text: string, rule: string) {
  return new DomainError('field_invalid', { field: 'urls', what: 'cluster URL', value: showable(text), rule })
}
