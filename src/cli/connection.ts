/** Which server a command talks to, and as whom. */
import { type ClientSettings, clientSettings } from '../config.ts'
import { type Api, createApi } from './api.ts'
import { CredentialsError, UsageError } from './client-errors.ts'
import type { CliContext } from './context.ts'
import { isOpenToOthers, readCredentials, readTokenFile } from './credentials.ts'

/** Options that every command has which talks to a server. */
export interface ClientOptions {
  readonly url?: string
  readonly caFile?: string
  readonly json?: true
  readonly quiet?: true
}

export interface Connection {
  readonly url: string
  readonly api: Api
  readonly settings: ClientSettings
  readonly token: FoundToken | undefined
}

interface FoundToken {
  readonly text: string
  /** For people: where it came from. */
  readonly origin: string
  readonly isFromLogin: boolean
}

const defaultUrl = 'http://127.0.0.1:52001'

/** @throws UsageError, CredentialsError */
export async function connect(options: ClientOptions, context: CliContext): Promise<Connection> {
  const settings = clientSettings()
  const credentials = await readCredentials(settings.credentialsFile)
  const url = readUrl(options.url, settings, credentials.current)
  const token = await findToken(url, credentials.tokens[url], settings)
  if (token?.isFromLogin && (await isOpenToOthers(settings.credentialsFile))) {
    context.warn(`gatehouse: ${settings.credentialsFile} can be read by others: chmod 600 it`)
  }
  const caFile = options.caFile ?? settings.caFile
  return { url, settings, token, api: await createApi({ url, token, caFile, signal: context.stop }) }
}

function readUrl(flag: string | undefined, { url }: ClientSettings, current: string | undefined): string {
  const [given, origin] = flag === undefined ? [url?.value, url?.origin] : [flag, '--url']
  if (given === undefined) return current ?? defaultUrl
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) {
    throw new UsageError(`${origin} must be an http:// or https:// URL, for instance ${defaultUrl}`)
  }
  const parsed = new URL(given)
  if (parsed.username !== '' || parsed.password !== '') {
    throw new UsageError(`${origin} must hold no user name or password: log in with gatehouse login`)
  }
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`
}

/** A variable beats what was logged in with, which beats what `ais` has logged in with. */
async function findToken(
  url: string,
  own: string | undefined,
  { token, tokenFile }: ClientSettings,
): Promise<FoundToken | undefined> {
  if (token !== undefined) return { text: token.trim(), origin: 'AIS_AUTHN_TOKEN', isFromLogin: false }
  if (own !== undefined) return { text: own, origin: `gatehouse login at ${url}`, isFromLogin: true }
  const text = await readTokenFile(tokenFile.path)
  if (text !== undefined) return { text, origin: tokenFile.path, isFromLogin: false }
  if (!tokenFile.isNamed) return undefined
  throw new CredentialsError(`there is no token in ${tokenFile.path}, which AIS_AUTHN_TOKEN_FILE names`)
}
