// Bundles src/main.ts and the packages it uses to dist/, so that the program starts from a few files: reading packages one
// module at a time takes as long as everything else at start. Packages with native parts stay outside, in node_modules:
// they are the `dependencies` of package.json, which whoever installs Gatehouse gets; all others are only needed here.
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { presentThirdParty } from './third-party.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist`

const { build } = await import('esbuild').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
  console.error('the program is built with development packages: install without --omit=dev')
  process.exit(1)
})

const { outputFiles, metafile } = await build({
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
  metafile: true,
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
await writeFile(`${dist}/THIRD_PARTY.txt`, await presentThirdParty(root, metafile))
// The page at /api/v1/docs is served from here: nothing of it comes from elsewhere.
const viewer = `${root}node_modules/swagger-ui-dist`
await mkdir(`${dist}/api-docs`, { recursive: true })
for (const name of [
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'swagger-ui.css',
  'LICENSE',
  'NOTICE',
]) {
  await copyFile(`${viewer}/${name}`, `${dist}/api-docs/${name}`)
}

const built = new Set(outputFiles.map(({ path }) => basename(path)))
const stale = (await readdir(dist)).filter((name) => !built.has(name) && /\.js(\.map|\.LEGAL\.txt)?$/.test(name))
await Promise.all(stale.map((name) => rm(`${dist}/${name}`, { force: true })))
