import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  type ConfiguredSettings,
  createRuntimeSettings,
  effectiveSharedSecret,
} from '../../../src/core/settings/runtime-settings.ts'
import type { SettingSource } from '../../../src/core/settings/settings.ts'
import type { SettingsStore } from '../../../src/core/settings/settings-store.ts'
import { op } from '../../actors.ts'
import { createTestRing } from '../keys/ring-parts.ts'

const hourMs = 3_600_000
const newSecret = () => randomBytes(24).toString('base64')

function configured(given: Partial<ConfiguredSettings> = {}): ConfiguredSettings {
  return {
    sharedSecret: { value: '', source: 'default' },
    tokenLifetime: { ms: 24 * hourMs, source: 'file' },
    maximumTokenLifetimeMs: 2160 * hourMs,
    logLevel: { value: 3, source: 'default' },
    ...given,
  }
}

async function start() {
  const parts = await createTestRing()
  const levels: number[] = []
  const deps = { ...parts, config: configured(), setLogLevel: (level: number) => levels.push(level) }
  const open = (given: { readonly config?: ConfiguredSettings; readonly store?: SettingsStore } = {}) =>
    createRuntimeSettings({ ...deps, store: parts.store.settings, ...given })
  return { ...parts, levels, open, settings: await open() }
}

test('what was configured counts until something is changed', async () => {
  const { settings, levels, ring } = await start()
  expect(settings.tokenLifetimeMs()).toBe(24 * hourMs)
  expect(settings.maximumTokenLifetimeMs).toBe(2160 * hourMs)
  expect([settings.logLevel(), ...levels]).toEqual([3, 3])
  expect(settings.isSharedSecretSet()).toBe(false)
  expect(ring.signer().algorithm).toBe('RS256')
})

test('a change takes effect at once and outlives a restart', async () => {
  const { settings, open, levels, ring, store } = await start()
  const sharedSecret = newSecret()
  await settings.change({ sharedSecret, tokenLifetimeMs: hourMs, logLevel: 5 }, op)
  expect(ring.signer().algorithm).toBe('HS256')
  expect(levels.at(-1)).toBe(5)

  await ring.useSharedSecret('')
  for (const each of [settings, await open()]) {
    expect([each.tokenLifetimeMs(), each.logLevel(), each.isSharedSecretSet()]).toEqual([hourMs, 5, true])
  }
  expect(ring.signer().algorithm).toBe('HS256')
  expect(await effectiveSharedSecret(store.settings, configured())).toBe(sharedSecret)
})

test('an empty change and one to the same values do nothing', async () => {
  const { settings, ring, store } = await start()
  const generation = ring.generation()
  await settings.change({}, op)
  await settings.change({ sharedSecret: '', tokenLifetimeMs: 24 * hourMs, logLevel: 3 }, op)
  expect(await store.settings.list()).toEqual([])
  expect(ring.generation()).toBe(generation)
})

test('the secret may be taken back, which outlives a restart too', async () => {
  const { settings, open, ring } = await start()
  await settings.change({ sharedSecret: newSecret() }, op)
  await settings.change({ sharedSecret: '' }, op)
  expect(ring.signer().algorithm).toBe('RS256')
  const config = configured({ sharedSecret: { value: newSecret(), source: 'file' } })
  expect((await open({ config })).isSharedSecretSet()).toBe(false)
})

test('a lifetime of 0 stands for 24 hours', async () => {
  const { settings } = await start()
  await settings.change({ tokenLifetimeMs: hourMs }, op)
  await settings.change({ tokenLifetimeMs: 0 }, op)
  expect(settings.tokenLifetimeMs()).toBe(24 * hourMs)
})

