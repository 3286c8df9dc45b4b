import { formatGoDuration, parseGoDuration } from '../../core/settings/go-units.ts'
import type { Settings, SettingsChange, SettingsView, SettingView } from '../../core/settings/settings.ts'
import { etagOf, preconditionOf } from '../conditions.ts'
import { RequestError } from '../validate.ts'
import { presentInstant } from './present-cluster.ts'
import { type Reply, type Route, route } from './route.ts'
import { SettingsBody, SettingsPatch } from './shapes/settings.ts'

export interface SettingsRouteDeps {
  readonly settings: Pick<Settings, 'describe' | 'change'>
}

const tag = 'Settings'
const mask = '********'

/** Settings that can be changed while the server runs. */
export function settingsRoutes({ settings }: SettingsRouteDeps): readonly Route[] {
  async function show(): Promise<Reply<SettingsBody>> {
    const body = presentSettings(await settings.describe())
    return { body, etag: etagOf(body) }
  }

  return [
    route(
      {
        method: 'get',
        path: '/settings',
        permission: 'settings:read',
        tag,
        summary: 'Show the settings that can be changed at run time',
        conditional: 'read',
        answer: { status: 200, description: 'Each setting, its value and where that comes from.', body: SettingsBody },
      },
      show,
    ),
    route(
      {
        method: 'patch',
        path: '/settings',
        permission: 'settings:write',
        tag,
        summary: 'Change settings',
        description: 'All or nothing; takes effect before it answers, and outlives a restart.',
        body: SettingsPatch,
        conditional: 'change',
        answer: { status: 200, description: 'The settings as they are then.', body: SettingsBody },
        refusals: [409, 503],
      },
      async ({ body, caller, conditions }) => {
        const condition = preconditionOf(conditions, 'The settings', (view: SettingsView) =>
          etagOf(presentSettings(view)),
        )
        await settings.change(parseChange(body), caller.principal, condition)
        return show()
      },
    ),
  ]
}

function presentSettings({ sharedSecret, tokenLifetimeMs, logLevel }: SettingsView): SettingsBody {
  const present = (name: string, { source, isChangeable, changedAt }: SettingView, value: string | number | null) => ({
    name,
    value,
    isSecret: name === 'auth.secret',
    source,
    isChangeable,
    changedAt: presentInstant(changedAt),
  })
  return {
    items: [
      present('auth.secret', sharedSecret, sharedSecret.value === null ? mask : null),
      present('auth.expiration_time', tokenLifetimeMs, formatGoDuration(Number(tokenLifetimeMs.value))),
      present('log.level', logLevel, Number(logLevel.value)),
    ],
  }
}

/** @throws RequestError */
function parseChange(body: SettingsPatch): SettingsChange {
  const { 'auth.secret': sharedSecret, 'auth.expiration_time': lifetime, 'log.level': logLevel } = body
  const tokenLifetimeMs = lifetime === undefined ? undefined : parseGoDuration(lifetime)
  if (lifetime !== undefined && tokenLifetimeMs === undefined) {
    throw refuse('auth.expiration_time', 'must be a duration such as 30m or 12h')
  }
  if (sharedSecret === mask) throw refuse('auth.secret', 'is the mask that a read shows, not a secret')
  return {
    ...(sharedSecret !== undefined && { sharedSecret }),
    ...(tokenLifetimeMs !== undefined && { tokenLifetimeMs }),
    ...(logLevel !== undefined && { logLevel }),
  }
}

function refuse(field: string, detail: string): RequestError {
  return new RequestError(422, 'The settings can not be read.', [{ in: 'body', field, detail }])
}
