/**
 * Programs that others have written read the OpenAPI document of `bin/gatehouse` and hold the running service to it. Prints
 * counts, and as its last line those of all together.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeFreePort } from '../../free-port.ts'
import { projectRoot, run, untilReady } from '../processes.ts'
import { digestOf, typesFile, withDigest } from './types.ts'

interface Counts {
  readonly passed: number
  readonly failed: number
}

const here = join(projectRoot, 'test', 'clients', 'openapi')
/** So long each run takes: what it tries first is the same each time, then it goes on until the time is over. */
const strangerSeconds = 10
const administratorSeconds = 40
const examples = 12
/** The same cases in every run. */
const seed = 20_260_301

async function startGatehouse(folder: string, password: string) {
  const port = await takeFreePort()
  const url = `http://127.0.0.1:${port}`
  const flags = ['--data-dir', folder, '--host', '127.0.0.1', '--port', String(port), '--external-url', url]
  // Guesses at passwords are part of it.
  const env = { AIS_AUTHN_SU_NAME: 'admin', AIS_AUTHN_SU_PASS: password, GATEHOUSE_LOGIN_LIMITS: 'off' }
  const gatehouse = run('bin/gatehouse', ['serve', ...flags, '--ops-port', String(await takeFreePort())], env)
  await untilReady(gatehouse, async () => (await fetch(`${url}/readyz`)).ok)
  return { gatehouse, url }
}

async function makeTypes(url: string, folder: string): Promise<string> {
  const document = (await (await fetch(`${url}/api/v1/openapi.json`)).json()) as Record<string, unknown>
  const [input, output] = [join(folder, 'openapi.json'), join(folder, 'types.d.ts')]
  writeFileSync(input, JSON.stringify(document))
  const program = join(here, 'node_modules', 'openapi-typescript', 'bin', 'cli.js')
  const made = run(process.execPath, [program, input, '--output', output, '--default-non-nullable', 'false'], {})
  if ((await made.ended) !== 0) throw new Error(made.output())
  return withDigest(readFileSync(output, 'utf8'), digestOf(document))
}

/** Every operation in each phase is one test; what fails is printed. */
async function runSchemathesis(
  name: string,
  url: string,
  seconds: number,
  env: Readonly<Record<string, string>>,
): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-schemathesis-'))
  const report = join(folder, 'report.xml')
  // What is well-formed may still be refused: an unknown role, a cluster that nobody can reach.
  const flags = ['--exclude-checks', 'positive_data_acceptance', '--phases', 'examples,coverage,fuzzing,stateful']
  const bounds = ['--max-examples', String(examples), '--max-time', String(seconds), '--seed', String(seed)]
  const output = ['--continue-on-failure', '--no-color', '--report', 'junit', '--report-junit-path', report]
  const python = join(projectRoot, '.cache', 'venv-schemathesis', 'bin', 'schemathesis')
  const ran = run(
    python,
    ['run', `${url}/api/v1/openapi.json`, ...flags, ...bounds, ...output, '--generation-database', 'none'],
    env,
  )
  try {
    const status = await ran.ended
    if (status !== 0) process.stdout.write(ran.output())
    const counts = readCounts(report)
    const cases = /(\d+) generated/.exec(ran.output())?.[1] ?? 'no'
    process.stdout.write(`schemathesis ${name}: ${counts.passed} ok, ${counts.failed} not, ${cases} requests\n`)
    return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readCounts(report: string): Counts {
  const suites = /<testsuites [^>]*>/.exec(readFileSync(report, 'utf8'))?.[0] ?? ''
  const count = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(suites)?.[1] ?? 0)
  const failed = count('errors') + count('failures')
  return { passed: count('tests') - failed, failed }
}

async function checkAll(url: string, folder: string, password: string): Promise<Counts> {
  const isInStep = (await makeTypes(url, folder)) === readFileSync(typesFile, 'utf8')
  if (!isInStep) process.stdout.write('The types of the client are not in step: test/clients/openapi/run.sh --write\n')
  const login = { GATEHOUSE_TEST_URL: url, GATEHOUSE_TEST_USER: 'admin', GATEHOUSE_TEST_PASSWORD: password }
  const all = [
    isInStep ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
    await runSchemathesis('without a token', url, strangerSeconds, {}),
    await runSchemathesis('as an administrator', url, administratorSeconds, {
      ...login,
      SCHEMATHESIS_HOOKS: 'hooks',
      PYTHONPATH: here,
      PYTHONDONTWRITEBYTECODE: '1',
    }),
  ]
  return all.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }))
}

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-openapi-'))
const password = randomBytes(12).toString('base64url')
const { gatehouse, url } = await startGatehouse(folder, password)
try {
  if (process.argv.includes('--write')) {
    writeFileSync(typesFile, await makeTypes(url, folder))
    process.stdout.write(`${typesFile} is in step.\n`)
  } else {
    const { passed, failed } = await checkAll(url, folder, password)
    process.stdout.write(`${passed} passed, ${failed} failed, 0 skipped\n`)
    process.exitCode = failed > 0 ? 1 : 0
  }
} finally {
  await gatehouse.stop()
  rmSync(folder, { recursive: true, force: true })
}
