import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { buildProgram, makeFolder, root, run, startProgram } from './cli/program.ts'
import { expectViewer } from './viewer.ts'

let files: readonly string[]
/** Where the package is installed, with what it depends on and nothing else in reach. */
let folder: string

beforeAll(async () => {
  await buildProgram()
  folder = makeFolder()
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8' })
  const [packed] = JSON.parse(npm('pack', root, '--ignore-scripts', '--json', '--pack-destination', folder)) as {
    readonly filename: string
    readonly files: readonly { readonly path: string }[]
  }[]
  files = packed?.files.map(({ path }) => path) ?? []
  const home = join(folder, 'node_modules/gatehouse')
  mkdirSync(home, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', home, '--strip-components=1'])
  for (const path of installedWithIt()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    symlinkSync(join(root, path), join(folder, path))
  }
  // Puts the programs in node_modules/.bin, as an install does, and needs no registry for it.
  npm('rebuild', '--ignore-scripts', 'gatehouse')
})

/** What npm installs beside the package; packages for other platforms aren't there. */
function installedWithIt(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>
  }
  return Object.entries(packages).flatMap(([path, { dev }]) =>
    path !== '' && dev !== true && existsSync(join(root, path)) ? path : [],
  )
}

test('the package depends on what the bundle leaves outside, and on nothing else', () => {
  const outside = readdirSync(join(root, 'dist'))
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => [...readFileSync(join(root, 'dist', file), 'utf8').matchAll(/^import\b.* from "([^".]+)";$/gm)])
    .map(([, specifier = '']) => specifier)
    .filter((specifier) => !specifier.startsWith('node:'))
  expect(Object.keys(manifest.dependencies).sort()).toEqual([...new Set(outside)].sort())
})

test('the package holds what runs, the licences of what it bundles, and the documents', () => {
  const needed = ['bin/gatehouse', 'bin/authn', 'dist/main.js', 'dist/THIRD_PARTY.txt', 'LICENSE', 'README.md']
  expect(files).toEqual(expect.arrayContaining([...needed, 'CHANGELOG.md', 'docs/operate/operate.md']))
  for (const name of readdirSync(join(root, 'migrations'))) expect(files).toContain(`migrations/${name}`)
})

test('the package holds no sources, tests, source maps or caches', () => {
  expect(files.filter((path) => /^(src|test|bench|demo|scripts|node_modules|\.)|\.(ts|map)$|cache/.test(path))).toEqual(
    [],
  )
})

test.each(['gatehouse', 'authn'])('npx %s runs the installed package', async (name) => {
  const { out, code } = await run('npx', ['--offline', '--no', name, 'version'], { cwd: folder })
  expect({ out, code }).toEqual({ out: `gatehouse ${manifest.version}\n`, code: 0 })
})

test('the installed package serves, and a user logs in', async () => {
  const password = randomBytes(12).toString('hex')
  const program = join(folder, 'node_modules/.bin/gatehouse')
  const service = await startProgram(program, ['serve'], { cwd: folder, env: { AIS_AUTHN_SU_PASS: password } })
  const body = JSON.stringify({ password })
  const answer = await fetch(`${service.url}/v1/users/admin`, { method: 'POST', body })
  expect(await answer.json()).toHaveProperty('token')
  await expectViewer(service.url)
  expect((await service.stop()).code).toBe(0)
})
