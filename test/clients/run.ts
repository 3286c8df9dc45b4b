/**
 * The unmodified AIStore SDK from PyPI, in each pinned version, against `bin/gatehouse` and a stand-in cluster of each
 * version, both as processes of their own. Prints counts, and as its last line those of all runs together.
 *
 *   test/clients/run.sh [SDK version] [cluster version]
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeFreePort } from '../free-port.ts'
import { projectRoot, type Running, run, untilReady } from './processes.ts'

interface Setup {
  readonly algorithm: 'HS256' | 'RS256'
  readonly clusterVersion: string
  readonly trust: 'shared_secret' | 'static_key' | 'discovery'
}

const setups: readonly Setup[] = [
  { algorithm: 'HS256', clusterVersion: '4.1', trust: 'shared_secret' },
  { algorithm: 'HS256', clusterVersion: '4.3', trust: 'shared_secret' },
  { algorithm: 'HS256', clusterVersion: '5.0', trust: 'shared_secret' },
  { algorithm: 'RS256', clusterVersion: '4.1', trust: 'static_key' },
  { algorithm: 'RS256', clusterVersion: '4.3', trust: 'static_key' },
  { algorithm: 'RS256', clusterVersion: '4.3', trust: 'discovery' },
  { algorithm: 'RS256', clusterVersion: '5.0', trust: 'discovery' },
]
const sdkVersions = ['1.25.0', '2.0.0']

interface Counts {
  passed: number
  failed: number
  skipped: number
}

function readCounts(reportFile: string): Counts {
  const suite = /<testsuite [^>]*>/.exec(readFileSync(reportFile, 'utf8'))?.[0] ?? ''
  const count = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
  const failed = count('errors') + count('failures')
  return { passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') }
}

async function startGatehouse(setup: Setup, folder: string, secret: string, password: string) {
  const port = await takeFreePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'authn.json'), JSON.stringify({ net: { external_url: url, http: { port } } }))
  const gatehouse = run('bin/gatehouse', ['serve', `-config=${folder}`], {
    AIS_AUTHN_SU_NAME: 'admin',
    AIS_AUTHN_SU_PASS: password,
    AIS_AUTHN_SECRET_KEY: setup.algorithm === 'HS256' ? secret : '',
  })
  await untilReady(gatehouse, async () => (await fetch(`${url}/readyz`)).ok)
  return { gatehouse, url }
}

async function startCluster(setup: Setup, folder: string, secret: string, issuer: string) {
  const trust: Record<Setup['trust'], readonly string[]> = {
    shared_secret: ['--secret-env', 'STAND_IN_SECRET'],
    static_key: ['--key-file', join(folder, 'public.pem')],
    discovery: ['--issuer', issuer],
  }
  if (setup.trust === 'static_key') {
    const { public_key } = (await (await fetch(`${issuer}/v1/public-key`)).json()) as { public_key: string }
    writeFileSync(join(folder, 'public.pem'), public_key)
  }
  const script = ['--import', 'tsx', 'test/stand-ins/aistore-server.ts', '--version', setup.clusterVersion]
  const cluster = run(process.execPath, [...script, ...trust[setup.trust]], { STAND_IN_SECRET: secret })
  await untilReady(cluster, async () => cluster.output().includes('\n'))
  return { cluster, place: JSON.parse(cluster.output()) as { url: string; uuid: string } }
}

async function runSetup(sdkVersion: string, setup: Setup): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-clients-'))
  const secret = randomBytes(24).toString('hex')
  const password = randomBytes(12).toString('base64url')
  const started: Running[] = []
  try {
    const { gatehouse, url } = await startGatehouse(setup, folder, secret, password)
    started.push(gatehouse)
    const { cluster, place } = await startCluster(setup, folder, secret, url)
    started.push(cluster)
    const report = join(folder, 'report.xml')
    const python = join(projectRoot, '.cache', `venv-aistore-${sdkVersion}`, 'bin', 'python')
    const flags = ['-q', '-p', 'no:cacheprovider', '--tb=short', `--junit-xml=${report}`]
    const pytest = run(python, ['-B', '-m', 'pytest', ...flags, 'test/clients/aistore'], {
      AIS_AUTHN_URL: url,
      AIS_ENDPOINT: place.url,
      STAND_IN_UUID: place.uuid,
      STAND_IN_VERSION: setup.clusterVersion,
      AIS_AUTHN_SU_NAME: 'admin',
      AIS_AUTHN_SU_PASS: password,
    })
    started.push(pytest)
    if ((await pytest.ended) !== 0) process.stdout.write(pytest.output())
    return readCounts(report)
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    for (const program of started.reverse()) await program.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const [onlySdk, onlyCluster] = process.argv.slice(2)
const queue = sdkVersions
  .filter((version) => onlySdk === undefined || version === onlySdk)
  .flatMap((sdkVersion) => setups.map((setup) => ({ sdkVersion, setup })))
  .filter(({ setup }) => onlyCluster === undefined || setup.clusterVersion === onlyCluster)
const total: Counts = { passed: 0, failed: 0, skipped: 0 }

async function work() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { sdkVersion, setup } = next
    const counts = await runSetup(sdkVersion, setup)
    const { algorithm, clusterVersion, trust } = setup
    const label = `aistore ${sdkVersion}, cluster ${clusterVersion}, ${algorithm}, ${trust.replace('_', ' ')}`
    process.stdout.write(`${label}: ${counts.passed} ok, ${counts.failed} not, ${counts.skipped} left out\n`)
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
  }
}

await Promise.all([work(), work()])
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
