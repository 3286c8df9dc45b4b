/** Settings that are right one by one and wrong together. */
import { ConfigError } from './config-error.ts'
import type { Resolved, ResolvedSettings } from './config-resolve.ts'
import { settings } from './config-settings.ts'
import { formatGoDuration, formatGoSize } from './core/settings/go-units.ts'

/** @throws ConfigError naming both settings and what would settle it */
export function checkContradictions(given: ResolvedSettings): void {
  for (const rule of [lifetimes, logSizes, https, signing, masterKey]) {
    const contradiction = rule(given)
    if (contradiction !== undefined) throw new ConfigError(contradiction)
  }
}

function lifetimes({ tokenLifetime, maximumTokenLifetime }: ResolvedSettings): string | undefined {
  if (tokenLifetime.value <= maximumTokenLifetime.value) return undefined
  const [asked, maximum] = [tokenLifetime.value, maximumTokenLifetime.value].map(formatGoDuration)
  return `auth.expiration_time (${asked}) must not exceed auth.max_token_age (${maximum})`
}

function logSizes({ logMaxSize, logMaxTotal }: ResolvedSettings): string | undefined {
  if (logMaxTotal.value >= 2 * logMaxSize.value) return undefined
  const [one, all] = [logMaxSize.value, logMaxTotal.value].map(formatGoSize)
  return `log.max_total (${all}) must be at least twice log.max_size (${one})`
}

function https({ isHttps, certificateFile, keyFile }: ResolvedSettings): string | undefined {
  if (!isHttps.value) return undefined
  const missing = [
    certificateFile.value === '' ? 'certificate (net.http.server_crt or AIS_SERVER_CRT)' : undefined,
    keyFile.value === '' ? 'private key (net.http.server_key or AIS_SERVER_KEY)' : undefined,
  ].filter((part) => part !== undefined)
  if (missing.length === 0) return undefined
  return `HTTPS is switched on (${named(isHttps, settings.isHttps.name)}) without a ${missing.join(' and a ')}`
}

function signing({ signingKeyMode, secret }: ResolvedSettings): string | undefined {
  if (signingKeyMode.value !== 'external' || secret.value === '') return undefined
  const where = named(secret, settings.secret.name)
  return `auth.signing_key.mode is external, but a shared secret is set (${where}), so the key would never sign: remove one`
}

function masterKey({ masterKey: key, masterKeyFile: file }: ResolvedSettings): string | undefined {
  if (key.value === undefined || file.value === undefined) return undefined
  return `the master key is given twice: by ${named(key, 'master_key')} and by ${named(file, 'master_key_file')}: remove one`
}

function named({ origin }: Resolved<unknown>, name: string): string {
  return origin === '' ? name : origin
}
