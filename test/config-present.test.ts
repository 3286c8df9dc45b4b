import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ConfigInput, loadSettings } from '../src/config.ts'
import { presentSettings } from '../src/config-present.ts'
import { settingRows } from '../src/config-settings.ts'

const secret = randomBytes(12).toString('hex')

/** A configuration folder with this authn.json. */
function folderWith(content: unknown): string {
  const made = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  writeFileSync(join(made, 'authn.json'), JSON.stringify(content))
  return made
}

describe('what is shown', () => {
  function rows(input: ConfigInput, runtime: Parameters<typeof presentSettings>[1] = []) {
    const { settings } = loadSettings({ cwd: '/', flags: {}, env: {}, ...input })
    return new Map(presentSettings(settings, runtime).map((row) => [row.name, row]))
  }

  test('every setting stands there with its value, source and origin', () => {
    const config = folderWith({ auth: { expiration_time: '90m' } })
    const shown = rows({ flags: { config, port: '5000' }, env: { GATEHOUSE_HOST: '::1' } })
    expect(shown.size).toBe(settingRows.length)
    expect(shown.get('net.http.port')).toMatchObject({ value: '5000', source: 'flag', origin: '--port' })
    expect(shown.get('net.host')).toMatchObject({ value: '::1', source: 'environment', origin: 'GATEHOUSE_HOST' })
    expect(shown.get('auth.expiration_time')).toMatchObject({
      value: '1h30m',
      source: 'file',
      origin: `auth.expiration_time in ${join(config, 'authn.json')}`,
    })
    expect(shown.get('net.external_url')).toMatchObject({ value: 'http://localhost:5000', source: 'default' })
    expect(shown.get('data_dir')).toMatchObject({ value: config, source: 'default' })
  })

  test('secrets are masked, and empty where there are none', () => {
    const shown = rows({ env: { AIS_AUTHN_SECRET_KEY: secret, AIS_AUTHN_SU_PASS: secret } })
    expect(JSON.stringify([...shown.values()])).not.toContain(secret)
    expect(shown.get('auth.secret')).toMatchObject({ value: '********', isSecret: true })
    expect(shown.get('administrator.password')).toMatchObject({ value: '********', isSecret: true })
    expect(shown.get('master_key')).toMatchObject({ value: '', isSecret: true })
  })

  test('what was changed at run time beats file and default, and gives way to flag and environment', () => {
    const runtime = [
      { name: 'shared_secret', value: secret },
      { name: 'token_lifetime_ms', value: '5400000' },
      { name: 'log_level', value: '5' },
    ]
    const shown = rows({ env: { GATEHOUSE_LOG_LEVEL: '1' } }, runtime)
    expect(shown.get('auth.secret')).toMatchObject({ value: '********', source: 'runtime' })
    expect(shown.get('auth.expiration_time')).toMatchObject({ value: '1h30m', source: 'runtime' })
    expect(shown.get('log.level')).toMatchObject({ value: '1', source: 'environment' })
  })
})

test('a reference document can be made of the table: each row says what it is and what it is by default', () => {
  for (const [key, { name, description, initial, defaultNote, member, env, flag, kind, check }] of settingRows) {
    expect(description, key).not.toBe('')
    expect(member ?? env ?? flag, key).toBeDefined()
    if (initial !== undefined && check) expect(check.holds(initial, 'default'), key).toBe(true)
    if (initial !== undefined) expect(kind.parse(kind.show(initial)), key).toEqual(initial)
    else expect(defaultNote ?? member, key).toBeDefined()
    expect(name).toMatch(/^[a-z_.]+$/)
  }
})
