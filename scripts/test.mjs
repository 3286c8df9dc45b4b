// Runs vitest and closes with real counts: `N passed, N failed, N skipped`. Arguments go on to vitest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
const report = join(folder, 'report.json')

function run(command, args) {
  const { status, error } = spawnSync(process.execPath, [command, ...args], { cwd: root, stdio: 'inherit' })
  if (error) throw error
  return status ?? 1
}

try {
  // The tests of the command line run what is built.
  const built = run(join(root, 'scripts/build.mjs'), [])
  if (built !== 0) process.exit(built)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const status = run(vitest, [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ])
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'))
  console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`)
  process.exitCode = status
} finally {
  rmSync(folder, { recursive: true, force: true })
}
