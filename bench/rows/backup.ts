/** How long a backup and a restore take, and what a backup costs those who write meanwhile. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { adopt, makeFolder } from '../children.ts'
import { nowMs } from '../clock.ts'
import { type LoadResult, percentile, runLoad, writeRequest } from '../load.ts'
import type { Workbench } from '../workbench.ts'

const program = join(import.meta.dirname, '..', '..', 'bin', 'gatehouse')
const mib = 2 ** 20
const dayMs = 86_400_000
const tokensAtOnce = 20_000
/** Clients that each revoke one token after the other. */
const connections = 16

export async function measureBackup(bench: Workbench): Promise<void> {
  if (!bench.wants('backup')) return
  const size = (bench.isQuick ? 8 : bench.isFull ? 1024 : 128) * mib
  const folder = await bench.emptyFolder()
  fillTo(join(folder, 'gatehouse.db'), size)
  const sizeMib = Math.round((await stat(join(folder, 'gatehouse.db'))).size / mib)
  const target = await makeFolder()
  const limit = 'reading, writing and hashing every byte'

  const atRest = await timed(['backup', join(target, 'rest'), '--data-dir', folder])
  bench.report({ id: 'backup', what: `backup of ${sizeMib} MiB`, value: atRest, unit: 's', limit })
  const verified = await timed(['backup', 'verify', join(target, 'rest'), '--data-dir', folder])
  bench.report({ id: 'backup.verify', what: '  looking at it as a restore does', value: verified, unit: 's', limit })
  const restored = await timed(['restore', join(target, 'rest'), '--data-dir', folder, '--force'])
  bench.report({ id: 'backup.restore', what: '  restoring it over that', value: restored, unit: 's', limit })
  await measureBusy(bench, folder, target)
  await rm(target, { recursive: true, force: true })
}

async function measureBusy(bench: Workbench, folder: string, target: string) {
  const tokens = await bench.tokens(bench.size.revocations)
  await using server = await bench.start(folder)
  const requests = tokens.map((token) => {
    return writeRequest({ method: 'DELETE', path: '/v1/tokens', body: JSON.stringify({ token }) })
  })
  const quiet = requests.splice(0, requests.length / 4)
  const before = await load(server.port, quiet, 2_000)
  const ending = load(server.port, requests, 600_000)
  let isOver = false
  const lasting = ending.finally(() => {
    isOver = true
  })
  const seconds = await timed(['backup', join(target, 'busy'), '--data-dir', folder])
  const aside = isOver ? 'the writes ended first' : 'writes went on to its end'
  // What was not sent is not sent any more.
  requests.length = 0
  const meanwhile = await lasting
  const limit = 'two cores for service, load and copy'
  bench.report({
    id: 'backup.busy',
    what: '  the same under constant revocations',
    value: seconds,
    unit: 's',
    aside,
    limit,
  })
  bench.report({
    id: 'backup.writers',
    what: '  longest answer to a revocation meanwhile',
    value: meanwhile.latenciesMs.at(-1) ?? Number.NaN,
    unit: 'ms',
    aside: `p50 ${present(meanwhile, 0.5)}, p99 ${present(meanwhile, 0.99)}; without a backup p50 ${present(before, 0.5)}, p99 ${present(before, 0.99)}`,
    limit: 'the disk, shared with the copy',
  })
}

function load(port: number, requests: readonly Buffer[], durationMs: number): Promise<LoadResult> {
  return runLoad({ port, connections, durationMs, request: (number) => requests[number] })
}

function present({ latenciesMs }: LoadResult, share: number): string {
  return `${percentile(latenciesMs, share).toFixed(1)} ms`
}

/** Seconds that a command takes. @throws Error where it fails */
async function timed(args: readonly string[]): Promise<number> {
  const startedAt = nowMs()
  const child = adopt(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`gatehouse ${args[0]} ended with ${code}`)
  return (nowMs() - startedAt) / 1000
}

/** Rows of tokens, as long as real ones, until the file is that large. */
function fillTo(file: string, bytes: number): void {
  const client = new Database(file)
  const insert = client.prepare(
    `INSERT INTO tokens (fingerprint, jti, session, subject, audience, origin, issued_at, expires_at, sealed_text)
     VALUES (?, ?, ?, ?, '["bench-cluster-0"]', 'issued', ?, ?, ?)`,
  )
  const at = Date.now()
  const addSome = client.transaction(() => {
    for (let count = 0; count < tokensAtOnce; count += 1) {
      const random = randomBytes(900)
      const [jti, session] = [random.toString('hex', 32, 48), random.toString('hex', 48, 64)]
      insert.run(random.subarray(0, 32), jti, session, `user${random.readUInt16BE(64)}`, at, at + dayMs, random)
    }
  })
  const size = () => Number(client.pragma('page_count', { simple: true })) * 4096
  while (size() < bytes) addSome()
  client.pragma('wal_checkpoint(TRUNCATE)')
  client.close()
}
