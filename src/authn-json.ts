/**
 * `authn.json`, the configuration file of AIStore's AuthN, read as strictly as AuthN reads it: a member that is not
 * known stops the start (contract section 4.1). Which members there are, and of which type, the table of settings says.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import { type AnySetting, settingRows } from './config-settings.ts'

export interface AuthnJson {
  readonly file: string
  /** Dotted member to its value as text. Members that are absent or null are not there. */
  readonly members: ReadonlyMap<string, string>
}

const leaves = new Map<string, AnySetting['kind']['json']>()
const sections = new Set<string>()
for (const [, { member, kind }] of settingRows) {
  if (member === undefined) continue
  leaves.set(member, kind.json)
  for (let dot = member.lastIndexOf('.'); dot > 0; dot = member.lastIndexOf('.', dot - 1)) {
    sections.add(member.slice(0, dot))
  }
}

/**
 * Reads the file, or `authn.json` in the folder, at `path`.
 *
 * @throws ConfigError where it can't be read, isn't JSON, or has a member that is unknown or of another type
 */
export function readAuthnJson(path: string): AuthnJson {
  const file = isFolder(path) ? join(path, 'authn.json') : path
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`can't read the configuration file ${file}: ${reasonOf(error)}`)
  }
  const root = parseJson(content, file)
  if (!isObject(root)) throw new ConfigError(`${file} must hold a JSON object`)
  const members = new Map<string, string>()
  collect(root, '', file, members)
  return { file, members }
}

function collect(section: Readonly<Record<string, unknown>>, prefix: string, file: string, into: Map<string, string>) {
  for (const [name, value] of Object.entries(section)) {
    const member = prefix + name
    const type = leaves.get(member)
    // A dot in a name is no way into a section.
    const isKnown = (type !== undefined || sections.has(member)) && !name.includes('.')
    if (!isKnown) throw new ConfigError(unknownMember(member, file))
    if (value === null) continue
    if (type === undefined) {
      if (!isObject(value)) throw new ConfigError(`${member} in ${file} must be an object`)
      collect(value, `${member}.`, file, into)
    } else {
      if (typeof value !== type) throw new ConfigError(`${member} in ${file} must be a JSON ${type}`)
      into.set(member, String(value))
    }
  }
}

function unknownMember(member: string, file: string): string {
  const wanted = member.toLowerCase()
  const near = [...sections, ...leaves.keys()].find(
    (known) => known.toLowerCase() === wanted || known.endsWith(`.${wanted}`),
  )
  return `unknown member ${member} in ${file}${near === undefined ? '' : ` (is ${near} meant?)`}`
}

/** The parser's own message quotes the text around the mistake, which may be the secret: only the place is kept. */
function parseJson(content: string, file: string): unknown {
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ''))
  } catch (error) {
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const line = position === undefined ? undefined : content.slice(0, Number(position)).split('\n').length
    throw new ConfigError(`${file} is not valid JSON${line === undefined ? '' : ` (see line ${line})`}`)
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  return typeof code === 'string' ? code : 'it is not readable'
}
