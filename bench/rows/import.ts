/** Taking over an AuthN's database, and writing one: commands on a data folder, without a service. */
import { spawn } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAuthnDatabase } from '../authn-database.ts'
import { adopt, makeFolder, readMemory } from '../children.ts'
import { nowMs } from '../clock.ts'
import type { Workbench } from '../workbench.ts'

const lookMs = 10
const program = join(import.meta.dirname, '..', '..', 'bin', 'gatehouse')

export async function measureImport(bench: Workbench): Promise<void> {
  if (!bench.wants('import')) return
  const { users, roles, revokedTokens } = bench.size
  const authn = await makeFolder()
  const database = join(authn, 'authn.db')
  writeAuthnDatabase(database, { users, roles, revokedTokens })
  const mib = ((await stat(database)).size / 2 ** 20).toFixed(0)
  const data = await makeFolder()
  const args = ['--quiet', '--data-dir', data]

  const first = await run(['import', authn, ...args])
  const what = `import ${users} users, ${revokedTokens} revoked tokens, ${roles} roles`
  const limit = 'rows to SQLite, sealing, parsing: one core'
  bench.report({ id: 'import', what, value: first.ms, unit: 'ms', aside: `from ${mib} MiB; all or nothing`, limit })
  const memory = 'an entry for each user and token; the rest is the heap before it is tidied'
  bench.report({ id: 'import.memory', what: '  peak memory', value: first.peakMib, unit: 'MiB', limit: memory })

  const second = await run(['import', authn, ...args])
  const again = { value: second.ms, unit: 'ms', limit: 'looking each of them up' }
  bench.report({ id: 'import-again', what: '  the same again: nothing changes', ...again })

  const exported = await run(['export', '--authn-db', join(data, 'authn.db'), ...args])
  const written = { value: exported.ms, unit: 'ms', aside: `peak ${exported.peakMib.toFixed(0)} MiB` }
  bench.report({ id: 'import-export', what: '  export of it', ...written, limit: 'opening sealed tokens: one core' })
  await Promise.all([authn, data].map((folder) => rm(folder, { recursive: true, force: true })))
}

/** Runs the program to its end. The peak is what the system told last. */
async function run(args: readonly string[]): Promise<{ readonly ms: number; readonly peakMib: number }> {
  const startedAt = nowMs()
  const child = adopt(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }))
  let peakMib = Number.NaN
  const timer = setInterval(() => {
    const { peak } = readMemory(child.pid ?? 0)
    if (!Number.isNaN(peak)) peakMib = peak
  }, lookMs)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${code}`)
  return { ms: nowMs() - startedAt, peakMib }
}
