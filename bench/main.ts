/**
 * `npm run bench`: what the service can do on this machine, measured from outside.
 *
 *   npm run bench                        every row, in about three minutes on two cores
 *   npm run bench -- --quick             shows within a minute that the bench works; its figures mean nothing
 *   npm run bench -- --only logins,revocations-8
 *   npm run bench -- --mode hs256        a shared secret instead of RSA keys; or both
 *   npm run bench -- --json              JSON on standard output instead of the table
 *   npm run bench -- --full              also what takes long: revoking tokens that come from logins, a backup of 1 GiB
 *   npm run bench -- --profile <folder>  every process of the service leaves a CPU profile there
 *
 * How: each group of rows starts `bin/gatehouse serve` with a folder of its own, all settings as in production, so that
 * every answered write is on disk. The clusters are stand-ins, all in one process that does next to nothing. Requests
 * come in a closed loop: each of so many clients sends its next one when the last is answered. Data that would take
 * hours to make through the service is written straight into its database before it starts. Tokens to be revoked are
 * signed with the service's own key instead of being fetched by logins.
 *
 * Load, stand-ins and service share the machine: on two cores the load takes up to one of them. What limits a figure is
 * named beside it, with the share of a core that the service used. The bench reports and never judges: it fails only
 * where something breaks.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { cleanUpAtExit } from './children.ts'
import { nowMs, pause } from './clock.ts'
import { measureAccess } from './rows/access.ts'
import { measureApi } from './rows/api.ts'
import { measureAudit } from './rows/audit.ts'
import { measureBackup } from './rows/backup.ts'
import { measureDisk } from './rows/disk.ts'
import { measureImport } from './rows/import.ts'
import { measureLogins } from './rows/logins.ts'
import { measureReads } from './rows/reads.ts'
import { measureRegistration } from './rows/registration.ts'
import { measureRevocations } from './rows/revocations.ts'
import { measureRoles } from './rows/roles.ts'
import { measureScale } from './rows/scale.ts'
import { measureStart } from './rows/start.ts'
import { measureUsersList } from './rows/users-list.ts'
import type { Mode } from './server.ts'
import { formatTable, type Measured, presentFigure, presentJson } from './table.ts'
import { createWorkbench, sizes } from './workbench.ts'

/** Whatever hangs, the bench ends. */
const limitMs = 30 * 60_000

const groups = [
  measureDisk,
  measureStart,
  measureLogins,
  measureRevocations,
  measureRegistration,
  measureRoles,
  measureUsersList,
  measureReads,
  measureAccess,
  measureBackup,
  measureApi,
  measureAudit,
  measureImport,
  measureScale,
]

async function main() {
  const options = readOptions()
  cleanUpAtExit()
  setTimeout(() => fail(new Error(`not done within ${limitMs / 60_000} minutes`)), limitMs).unref()
  build()
  const busyShare = await measureOthers()
  const startedAt = nowMs()
  const measured: Measured[] = []
  const broken: unknown[] = []
  for (const mode of options.modes) {
    const bench = createWorkbench({
      ...options,
      mode,
      report(measurement) {
        measured.push({ ...measurement, mode })
        process.stderr.write(
          `${mode} ${measurement.id}: ${presentFigure(measurement)} ${measurement.aside ?? ''} | ${measurement.limit}\n`,
        )
      },
    })
    for (const measure of groups) await measure(bench).catch((error: unknown) => broken.push(error))
  }
  const seconds = Math.round((nowMs() - startedAt) / 1000)
  const machine = { busyShare, cores: availableParallelism(), cpu: cpus()[0]?.model ?? '', node: process.version }
  if (options.isJson)
    console.log(JSON.stringify({ machine, seconds, isQuick: options.isQuick, rows: presentJson(measured) }))
  else {
    console.log(formatTable(measured))
    console.log(
      `\n${machine.cores} cores (${machine.cpu}), Node ${machine.node}, ${seconds} s; before, others used ${Math.round(busyShare * 100)} % of them`,
    )
    if (options.isQuick) console.log('A quick run: these figures mean nothing.')
  }
  for (const error of broken) tellOf(error)
  process.exit(broken.length === 0 ? 0 : 1)
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      mode: { type: 'string', default: 'rs256' },
      profile: { type: 'string' },
    },
  })
  const modes: Readonly<Record<string, readonly Mode[]>> = {
    rs256: ['rs256'],
    hs256: ['hs256'],
    both: ['rs256', 'hs256'],
  }
  const chosen = modes[values.mode]
  if (chosen === undefined) throw new Error('--mode is one of rs256, hs256 and both')
  const only = values.only?.split(',').filter((name) => name !== '')
  const profileFolder = values.profile === undefined ? undefined : resolve(values.profile)
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true })
  return {
    isJson: values.json,
    isQuick: values.quick,
    isFull: values.full,
    size: values.quick ? sizes.quick : sizes.usual,
    modes: chosen,
    profileFolder,
    wants: (id: string) => only === undefined || only.some((name) => id === name || id.startsWith(`${name}-`)),
  }
}

/** Share of the machine, 0 to 1, that others use while the bench rests: figures suffer from it. */
async function measureOthers(): Promise<number> {
  const read = () => cpus().reduce((sum, { times }) => sum + times.idle, 0)
  const before = read()
  const startedAt = nowMs()
  await pause(1000)
  const busyShare = 1 - (read() - before) / ((nowMs() - startedAt) * cpus().length)
  if (busyShare > 0.1) process.stderr.write(`Others use ${(busyShare * 100).toFixed(0)} % of this machine.\n`)
  return Math.max(0, Math.round(busyShare * 100) / 100)
}

/** What is measured is the program as its source says now. */
function build() {
  const root = join(import.meta.dirname, '..')
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] })
}

function tellOf(error: unknown): void {
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
}

function fail(error: unknown): never {
  tellOf(error)
  process.exit(1)
}

main().catch(fail)
