/** `/v1/daemon`: the configuration as AIStore's clients read and change it (contract 4.1). */
import type { z } from 'zod'
import { isDomainError } from '../../../core/errors.ts'
import type { Authenticator } from '../../../core/sessions/authenticator.ts'
import { requirePermission } from '../../../core/sessions/permission.ts'
import type { Principal } from '../../../core/sessions/principal.ts'
import { formatGoDuration, formatGoSize, parseGoDuration } from '../../../core/settings/go-units.ts'
import type { Settings, SettingsChange } from '../../../core/settings/settings.ts'
import { DaemonBody } from '../wire.ts'
import { answerJson, authenticate, type Call, CallError, done, readPermittedBody } from './call.ts'
import type { Route } from './routing.ts'

/** The part of the configuration that only a restart changes; values as in the file, after defaults. */
export interface DaemonFile {
  readonly publicKey: string | null
  readonly rsaKeyBits: number
  readonly signingKey: { readonly bits: number; readonly mode: string }
  readonly db: { readonly type: string; readonly filepath: string }
  readonly log: {
    readonly dir: string
    readonly maxSizeBytes: number
    readonly maxTotalBytes: number
    readonly flushIntervalMs: number
  }
  readonly net: {
    readonly externalUrl: string
    readonly certificateFile: string
    readonly keyFile: string
    readonly port: number
    readonly isHttps: boolean
  }
  readonly defaultTimeoutMs: number
}

export interface DaemonRouteDeps {
  readonly authenticator: Authenticator
  readonly settings: Settings
  readonly file: DaemonFile
}

/** Stands where a secret is set: its value is nobody's business. */
const mask = '********'

export function daemonRoute({ authenticator, settings, file }: DaemonRouteDeps): Route {
  async function get(call: Call): Promise<Response> {
    requirePermission(await authenticate(call, authenticator), 'settings:read')
    return answerJson(call, presentConfig(settings, file))
  }

  async function put(call: Call): Promise<Response> {
    const permit = (by: Principal) => requirePermission(by, 'settings:write')
    const given = await readPermittedBody(call, { authenticator, permit }, DaemonBody, 'ConfigToUpdate', {
      isBrief: true,
    })
    const { principal, body } = given
    const change = parseChange(body, settings.maximumTokenLifetimeMs)
    try {
      await settings.change(change, principal)
    } catch (error) {
      throw inWordsOfFile(error)
    }
    return done(call)
  }

  const path = '/v1/daemon'
  return {
    allow: 'PUT, GET',
    handlers: {
      PUT: { access: [{ path, need: 'settings:write', what: 'Change the configuration' }], handle: put },
      GET: { access: [{ path, need: 'settings:read', what: 'Show the configuration, secrets masked' }], handle: get },
    },
  }
}

/** Members of the configuration as the file and the client call them. */
const memberNames: Readonly<Record<string, string>> = {
  sharedSecret: 'auth.secret',
  tokenLifetimeMs: 'auth.expiration_time',
  logLevel: 'log.level',
}
const sourceNames: Readonly<Record<string, string>> = {
  environment: 'the environment of the server',
  flag: "the server's command line",
}

/** A setting that can't be changed, told under the name that the client knows. */
function inWordsOfFile(error: unknown): unknown {
  if (isDomainError(error, 'setting_invalid')) {
    const { setting, reason } = error.details
    return new CallError(400, `invalid configuration: ${memberNames[setting] ?? setting}: ${reason}`)
  }
  if (isDomainError(error, 'setting_fixed')) {
    const { setting, source } = error.details
    const fixed = `${memberNames[setting] ?? setting} is set by ${sourceNames[source] ?? source}`
    return new CallError(400, `invalid config update: ${fixed}, which beats a change at run time: change it there`)
  }
  return error
}

function presentConfig(settings: Settings, file: DaemonFile) {
  return {
    auth: {
      secret: settings.isSharedSecretSet() ? mask : '',
      expiration_time: formatGoDuration(settings.tokenLifetimeMs()),
      max_token_age: formatGoDuration(settings.maximumTokenLifetimeMs),
      public_key: file.publicKey,
      ...(file.rsaKeyBits > 0 ? { rsa_key_bits: file.rsaKeyBits } : {}),
      signing_key: { bits: file.signingKey.bits, ...(file.signingKey.mode ? { mode: file.signingKey.mode } : {}) },
      db: { type: file.db.type, filepath: file.db.filepath },
    },
    log: {
      dir: file.log.dir,
      level: String(settings.logLevel()),
      max_size: formatGoSize(file.log.maxSizeBytes),
      max_total: formatGoSize(file.log.maxTotalBytes),
      flush_interval: formatGoDuration(file.log.flushIntervalMs),
    },
    net: {
      external_url: file.net.externalUrl,
      http: {
        server_crt: file.net.certificateFile,
        server_key: file.net.keyFile,
        port: file.net.port,
        use_https: file.net.isHttps,
      },
    },
    timeout: { default_timeout: formatGoDuration(file.defaultTimeoutMs) },
  }
}

const minimumLifetimeMs = 60_000
const defaultLifetimeMs = 24 * 60 * 60_000

/** @throws CallError in AuthN's words */
function parseChange(body: z.output<typeof DaemonBody>, maximumMs: number): SettingsChange {
  if (body.auth === undefined && body.log === undefined) {
    throw new CallError(400, 'invalid config update: configuration is empty')
  }
  const { secret, expiration_time: expiration } = body.auth ?? {}
  const level = body.log?.level
  if (secret === '') throw new CallError(400, 'invalid config update: secret defined but empty string')
  if (secret === mask)
    throw new CallError(400, 'invalid config update: secret is the mask that a read shows, not a secret')
  return {
    ...(secret === undefined ? {} : { sharedSecret: secret }),
    ...(expiration === undefined ? {} : { tokenLifetimeMs: parseLifetime(expiration, maximumMs) }),
    ...(level === undefined ? {} : { logLevel: parseLevel(level) }),
  }
}

function parseLifetime(text: string, maximumMs: number): number {
  const asked = parseGoDuration(text)
  if (asked === undefined) throw new CallError(400, 'Invalid request')
  const ms = asked === 0 ? defaultLifetimeMs : asked
  if (ms < minimumLifetimeMs) {
    const reason = `invalid auth.expiration_time=${formatGoDuration(ms)}, expected 0 (default 24h) or >= 1m`
    throw new CallError(400, `invalid configuration: ${reason}`)
  }
  if (ms > maximumMs) {
    const reason = `auth.expiration_time=${formatGoDuration(ms)} cannot exceed auth.max_token_age=${formatGoDuration(maximumMs)}`
    throw new CallError(400, `invalid configuration: invalid config: ${reason}`)
  }
  return ms
}

function parseLevel(text: string): number {
  if (!/^\d$/.test(text) || Number(text) > 5) {
    throw new CallError(400, `invalid config update: invalid log.level=${text} (expected value between 0 and 5)`)
  }
  return Number(text)
}
