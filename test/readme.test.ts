import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodes } from '../src/cli/failures.ts'
import { settingRows } from '../src/config-settings.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const rows = readme.split('\n').filter((line) => line.startsWith('| '))

function codeIf(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `\`${text}\``
}

test.each(settingRows.filter(([, { isUnused }]) => !isUnused))(
  'README has the setting %s as it is',
  (_key, setting) => {
    const name = setting.member === undefined ? `(${setting.name})` : codeIf(setting.member)
    const row = rows.find((line) => line.startsWith(`| ${name} |`)) ?? ''
    const [, , env, flag, initial, meaning] = row.split('|').map((cell) => cell.trim())
    expect(env).toBe(codeIf(setting.env))
    expect(flag).toBe(codeIf(setting.flag && `--${setting.flag}`))
    expect(meaning).toBe(setting.description + (setting.runtimeName ? ' (*run time*)' : ''))
    if (setting.initial !== undefined) expect(initial).toBe(codeIf(setting.kind.show(setting.initial)))
  },
)

test('README names the members that change nothing', () => {
  for (const [, { member, isUnused }] of settingRows) if (isUnused) expect(readme).toContain(codeIf(member))
})

test('README has every exit code', () => {
  for (const code of Object.values(exitCodes)) expect(rows.some((line) => line.startsWith(`| ${code} | `))).toBe(true)
})