describe.each<SettingSource>(['flag', 'environment'])('what a %s decides', (source) => {
  const config = configured({
    sharedSecret: { value: newSecret(), source },
    tokenLifetime: { ms: 2 * hourMs, source },
    logLevel: { value: 4, source },
  })

  test('beats what is stored', async () => {
    const { settings, open, store } = await start()
    await settings.change({ sharedSecret: newSecret(), tokenLifetimeMs: hourMs, logLevel: 5 }, op)
    const decided = await open({ config })
    expect([decided.tokenLifetimeMs(), decided.logLevel()]).toEqual([2 * hourMs, 4])
    expect(await effectiveSharedSecret(store.settings, config)).toBe(config.sharedSecret.value)
  })

  test('cannot be changed, nor anything asked for along with it', async () => {
    const { open, store } = await start()
    const settings = await open({ config: { ...config, logLevel: { value: 3, source: 'file' } } })
    for (const [setting, value] of [
      ['sharedSecret', newSecret()],
      ['tokenLifetimeMs', hourMs],
    ] as const) {
      const refused = settings.change({ logLevel: 5, [setting]: value }, op)
      await expect(refused).rejects.toMatchObject({ code: 'setting_fixed', details: { setting, source } })
    }
    expect(settings.logLevel()).toBe(3)
    expect(await store.settings.list()).toEqual([])
  })

  test('may be asked for as it is', async () => {
    const { open } = await start()
    const settings = await open({ config })
    await settings.change({ tokenLifetimeMs: 2 * hourMs, logLevel: 4 }, op)
  })
})

test.each([
  ['tokenLifetimeMs', 59_999],
  ['tokenLifetimeMs', 2160 * hourMs + 1],
  ['tokenLifetimeMs', Number.NaN],
  ['tokenLifetimeMs', -1],
  ['logLevel', -1],
  ['logLevel', 6],
  ['logLevel', 2.5],
] as const)('%s of %d is refused, and nothing is changed', async (setting, value) => {
  const { settings, ring, store } = await start()
  const refused = settings.change({ sharedSecret: newSecret(), [setting]: value }, op)
  await expect(refused).rejects.toMatchObject({ code: 'setting_invalid', details: { setting } })
  expect(ring.signer().algorithm).toBe('RS256')
  expect(await store.settings.list()).toEqual([])
})

test('a stored value that no longer fits the configuration is left unused, with a warning', async () => {
  const { settings, open, entries } = await start()
  await settings.change({ tokenLifetimeMs: 100 * hourMs }, op)
  const narrowed = await open({ config: configured({ maximumTokenLifetimeMs: 48 * hourMs }) })
  expect(narrowed.tokenLifetimeMs()).toBe(24 * hourMs)
  expect(entries).toContainEqual(expect.objectContaining({ event: 'settings.stored_value_unused' }))
})

test('a change that cannot be stored has no effect', async () => {
  const { open, ring, store, levels } = await start()
  const settings = await open({ store: { ...store.settings, put: () => Promise.reject(new Error('disk full')) } })
  await expect(settings.change({ sharedSecret: newSecret(), logLevel: 5 }, op)).rejects.toThrow('disk full')
  expect(ring.signer().algorithm).toBe('RS256')
  expect([settings.isSharedSecretSet(), settings.logLevel(), levels.at(-1)]).toEqual([false, 3, 3])
})

test('a way back to an RSA key that cannot be used is refused, and the secret stays', async () => {
  const parts = await createTestRing({ sharedSecret: newSecret() })
  parts.keyFile.content = Buffer.from('not a key')
  const config = configured({ sharedSecret: { value: newSecret(), source: 'file' } })
  const settings = await createRuntimeSettings({ ...parts, store: parts.store.settings, config, setLogLevel: () => {} })
  const refused = settings.change({ sharedSecret: '' }, op)
  await expect(refused).rejects.toMatchObject({ code: 'setting_invalid', details: { setting: 'sharedSecret' } })
  expect(settings.isSharedSecretSet()).toBe(true)
  expect(parts.ring.signer().algorithm).toBe('HS256')
})

test('no secret is ever logged', async () => {
  const { settings, entries } = await start()
  const sharedSecret = newSecret()
  await settings.change({ sharedSecret }, op)
  expect(JSON.stringify(entries)).not.toContain(sharedSecret)
})
