// Bundles src/main.ts to dist/, so that the program starts from a few files. Packages stay outside, in node_modules.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  write: false,
})

// The parts carry a hash of their content in their names and come before what names them, so that a program that starts
// meanwhile finds either build whole.
await mkdir(dist, { recursive: true })
const isEntry = ({ path }) => basename(path).startsWith('main.')
for (const { path, contents } of [...outputFiles].sort((a, b) => isEntry(a) - isEntry(b))) {
  await writeFile(`${path}.${process.pid}`, contents)
  await rename(`${path}.${process.pid}`, path)
}
const built = new Set(outputFiles.map(({ path }) => basename(path)))
const stale = (await readdir(dist)).filter((name) => !built.has(name) && /\.js(\.map)?$/.test(name))
await Promise.all(stale.map((name) => rm(`${dist}/${name}`, { force: true })))
