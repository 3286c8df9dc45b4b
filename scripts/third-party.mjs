// The notice that goes with the bundle: most licences want their text to travel with each copy, and a bundle is one.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Names each package that the bundle holds, its version, its licence and the text of that.
 *
 * @param {string} root the folder of node_modules
 * @param {{ inputs: Record<string, unknown> }} metafile of esbuild
 */
export async function presentThirdParty(root, { inputs }) {
  const folders = Object.keys(inputs).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  const packages = [...new Set(folders.filter((folder) => folder !== undefined))].sort()
  const notices = await Promise.all(packages.map((folder) => presentPackage(join(root, folder))))
  return `${['Gatehouse holds parts of these packages.', ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

async function presentPackage(folder) {
  const { name, version, license, author, homepage } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  if (typeof license !== 'string') throw new Error(`the package ${name} names no licence, and is bundled`)
  const texts = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort()
  const contents = await Promise.all(texts.map((file) => readFile(join(folder, file), 'utf8')))
  const by = typeof author === 'string' ? author : author?.name
  const heading = [`${name} ${version}`, license, by, homepage].filter(Boolean).join('\n')
  return [heading, ...contents.map((text) => text.trim())].join('\n\n')
}
