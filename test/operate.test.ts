import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { createMetrics } from '../src/metrics.ts'

const folder = fileURLToPath(new URL('../docs/operate', import.meta.url))
const read = (name: string) => readFileSync(`${folder}/${name}`, 'utf8')
const alerts = read('alerts.yml')
const page = read('operate.md')
const dashboard: unknown = JSON.parse(read('dashboard.json'))
const names = [...alerts.matchAll(/^ {6}- alert: (\w+)$/gm)].map((match) => match[1] ?? '')

/** What a histogram's name becomes in a query. */
const suffix = /_(bucket|sum|count)$/

const readNothing = async () => ({ clusters: [], logLength: 0, auditHead: { id: 0, hash: '', at: null }, workers: [] })

let metrics: ReadonlySet<string>

beforeAll(async () => {
  const { text } = await createMetrics({ version: '0', read: readNothing }).render()
  metrics = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map((match) => match[1] ?? ''))
})

function mentioned(text: string): string[] {
  return [...new Set([...text.matchAll(/\b(?:gatehouse|process|nodejs)_[a-z0-9_]*[a-z0-9]\b/g)].map(([name]) => name))]
}

test.each([
  ['alerts', alerts.replaceAll(/^ +description:.*$/gm, '')],
  ['dashboard', JSON.stringify(dashboard)],
  ['page', page],
])('every metric that the %s name exists', (_title, text) => {
  const unknown = mentioned(text).filter((name) => !metrics.has(name) && !metrics.has(name.replace(suffix, '')))
  expect(unknown).toEqual([])
})

test('the page tells what each metric of Gatehouse means', () => {
  for (const name of metrics) if (name.startsWith('gatehouse_')) expect(page).toContain(`| \`${name}\` |`)
})

test('the page says what to do at each alert, and each alert points there', () => {
  expect(names.length).toBeGreaterThan(10)
  for (const name of names.filter((each) => each !== 'GatehouseRevocationsVeryLate')) {
    expect(page).toContain(`\n### ${name}\n`)
    expect(alerts).toContain(`operate.md#${name.toLowerCase()}\n`)
  }
})

test('each alert has a test', () => {
  const tests = read('alerts.test.yml')
  for (const name of names) expect(tests.split(`${name} }`).length + tests.split(`"${name}"`).length).toBe(4)
})

interface Panel {
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string }[]
}

test('the panels of the dashboard have queries, and do not overlap', () => {
  const { panels } = dashboard as { panels: readonly Panel[] }
  const taken = new Set<string>()
  for (const { type, title, gridPos, targets = [] } of panels) {
    if (type !== 'row') expect(targets.length, title).toBeGreaterThan(0)
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(taken.has(`${x},${y}`), title).toBe(false)
        taken.add(`${x},${y}`)
      }
    }
  }
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

describe.skipIf(!hasPromtool)('promtool', () => {
  test.each([
    ['check', 'alerts.yml'],
    ['test', 'alerts.test.yml'],
  ])('%s rules %s passes', (act, file) => {
    const { status, stdout, stderr } = spawnSync('promtool', [act, 'rules', file], { cwd: folder, encoding: 'utf8' })
    expect(status, stdout + stderr).toBe(0)
  })

  test('the metrics are well-formed', async () => {
    // Some of the process's own figures have names that promtool doesn't like.
    const { text } = await createMetrics({ version: '0', read: readNothing, hasProcessFigures: false }).render()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    expect(status, stdout + stderr).toBe(0)
  })
})
