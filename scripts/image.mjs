// Lays out below a folder what the image holds: node scripts/image.mjs FOLDER [INTERPRETER]
//
// The program in /opt/gatehouse, its names in /usr/local/bin, and of the packages outside the bundle what is read when it
// runs. INTERPRETER is where Node stands in the image: there is no env(1) that could look for it.
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [, , folder, interpreter = '/nodejs/bin/node'] = process.argv
if (folder === undefined) {
  console.error('usage: node scripts/image.mjs FOLDER [INTERPRETER]')
  process.exit(2)
}
const home = join(folder, 'opt/gatehouse')

/** Fetches or builds the native part of better-sqlite3, and has done so. */
const onlyForInstall = new Set(['prebuild-install'])
const notRead = /(^|\/)(test|tests|docs|examples|benchmarks|\.github)(\/|$)|\.(md|map|yml|[cm]?ts)$/
/** Of better-sqlite3: the sources of SQLite and whatever else the compiler has left. */
const onlyForCompiling = /^better-sqlite3\/(deps|src|binding\.gyp|build\/(?!Release(\/better_sqlite3\.node)?$))/

async function copyProgram() {
  for (const name of ['migrations', 'package.json', 'LICENSE', 'CHANGELOG.md']) await copy(name)
  const built = await readdir(join(root, 'dist'))
  for (const name of built.filter((each) => /^api-docs$|\.(js|txt)$/.test(each))) await copy(join('dist', name))
  await mkdir(join(home, 'bin'))
  await mkdir(join(folder, 'usr/local/bin'), { recursive: true })
  for (const name of ['authn', 'gatehouse']) {
    const text = await readFile(join(root, 'bin', name), 'utf8')
    await writeFile(join(home, 'bin', name), text.replace(/^#!.*/, `#!${interpreter}`), { mode: 0o755 })
    await symlink(`../../../opt/gatehouse/bin/${name}`, join(folder, 'usr/local/bin', name))
  }
}

/** The packages that these need, found as Node finds them where npm has put all side by side. */
async function findPackages(names, found = new Set()) {
  for (const name of names.filter((each) => !found.has(each) && !onlyForInstall.has(each))) {
    const manifest = await readManifest(name)
    if (manifest === undefined) continue
    found.add(name)
    await findPackages(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }), found)
  }
  return [...found].sort()
}

/** Undefined for a package of another platform. */
async function readManifest(name) {
  try {
    return JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

async function copyPackage(name) {
  const packages = join(root, 'node_modules/')
  await copy(join('node_modules', name), (source) => {
    const path = source.slice(packages.length)
    const isLicence = /^(licen[cs]e|notice|copying)/i.test(basename(path))
    return isLicence || !(notRead.test(path.slice(name.length)) || onlyForCompiling.test(path))
  })
}

async function copy(path, filter = () => true) {
  await cp(join(root, path), join(home, path), { recursive: true, dereference: true, filter })
}

await mkdir(home, { recursive: true })
await copyProgram()
const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
for (const name of await findPackages(Object.keys(dependencies))) await copyPackage(name)
