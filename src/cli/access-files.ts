/** Configuration as code, as it lies in files: YAML 1.2 or JSON, several documents put together, and where each thing stands. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { namedVariable } from '../config.ts'
import { CredentialsError, type FieldFault, UsageError } from './client-errors.ts'
import type { CliContext } from './context.ts'

export interface AccessFiles {
  /** All documents as one; what is wrong with it, the server says. */
  readonly access: Readonly<Record<string, unknown>>
  /** Where a member stands, for instance `access.yaml:12`. `path` as problems give it: `users.3.roles.0`. */
  place(path: string): string
  /** The password that a user's entry refers to. @throws UsageError which says what is missing */
  password(user: string): Promise<string>
}

interface Source {
  /** For people. */
  readonly name: string
  /** Against which files are found that it names. */
  readonly folder: string
  readonly document: Document
  readonly lines: LineCounter
  readonly content: Readonly<Record<string, unknown>>
}

/** Where an entry of a merged list comes from. */
interface Origin {
  readonly source: Source
  readonly index: number
}

const lists = ['clusters', 'roles', 'users'] as const
const standardInput = '-'

/**
 * Reads all files; `-` is standard input.
 * @throws CredentialsError where a file can't be read, UsageError where it is no YAML or JSON, or holds a password
 */
export async function readAccessFiles(names: readonly string[], context: CliContext): Promise<AccessFiles> {
  if (names.filter((name) => name === standardInput).length > 1) throw new UsageError('standard input can be read once')
  const sources: Source[] = []
  for (const name of names) sources.push(...(await readSources(name, context)))
  const first = sources[0]
  if (first === undefined)
    throw new UsageError('name what is to be applied: -f access.yaml, or -f - for standard input')
  const origins = new Map<string, readonly Origin[]>()
  for (const list of lists) {
    const found = sources.flatMap((source) => entriesOf(source, list).map((_entry, index) => ({ source, index })))
    if (sources.some(({ content }) => content[list] !== undefined)) origins.set(list, found)
  }
  const merged = [...origins].map(([list, found]) => [
    list,
    found.map(({ source, index }) => entriesOf(source, list)[index]),
  ])
  for (const origin of origins.get('users') ?? []) checkPassword(origin)
  return {
    access: { ...Object.assign({}, ...sources.map(({ content }) => content)), ...Object.fromEntries(merged) },
    place: (path) => placeOf(path, origins, first),
    password: (user) => readPassword(user, origins.get('users') ?? []),
  }
}

async function readSources(name: string, { terminal }: CliContext): Promise<readonly Source[]> {
  const isInput = name === standardInput
  const text = isInput ? await terminal.readInput() : await readText(name)
  const folder = isInput ? '.' : dirname(name)
  const shown = isInput ? 'standard input' : name
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { version: '1.2', lineCounter: lines, prettyErrors: false })
  if (!Array.isArray(parsed)) throw new UsageError(`${shown} is empty`)
  return parsed.map((document) => {
    const [error] = document.errors
    if (error !== undefined) throw new UsageError(`${shown}:${lines.linePos(error.pos[0]).line}: ${error.message}`)
    const content: unknown = document.toJS({ maxAliasCount: 100 })
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw new UsageError(`${shown} holds no document: it begins with apiVersion: gatehouse/v1`)
    }
    return { name: shown, folder, document, lines, content: content as Source['content'] }
  })
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new CredentialsError(`can't read ${path}: check the path, its owner and mode`, { cause })
  }
}

/** What is no list is left for the server to refuse. */
function entriesOf({ content }: Source, list: string): readonly unknown[] {
  const entries = content[list]
  return Array.isArray(entries) ? entries : entries === undefined || entries === null ? [] : [entries]
}

/** Its line; that of what it stands in, where it isn't there itself. */
function placeOf(path: string, origins: ReadonlyMap<string, readonly Origin[]>, first: Source): string {
  const [list = '', index = '', ...rest] = path.split('.')
  const origin = origins.get(list)?.[Number(index)]
  // A single role stands for a list of it.
  if (origin === undefined) return list === 'roles' ? lineOf(first, toPath(rest)) : first.name
  return lineOf(origin.source, [list, origin.index, ...toPath(rest)])
}

function toPath(parts: readonly string[]): (string | number)[] {
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}

function lineOf({ name, document, lines }: Source, path: readonly (string | number)[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
    if (Array.isArray(range)) return `${name}:${lines.linePos(range[0]).line}`
  }
  return name
}

/** A password that stands in the file goes nowhere: not to the server, not into a message. @throws UsageError */
function checkPassword({ source, index }: Origin): void {
  const entry = entriesOf(source, 'users')[index]
  const password = typeof entry === 'object' && entry !== null && 'password' in entry ? entry.password : undefined
  if (password === undefined || isReference(password)) return
  const place = lineOf(source, ['users', index, 'password'])
  throw new UsageError(
    `${place}: a password must be a reference, { env: NAME } or { file: path }: one that stands here would end up wherever this file does`,
  )
}

type Reference = { readonly env: string } | { readonly file: string }

function isReference(value: unknown): value is Reference {
  if (typeof value !== 'object' || value === null) return false
  const members = Object.entries(value)
  return members.length === 1 && members.every(([name, at]) => /^(env|file)$/.test(name) && typeof at === 'string')
}

async function readPassword(user: string, origins: readonly Origin[]): Promise<string> {
  const found = origins.find(({ source, index }) => nameOf(entriesOf(source, 'users')[index]) === user)
  const entry = found && (entriesOf(found.source, 'users')[found.index] as { readonly password?: Reference })
  const reference = entry?.password
  if (found === undefined || reference === undefined) throw new UsageError(`the user ${user} needs a password`)
  const { source, index } = found
  const place = `${lineOf(source, ['users', index, 'password'])}: the password of ${user}`
  if ('env' in reference) {
    const value = namedVariable(reference.env)
    if (!value) throw new UsageError(`${place} is to be in the variable ${reference.env}, which is not set`)
    return value
  }
  const path = resolve(source.folder, reference.file)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${place} is to be in ${path}, which can't be read`, { cause })
  })
  const password = text.replace(/\r?\n$/, '')
  if (password === '') throw new UsageError(`${place} is to be in ${path}, which is empty`)
  return password
}

function nameOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined
}

/** What the server found wrong, by file and line. */
export function presentFaults(fields: readonly FieldFault[], files: Pick<AccessFiles, 'place'>): string[] {
  return fields.map(({ field, detail }) => {
    const path = field.replace(/^access\./, '')
    return `${files.place(path)}: ${path}: ${detail}`
  })
}
