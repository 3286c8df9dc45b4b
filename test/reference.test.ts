import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { presentReference } from '../scripts/reference/pages.ts'
import { exitCodes } from '../src/cli/failures.ts'
import { logEvents } from '../src/core/log-events.ts'

const root = new URL('..', import.meta.url).pathname
const folder = join(root, 'docs/reference')
const pages = await presentReference()

test('docs/reference holds the pages that are made from the code, and no others', () => {
  expect(readdirSync(folder).sort(), 'run: npm run docs').toEqual([...pages.keys()].sort())
})

test.each([...pages])('docs/reference/%s says what the code says', (name, text) => {
  expect(readFileSync(join(folder, name), 'utf8'), 'run: npm run docs').toBe(text)
})

test('every problem that the HTTP edge knows is in the reference', () => {
  const source = readFileSync(join(root, 'src/http/errors.ts'), 'utf8')
  const codes = [...source.matchAll(/\bcode(?::| =) .*$/gm)].flatMap(([line]) => line.match(/'[a-z_]+'/g) ?? [])
  expect(codes.length).toBeGreaterThan(5)
  for (const quoted of codes) expect(pages.get('errors.md')).toContain(`| \`${quoted.slice(1, -1)}\` |`)
})

test('every exit code is in the reference', () => {
  for (const number of Object.values(exitCodes)) expect(pages.get('commands.md')).toContain(`\n| ${number} | `)
})

test('every event of the reference is logged somewhere', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const sources = files
    .filter((file) => file !== 'core/log-events.ts')
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
    .join('\n')
  for (const event of Object.keys(logEvents)) expect(sources).toContain(`'${event}'`)
})
