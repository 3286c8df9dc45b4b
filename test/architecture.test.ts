import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')

interface Room {
  /** Which files it is. */
  readonly holds: (file: string) => boolean
  /** What of `src` its files may import (prefixes of paths below src); type imports count. */
  readonly mayImport: readonly string[]
  readonly packages: readonly string[]
}

const anyPackage = ['*']

/** The import table of CONTRIBUTING.md. The first room that holds a file counts. */
const rooms: Readonly<Record<string, Room>> = {
  core: {
    holds: (file) => file.startsWith('core/'),
    mayImport: ['core/'],
    packages: ['jose', '@node-rs/argon2', '@node-rs/bcrypt', 'lru-cache', 'node:crypto'],
  },
  delivery: {
    holds: (file) => file.startsWith('delivery/'),
    mayImport: ['core/', 'delivery/', 'supervisor.ts'],
    packages: [],
  },
  workers: {
    holds: (file) => file.startsWith('workers/'),
    mayImport: ['core/', 'delivery/', 'workers/', 'supervisor.ts'],
    packages: [],
  },
  store: {
    holds: (file) => file.startsWith('store/'),
    mayImport: ['core/', 'delivery/', 'store/'],
    packages: ['drizzle-orm', 'better-sqlite3', 'pg', 'node:'],
  },
  'adapters/outbound': {
    holds: (file) => /^adapters\/outbound[^/]*$/.test(file),
    mayImport: ['core/', 'adapters/outbound'],
    packages: ['undici', 'p-retry', 'node:'],
  },
  'adapters/index': { holds: (file) => file === 'adapters/index.ts', mayImport: ['core/', 'adapters/'], packages: [] },
  'adapters/aistore/dialect': {
    holds: (file) => file.startsWith('adapters/aistore/dialect/'),
    mayImport: [
      'core/',
      'http/env.ts',
      'http/body.ts',
      'http/validate.ts',
      'http/middleware/',
      'adapters/aistore/dialect/',
      'adapters/aistore/acl.ts',
      'adapters/aistore/wire.ts',
    ],
    packages: ['hono', 'zod', 'node:'],
  },
  'adapters/aistore': {
    holds: (file) => file.startsWith('adapters/aistore/'),
    mayImport: ['core/', 'adapters/outbound', 'adapters/aistore/'],
    packages: ['zod', 'p-retry', 'node:'],
  },
  http: {
    holds: (file) => file.startsWith('http/'),
    mayImport: ['core/', 'delivery/', 'http/'],
    packages: ['hono', 'zod', '@hono/', 'node:'],
  },
  'doctor/gather': {
    holds: (file) => file.startsWith('doctor/gather/') || file === 'doctor/examine.ts',
    mayImport: [
      'doctor/',
      'config',
      'core/',
      'store/',
      'adapters/index.ts',
      'adapters/outbound',
      'http/certificate.ts',
    ],
    packages: ['node:'],
  },
  doctor: { holds: (file) => file.startsWith('doctor/'), mayImport: ['doctor/', 'config', 'core/'], packages: [] },
  cli: {
    holds: (file) => file.startsWith('cli/'),
    mayImport: [
      'cli/',
      'config',
      'authn-json',
      'service.ts',
      'authn-import.ts',
      'authn-export.ts',
      'log.ts',
      'core/',
      'store/',
      'doctor/',
      'http/routes/shapes/',
      'version.ts',
    ],
    packages: ['commander', 'cli-table3', 'yaml', 'node:'],
  },
  config: {
    holds: (file) => /^(config|authn-json)[^/]*$/.test(file),
    mayImport: ['config', 'authn-json', 'core/settings/'],
    packages: ['node:'],
  },
  transfer: {
    holds: (file) => /^authn-(import|export)\.ts$/.test(file),
    mayImport: ['config', 'core/', 'adapters/aistore/', 'store/'],
    packages: ['node:'],
  },
  metrics: { holds: (file) => file === 'metrics.ts', mayImport: ['core/', 'delivery/'], packages: ['prom-client'] },
  log: {
    holds: (file) => /^log[^/]*\.ts$/.test(file),
    mayImport: ['core/', 'log'],
    packages: ['pino', 'node:'],
  },
  version: { holds: (file) => file === 'version.ts', mayImport: ['../package.json'], packages: [] },
  'process-place': { holds: (file) => file === 'process-place.ts', mayImport: [], packages: ['node:'] },
  supervisor: { holds: (file) => file === 'supervisor.ts', mayImport: ['core/'], packages: [] },
  service: { holds: (file) => file === 'service.ts', mayImport: [''], packages: anyPackage },
  main: {
    holds: (file) => file === 'main.ts',
    mayImport: ['cli/', 'service.ts', 'log', 'config', 'core/', 'store/sqlite/stored-settings.ts'],
    packages: ['node:'],
  },
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(src, join(entry.parentPath, entry.name)))
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  const specifiers = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*'([^']+)'/g),
    ...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g),
    ...text.matchAll(/(?:^|\n)import\s*'([^']+)'/g),
  ]
  return specifiers.map((match) => match[1] ?? '')
}

const files = filesBelow(src)

describe('every file imports only what the import table allows', () => {
  test.each(files)('%s', (file) => {
    const room = Object.values(rooms).find(({ holds }) => holds(file))
    expect(room, `${file} stands in no room of the import table`).toBeDefined()
    if (!room) return
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const target = relative(src, resolve(src, dirname(file), specifier))
        const isAllowed = room.mayImport.some((prefix) => target.startsWith(prefix))
        expect(isAllowed, `${file} may not import ${target}`).toBe(true)
      } else {
        const isAllowed = room.packages.some(
          (name) =>
            name === '*' ||
            specifier === name ||
            specifier.startsWith(name.endsWith(':') || name.endsWith('/') ? name : `${name}/`),
        )
        expect(isAllowed, `${file} may not import the package ${specifier}`).toBe(true)
      }
    }
  })
})

test('no adapter imports another', () => {
  for (const file of files.filter((name) => /^adapters\/[^/]+\//.test(name))) {
    const own = file.split('/').slice(0, 2).join('/')
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = relative(src, resolve(src, dirname(file), specifier))
      if (/^adapters\/[^/]+\//.test(target))
        expect(target.startsWith(`${own}/`), `${file} imports ${target}`).toBe(true)
    }
  }
})

test('process.env is read in config.ts alone', () => {
  for (const file of files.filter((name) => name !== 'config.ts')) {
    expect(readFileSync(join(src, file), 'utf8').includes('process.env'), `${file} reads process.env`).toBe(false)
  }
})

test('no file is over 400 lines', () => {
  for (const file of files) {
    expect(readFileSync(join(src, file), 'utf8').split('\n').length, file).toBeLessThanOrEqual(400)
  }
})
