/** What every row works with: services in fresh folders, prepared data, tokens, and where results go. */
import { randomBytes } from 'node:crypto'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { logInAdministrator } from './calls.ts'
import { makeFolder } from './children.ts'
import { type Filling, fill, userName } from './fill.ts'
import { type Mode, type Server, startServer } from './server.ts'
import { createMinter, type Minter, mintMany } from './tokens.ts'

export interface Measurement {
  readonly id: string
  readonly what: string
  readonly value: number
  readonly unit: string
  /** Behind the figure, in brackets. */
  readonly aside?: string
  /** What keeps it from being better. */
  readonly limit: string
}

/** How much is done: less of everything in a quick run, whose figures only show that the bench works. */
export interface Size {
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly users: number
  readonly holders: readonly number[]
  readonly roles: number
  readonly revokedTokens: number
  readonly listedTokens: number
  readonly revocations: number
  readonly auditRows: number
  readonly repeats: number
}

export const sizes: { readonly [size in 'usual' | 'quick']: Size } = {
  usual: {
    seconds: 5,
    warmUpSeconds: 1.5,
    users: 100_000,
    holders: [1000, 10_000, 100_000],
    roles: 1000,
    revokedTokens: 100_000,
    listedTokens: 1_000_000,
    revocations: 40_000,
    auditRows: 1_000_000,
    repeats: 5,
  },
  quick: {
    seconds: 0.5,
    warmUpSeconds: 0.3,
    users: 2000,
    holders: [20, 200, 2000],
    roles: 1000,
    revokedTokens: 2000,
    listedTokens: 2000,
    revocations: 2000,
    auditRows: 20_000,
    repeats: 2,
  },
}

export interface Workbench {
  readonly mode: Mode
  readonly size: Size
  /** Rows that take long and tell little beyond the others are wanted too. */
  readonly isFull: boolean
  readonly isQuick: boolean
  wants(id: string): boolean
  report(measurement: Measurement): void
  /** A service, and an administrator's token for it. */
  start(folder: string): Promise<Running>
  /** A service that has answered nothing yet but that it is ready. */
  startBare(folder: string): Promise<Server>
  /** A data folder as after the first start; the administrator is in it. */
  emptyFolder(): Promise<string>
  /** The same with users who hold a role each, roles and revoked tokens, as `size` says. */
  fullFolder(): Promise<string>
  /** Fills a folder like that; the service must not run. */
  fillFolder(folder: string): Promise<void>
  /** The same with users and roles that many of them hold, to be changed and deleted. */
  heldRolesFolder(): Promise<string>
  /** So many live tokens of one user, the same at every call: each row revokes them in a folder of its own. */
  tokens(count: number): Promise<readonly string[]>
  readonly administratorPassword: string
}

export interface Running extends Server, AsyncDisposable {
  readonly bearer: string
}

/** Roles that are deleted: as many for each number of holders as there are repeats. */
export function deletedRole(holders: number, repeat: number): string {
  return `deleted-${holders}-${repeat}`
}

export function heldRole(holders: number): string {
  return `held-${holders}`
}

export interface WorkbenchOptions {
  readonly mode: Mode
  readonly size: Size
  readonly isFull: boolean
  readonly isQuick: boolean
  readonly wants: (id: string) => boolean
  readonly report: (measurement: Measurement) => void
  readonly profileFolder: string | undefined
}

export function createWorkbench(options: WorkbenchOptions): Workbench {
  const { size, profileFolder } = options
  const administratorPassword = randomBytes(16).toString('base64url')
  const sharedSecret = options.mode === 'hs256' ? randomBytes(32).toString('base64url') : undefined
  const settings = { sharedSecret, administratorPassword }
  let prepared: Promise<{ folder: string; minter: Minter }> | undefined
  let filled: Promise<string> | undefined
  let minted: readonly string[] = []

  /** The first start makes the keys and the administrator. */
  async function prepare() {
    const folder = await makeFolder()
    const server = await startServer({ ...settings, folder, profileFolder: undefined })
    const minter = await createMinter(server, folder, sharedSecret)
    await server.stop()
    return { folder, minter }
  }

  function prepareOnce() {
    prepared ??= prepare()
    return prepared
  }

  async function fillFolder(folder: string) {
    const { minter } = await prepareOnce()
    const holders = new Map([['everybody', size.users]])
    await fill(folder, { ...size, holders, revokedTokens: fakeTokens(minter, size.revokedTokens) })
  }

  async function prepareFull(): Promise<string> {
    const full = await copyFolder((await prepareOnce()).folder)
    await fillFolder(full)
    return full
  }

  const startBare = (folder: string) => startServer({ ...settings, folder, profileFolder })

  return {
    ...options,
    administratorPassword,
    startBare,
    async start(folder) {
      const server = await startBare(folder)
      const bearer = await logInAdministrator(server.port, administratorPassword)
      return {
        ...server,
        bearer,
        async [Symbol.asyncDispose]() {
          await server.stop()
          await rm(folder, { recursive: true, force: true })
        },
      }
    },
    emptyFolder: async () => copyFolder((await prepareOnce()).folder),
    async fullFolder() {
      filled ??= prepareFull()
      return copyFolder(await filled)
    },
    fillFolder,
    async heldRolesFolder() {
      const folder = await copyFolder((await prepareOnce()).folder)
      await fill(folder, { users: size.users, roles: 0, holders: heldRoles(size), revokedTokens: [] })
      return folder
    },
    async tokens(count) {
      const { minter } = await prepareOnce()
      if (minted.length < count) minted = [...minted, ...(await mintMany(minter, userName(0), count - minted.length))]
      return minted.slice(0, count)
    },
  }
}

function heldRoles({ holders, repeats }: Size): Filling['holders'] {
  const roles = new Map<string, number>()
  for (const count of holders) {
    roles.set(heldRole(count), count)
    for (let repeat = 0; repeat < repeats; repeat += 1) roles.set(deletedRole(count, repeat), count)
  }
  return roles
}

function fakeTokens(minter: Minter, count: number): readonly string[] {
  return Array.from({ length: count }, () => minter.fake(userName(0)))
}

async function copyFolder(from: string): Promise<string> {
  const to = await makeFolder()
  await cp(from, to, { recursive: true, filter: (source) => !source.endsWith(join('/', 'bench.log')) })
  return to
}
