import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodes } from '../src/cli/failures.ts'
import { type AnySetting, settingRows } from '../src/config-settings.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const rows = readme.split('\n').filter((line) => line.startsWith('| '))

function codeIf(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `\`${text}\``
}

const shown = rows.filter((line) => settingRows.some(([, setting]) => line.startsWith(`| ${nameOf(setting)} |`)))

function nameOf({ name, member }: AnySetting): string {
  return member === undefined ? `(${name})` : codeIf(member)
}

test('README shows the settings that most installations need, and where all are', () => {
  expect(shown.length).toBeGreaterThanOrEqual(10)
  expect(readme).toContain('(docs/reference/settings.md)')
})

test.each(shown)('README has a setting as it is: %s', (line) => {
  const [, name, env, flag, initial, meaning] = line.split('|').map((cell) => cell.trim())
  const setting = settingRows.map(([, each]) => each).find((each) => nameOf(each) === name)
  if (setting === undefined) throw new Error(`there is no setting ${name}`)
  expect(env).toBe(codeIf(setting.env))
  expect(flag).toBe(codeIf(setting.flag && `--${setting.flag}`))
  expect(meaning).toBe(setting.description + (setting.runtimeName ? ' (*run time*)' : ''))
  if (setting.initial !== undefined) expect(initial).toBe(codeIf(setting.kind.show(setting.initial)))
})

test('README says where the exit codes are, and every one is there', () => {
  expect(readme).toContain('(docs/reference/commands.md)')
  const commands = readFileSync(new URL('../docs/reference/commands.md', import.meta.url), 'utf8')
  for (const code of Object.values(exitCodes)) expect(commands).toContain(`\n| ${code} | `)
})
