// Bundles src/main.ts and the packages it uses to dist/, so that the program starts from a few files: reading packages one
// module at a time takes as long as everything else at start. Packages with native parts stay outside, in node_modules.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', demo: 'demo/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  external: ['better-sqlite3', '@node-rs/*', 'pino'],
  // Packages in CommonJS call require() for Node's own modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  legalComments: 'linked',
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
const isEntry = ({ path }) => /^(main|demo)\./.test(basename(path))
for (const { path, contents } of [...outputFiles].sort((a, b) => isEntry(a) - isEntry(b))) {
  await writeFile(`${path}.${process.pid}`, contents)
  await rename(`${path}.${process.pid}`, path)
}
const built = new Set(outputFiles.map(({ path }) => basename(path)))
const stale = (await readdir(dist)).filter((name) => !built.has(name) && /\.js(\.map|\.LEGAL\.txt)?$/.test(name))
await Promise.all(stale.map((name) => rm(`${dist}/${name}`, { force: true })))
