/** The tokens that `gatehouse login` has got: one for each server, in a file that only its owner may read. */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CredentialsError } from './client-errors.ts'

export interface Credentials {
  /** The server that was logged in to last. */
  readonly current: string | undefined
  /** By the server's URL: a token is never sent to another. */
  readonly tokens: Readonly<Record<string, string>>
}

const nobody: Credentials = { current: undefined, tokens: {} }

/** @throws CredentialsError where the file is there and can't be read */
export async function readCredentials(file: string): Promise<Credentials> {
  const content = await readIfThere(file)
  if (content === undefined) return nobody
  const { current, tokens } = parseJson(content, file) as { current?: unknown; tokens?: unknown }
  const pairs = typeof tokens === 'object' && tokens !== null ? Object.entries(tokens) : []
  return {
    current: typeof current === 'string' ? current : undefined,
    tokens: Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
  }
}

/** Keeps the token of this server, which is the current one from now on. @throws CredentialsError */
export async function keepToken(file: string, url: string, token: string): Promise<void> {
  const { tokens } = await readCredentials(file)
  await write(file, { current: url, tokens: { ...tokens, [url]: token } })
}

/** Answers whether there was one. @throws CredentialsError */
export async function forgetToken(file: string, url: string): Promise<boolean> {
  const { current, tokens } = await readCredentials(file)
  const { [url]: forgotten, ...others } = tokens
  if (forgotten === undefined) return false
  await write(file, { current, tokens: others })
  return true
}

/** Whether others than the owner may read the file. */
export async function isOpenToOthers(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found !== undefined && (found.mode & 0o077) !== 0
}

/** A file as `ais auth login` writes it: JSON with the member `token`; a bare token is taken too. @throws CredentialsError */
export async function readTokenFile(file: string): Promise<string | undefined> {
  const content = (await readIfThere(file))?.trim()
  if (content === undefined || content === '') return undefined
  if (!content.startsWith('{')) return content
  const { token } = parseJson(content, file) as { token?: unknown }
  return typeof token === 'string' && token !== '' ? token : undefined
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new CredentialsError(`can't read ${file} (${codeOf(error)}): check its owner and mode`, { cause: error })
  }
}

/** The content may be a secret: the message doesn't quote it. */
function parseJson(content: string, file: string): object {
  try {
    const parsed: unknown = JSON.parse(content)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // Told below.
  }
  throw new CredentialsError(`${file} is not the JSON that is expected there: remove it and log in again`)
}

/** Through a sibling and a rename: another command that reads meanwhile finds the file whole. */
async function write(file: string, content: Credentials): Promise<void> {
  const sibling = `${file}.${process.pid}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(sibling, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    await rename(sibling, file)
  } catch (error) {
    await rm(sibling, { force: true })
    throw new CredentialsError(`can't write ${file} (${codeOf(error)}): check the owner and mode of its folder`, {
      cause: error,
    })
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unexpected'
}
